#include "eigengrad/data/table_warnings.h"

#include <algorithm>
#include <cmath>

#include "eigengrad/core/check.h"

namespace eigengrad::data {
namespace {

constexpr std::size_t kFewRows = 10;  // in fewer, values may well differ or count up by chance
constexpr double kLargestSpread = 100, kSmallestSpread = 0.01;  // of numbers that need not be standardised

using Strings = std::vector<std::string>;

// The values of an input that are there.
std::vector<float> values_of(const ReadTable& table, std::size_t column, std::span<const std::int64_t> rows) {
  std::vector<float> values;
  for (const std::int64_t row : rows)
    if (const float value = table.rows.values[static_cast<std::size_t>(row * table.rows.features) + column];
        !std::isnan(value))
      values.push_back(value);
  return values;
}

std::vector<float> values_of(const ReadTable& table, std::size_t column) {
  std::vector<float> values;
  for (std::size_t i = column; i < table.rows.values.size(); i += table.columns.size())
    if (!std::isnan(table.rows.values[i])) values.push_back(table.rows.values[i]);
  return values;
}

bool are_equal(const std::vector<float>& values) {
  return values.size() >= kFewRows &&
         std::all_of(values.begin(), values.end(), [&](float value) { return value == values.front(); });
}

bool are_distinct(std::vector<float> values) {
  std::sort(values.begin(), values.end());
  return values.size() >= kFewRows && std::adjacent_find(values.begin(), values.end()) == values.end();
}

// Whether whole numbers number the rows, in any order; rows that were dropped leave gaps.
bool are_row_numbers(const std::vector<float>& values, std::int64_t dropped) {
  if (values.empty() || !std::all_of(values.begin(), values.end(), [](float v) { return v == std::floor(v); }))
    return false;
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  const double numbers = static_cast<double>(*most) - static_cast<double>(*least) + 1;
  return numbers <= static_cast<double>(values.size()) + static_cast<double>(dropped) && are_distinct(values);
}

bool has_decimal_commas(const TableColumn& column) {
  const Strings& texts = column.categories.all();
  return !texts.empty() && std::all_of(texts.begin(), texts.end(), has_decimal_comma);
}

// The names of the inputs of which something holds.
template <class F>
Strings columns_where(const ReadTable& table, F holds) {
  Strings names;
  for (std::size_t i = 0; i < table.columns.size(); ++i)
    if (holds(table.columns[i], i)) names.push_back(table.columns[i].name);
  return names;
}

std::string leave_out(const ReadTable& table) {
  return table.features_are_named ? "take them out of \"features\"" : "name them in \"ignore\"";
}

// ---- What there is to say of some names; nothing where there are none.

std::string told(const std::string& what, const Strings& names, const std::string& way_out) {
  return names.empty() ? "" : fmt::format("{}: {}; {}", what, quoted(names), way_out);
}

std::string of_one_value(const ReadTable& table) {
  const auto is_constant = [&](const TableColumn&, std::size_t i) {
    return are_equal(values_of(table, i, table.training));
  };
  return told("columns of one value in all training rows, which tell nothing", columns_where(table, is_constant),
              leave_out(table));
}

std::string of_row_numbers(const ReadTable& table) {
  if (table.columns.size() == 1) return "";  // the one input is meant
  const auto counts_rows = [&](const TableColumn& column, std::size_t i) {
    return column.kind == TableColumn::Kind::Number && are_row_numbers(values_of(table, i), table.dropped);
  };
  return told("columns that number the rows, of which a model learns nothing for others",
              columns_where(table, counts_rows), leave_out(table));
}

std::string of_names_of_rows(const ReadTable& table) {
  if (table.columns.size() == 1) return "";
  const auto names_rows = [&](const TableColumn& column, std::size_t i) {
    return column.kind == TableColumn::Kind::Category && !has_decimal_commas(column) &&
           are_distinct(values_of(table, i));
  };
  return told("columns with another category in every row, of which a model learns nothing for others",
              columns_where(table, names_rows), leave_out(table));
}

std::string of_decimal_commas(const ReadTable& table) {
  return told("columns of numbers with a decimal comma, which are taken for categories",
              columns_where(table, [](const TableColumn& column, std::size_t) { return has_decimal_commas(column); }),
              "set \"decimal\": \",\"");
}

// The classes that have so many rows to train on.
Strings classes_of(const ReadTable& table, std::int64_t count) {
  std::vector<std::int64_t> counts(table.options.classes.size(), 0);
  for (const std::int64_t row : table.training)
    ++counts[static_cast<std::size_t>(table.rows.labels[static_cast<std::size_t>(row)])];
  Strings names;
  for (std::size_t i = 0; i < counts.size(); ++i)
    if (counts[i] == count) names.push_back(table.options.classes[i]);
  return names;
}

std::string of_classes_without_rows(const ReadTable& table) {
  return told("classes without a row to train on", classes_of(table, 0),
              table.options.test_file.empty() ? "a smaller \"test_fraction\", or another \"seed\", may leave them some"
                                              : "take them out of \"classes\", or add rows");
}

std::string of_classes_with_one_row(const ReadTable& table) {
  const Strings names = classes_of(table, 1);
  const bool are_numbers = std::all_of(names.begin(), names.end(), [](const std::string& n) { return is_number(n); });
  return told("classes with a single row to train on", names,
              are_numbers && 2 * names.size() > table.options.classes.size()
                  ? "if they are numbers to tell, set \"task\": \"regression\""
                  : "add rows, or leave out those of such classes");
}

std::string of_spread_targets(const ReadTable& table) {
  const CsvOptions& o = table.options;
  Strings names;
  for (std::size_t i = 0; i < o.label.size(); ++i)
    if (const double std = o.target_mean_std[2 * i + 1]; std > kLargestSpread || std < kSmallestSpread)
      names.push_back(o.label[i]);
  return told("numbers to tell whose standard deviation is far from 1, with which training goes badly",
              o.standardize_target ? Strings() : names, "set \"standardize_target\": true");
}

}  // namespace

std::vector<std::string> table_warnings(const ReadTable& table) {
  std::vector<std::string> warnings;
  const auto add = [&](const std::string& text) {
    if (!text.empty()) warnings.push_back(printable(table.options.file) + ": " + text);
  };
  add(of_one_value(table));
  add(of_row_numbers(table));
  add(of_names_of_rows(table));
  add(of_decimal_commas(table));
  if (table.options.task == TableTask::Regression) {
    add(of_spread_targets(table));
  } else {
    add(of_classes_without_rows(table));
    add(of_classes_with_one_row(table));
  }
  return warnings;
}

}  // namespace eigengrad::data
