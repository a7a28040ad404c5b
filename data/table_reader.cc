#include "eigengrad/data/table_reader.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "eigengrad/core/check.h"

namespace eigengrad::data {
namespace {

constexpr const char* kDecimalComma = "\"decimal\": \",\" is for files whose numbers have a decimal comma";
constexpr std::size_t kMaxClasses = 10'000;
constexpr std::size_t kMaxCategories = 1'000;         // of a column
constexpr std::size_t kMaxCategoriesOfAll = 100'000;  // of all, so that memory stays small whatever the file

std::vector<std::string> read_header(CsvReader& reader, const std::string& path) {
  EG_CHECK(reader.next(), FormatError, "{}: the file is empty, expected a header with the names of the columns",
           printable(path));
  std::vector<std::string> names;
  for (std::size_t i = 0; i < reader.size(); ++i) {
    names.emplace_back(reader[i]);
    if (names.back().empty()) reader.fail(i, "found a column without a name");
  }
  std::map<std::string_view, std::size_t> seen;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (!seen.emplace(names[i], i).second)
      reader.fail(i, fmt::format("the column '{}' is there twice", printable(names[i])));
  return names;
}

// A name's place in the order of names: numbers before texts.
std::pair<double, std::string> rank_of(const std::string& name) {
  double value = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), value);
  const bool number = error == std::errc() && end == name.data() + name.size() && std::isfinite(value);
  return {number ? value : std::numeric_limits<double>::infinity(), name};
}

}  // namespace

bool contains(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

std::string quoted(const std::vector<std::string>& names) {
  constexpr std::size_t kMostShown = 20;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kMostShown); ++i)
    text += (text.empty() ? "'" : ", '") + printable(names[i]) + "'";
  return names.size() > kMostShown ? text + fmt::format(" and {} more", names.size() - kMostShown) : text;
}

// ---- Names.

std::optional<std::int32_t> Names::number(std::string_view name) {
  const auto found = numbers_.find(name);
  if (found != numbers_.end()) return found->second;
  return closed_ ? std::nullopt : std::optional(add(std::string(name)));
}

std::int32_t Names::add(const std::string& name) {
  const auto number = static_cast<std::int32_t>(names_.size());
  numbers_.emplace(name, number);
  names_.push_back(name);
  return number;
}

std::vector<std::int32_t> Names::sort() {
  const std::vector<std::string> found = std::exchange(names_, {});
  std::vector<std::string> ordered = found;
  std::sort(ordered.begin(), ordered.end(),
            [](const std::string& a, const std::string& b) { return rank_of(a) < rank_of(b); });
  numbers_.clear();
  for (const std::string& name : ordered) add(name);
  std::vector<std::int32_t> place;
  for (const std::string& name : found) place.push_back(numbers_.find(name)->second);
  return place;
}

// ---- Columns.

std::vector<TableColumn> columns_of(const CsvOptions& o) {
  const bool completed = !o.means.empty();
  std::vector<TableColumn> columns;
  for (const std::string& name : o.features) {
    const auto known =
        std::find_if(o.categories.begin(), o.categories.end(), [&](const auto& entry) { return entry.first == name; });
    if (known != o.categories.end())
      columns.push_back({name, TableColumn::Kind::Category, true, Names(known->second)});
    else if (contains(o.categorical, name))
      columns.push_back({name, TableColumn::Kind::Category, true});
    else
      columns.push_back({name, completed ? TableColumn::Kind::Number : TableColumn::Kind::Open});
  }
  return columns;
}

// ---- Rows.

TableReader::TableReader(const std::string& path, const CsvOptions& options)
    : options_(options),
      path_(path),
      reader_(path, options.separator[0], options.decimal[0]),
      header_(read_header(reader_, path)) {}

TableDataset::Rows TableReader::read(std::vector<TableColumn>& columns, Names& classes, std::int64_t& dropped) {
  TableDataset::Rows rows;
  rows.features = std::ssize(columns);
  rows.targets_per_row = std::ssize(options_.label);
  find(columns);
  std::vector<std::size_t> labels;
  for (const std::string& label : options_.label) {
    EG_CHECK(has(label), FormatError, "{}: there is no column '{}' for the label, only {}", printable(path_),
             printable(label), quoted(header_));
    labels.push_back(place_of(label));
  }
  while (next()) {
    if (options_.missing == Missing::Drop && (any_missing(labels) || any_missing(fields_))) {
      ++dropped;
      continue;
    }
    read_labels(labels, classes, rows);
    read_features(columns, rows.values);
  }
  EG_CHECK(!rows.values.empty(), FormatError, "{}: there are no rows{}", printable(path_),
           dropped > 0 ? " in which nothing is missing" : "");
  return rows;
}

std::vector<float> TableReader::read_inputs(std::vector<TableColumn>& columns, std::vector<std::int64_t>& lines) {
  find(columns);
  std::vector<float> values;
  while (next()) {
    read_features(columns, values);
    lines.push_back(reader_.line());
  }
  return values;
}

bool TableReader::next() {
  if (!reader_.next()) return false;
  if (reader_.size() != header_.size())
    reader_.fail(header_.size(),
                 fmt::format("found {} fields, expected the {} of the header", reader_.size(), header_.size()));
  return true;
}

std::size_t TableReader::place_of(std::string_view column) const {
  return static_cast<std::size_t>(std::find(header_.begin(), header_.end(), column) - header_.begin());
}

void TableReader::find(const std::vector<TableColumn>& columns) {
  std::vector<std::string> lacking;
  for (const TableColumn& column : columns) {
    fields_.push_back(place_of(column.name));
    if (!has(column.name)) lacking.push_back(column.name);
  }
  EG_CHECK(lacking.empty(), FormatError, "{}: there is no column {}; the header has {}", printable(path_),
           quoted(lacking), quoted(header_));
}

bool TableReader::any_missing(const std::vector<std::size_t>& fields) const {
  return std::any_of(fields.begin(), fields.end(), [this](std::size_t field) { return is_missing(field); });
}

std::string TableReader::named(std::size_t field) const {
  return fmt::format("column '{}'", printable(header_[field]));
}

void TableReader::fail_missing(std::size_t field) const {
  reader_.fail(field, fmt::format("{}: found '{}', a missing value, which \"missing\" says is an error", named(field),
                                  printable(reader_[field])));
}

void TableReader::fail_missing_label(std::size_t field) const {
  reader_.fail(field, fmt::format("{}: found '{}', a missing value, but the label of a row must be known: fill it in, "
                                  "or leave out such rows by \"missing\": \"drop\"",
                                  named(field), printable(reader_[field])));
}

float TableReader::number(std::size_t field) const {
  if (!reader_.is_number(field) && has_decimal_comma(reader_[field]))
    reader_.fail(field, fmt::format("{}: found '{}', expected a number; {}", named(field), printable(reader_[field]),
                                    kDecimalComma));
  const double value = reader_.number(field, named(field));
  if (std::abs(value) > static_cast<double>(std::numeric_limits<float>::max()))
    reader_.fail(field, fmt::format("{}: found {}, which is beyond the numbers of float32", named(field), value));
  return static_cast<float>(value);
}

float TableReader::category(TableColumn& column, std::size_t field) {
  if (!column.may_be_numbers && reader_.is_number(field))
    reader_.fail(field, fmt::format("{}: found the number '{}' behind texts, which are categories; {}", named(field),
                                    printable(reader_[field]),
                                    has_decimal_comma(column.categories.all().front())
                                        ? kDecimalComma
                                        : "name the column in \"categorical\" if it is one of them"));
  const std::size_t before = column.categories.all().size();
  const std::optional<std::int32_t> number = column.categories.number(reader_[field]);
  if (!number) {
    if (options_.unknown == Unknown::Error)
      reader_.fail(field, fmt::format("{}: found '{}', expected one of the categories {}", named(field),
                                      printable(reader_[field]), quoted(column.categories.all())));
    return options_.encoding == Encoding::OneHot ? kUnknownCategory : kMissing;
  }
  categories_ += column.categories.all().size() - before;
  if (column.categories.all().size() > kMaxCategories || categories_ > kMaxCategoriesOfAll)
    reader_.fail(field, fmt::format("{}: found more than {} categories; name the column in \"ignore\" if it tells rows "
                                    "apart",
                                    named(field), column.categories.all().size() - 1));
  return static_cast<float>(*number);
}

void TableReader::read_features(std::vector<TableColumn>& columns, std::vector<float>& values) {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::size_t field = fields_[i];
    if (is_missing(field)) {
      if (options_.missing != Missing::Mean) fail_missing(field);
      values.push_back(kMissing);
      continue;
    }
    TableColumn& column = columns[i];
    if (column.kind == TableColumn::Kind::Open)
      column.kind = reader_.is_number(field) ? TableColumn::Kind::Number : TableColumn::Kind::Category;
    values.push_back(column.kind == TableColumn::Kind::Number ? number(field) : category(column, field));
  }
}

void TableReader::read_labels(const std::vector<std::size_t>& fields, Names& classes, TableDataset::Rows& rows) const {
  for (const std::size_t field : fields) {
    if (is_missing(field)) fail_missing_label(field);
    if (options_.task == TableTask::Regression) {
      rows.targets.push_back(number(field));
      continue;
    }
    const std::optional<std::int32_t> label = classes.number(reader_[field]);
    if (!label)
      reader_.fail(field, fmt::format("{}: found '{}', expected one of the classes {}", named(field),
                                      printable(reader_[field]), quoted(classes.all())));
    if (classes.all().size() > kMaxClasses)
      reader_.fail(field, fmt::format("{}: found more than {} classes; is it \"task\": \"regression\"?", named(field),
                                      kMaxClasses));
    rows.labels.push_back(*label);
  }
}

}  // namespace eigengrad::data
