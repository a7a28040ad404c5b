#include "eigengrad/data/table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <limits>
#include <numeric>
#include <utility>

#include "eigengrad/core/check.h"
#include "eigengrad/core/random.h"
#include "eigengrad/data/fingerprint.h"
#include "eigengrad/data/table_reader.h"
#include "eigengrad/data/table_warnings.h"
#include "eigengrad/ops/arithmetic.h"

namespace eigengrad::data {
namespace {

void check_known(const char* option, const std::vector<std::string>& names, const std::vector<std::string>& known,
                 const std::string& where) {
  for (const std::string& name : names)
    EG_CHECK(contains(known, name), ConfigError, "{} names the column '{}', but {} has {}", option, printable(name),
             where, quoted(known));
}

// The names of columns that are inputs, from the options and the header of the training file.
void complete_features(CsvOptions& o, const TableReader& reader) {
  const std::string file = "the header of " + printable(o.file);
  check_known("features", o.features, reader.header(), file);
  check_known("ignore", o.ignore, reader.header(), file);
  for (const std::string& name : o.features)
    EG_CHECK(!contains(o.label, name) && !contains(o.ignore, name) &&
                 std::count(o.features.begin(), o.features.end(), name) == 1,
             ConfigError, "features names the column '{}', which is also {}", printable(name),
             contains(o.label, name)    ? "the label"
             : contains(o.ignore, name) ? "one to ignore"
                                        : "there a second time");
  if (o.features.empty())
    for (const std::string& name : reader.header())
      if (!contains(o.label, name) && !contains(o.ignore, name)) o.features.push_back(name);
  EG_CHECK(!o.features.empty(), ConfigError, "{} has no column besides the label and those to ignore",
           printable(o.file));
  check_known("categorical", o.categorical, o.features, "what the model reads");
  for (const auto& [name, list] : o.categories) check_known("categories", {name}, o.features, "what the model reads");
}

// Numbers the classes by their order instead of by their turning up.
void complete_classes(CsvOptions& o, Names& classes, std::vector<std::int32_t>& numbers) {
  if (!o.classes.empty() || o.task == TableTask::Regression) return;
  const std::vector<std::int32_t> place = classes.sort();
  o.classes = classes.all();
  EG_CHECK(o.classes.size() >= 2, FormatError, "{}: the column '{}' has only the class {}", printable(o.file),
           printable(o.label[0]), quoted(o.classes));
  for (std::int32_t& number : numbers) number = place[static_cast<std::size_t>(number)];
}

// The same for the categories of each column.
void complete_categories(CsvOptions& o, std::vector<TableColumn>& columns, std::vector<float>& values) {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    TableColumn& column = columns[i];
    const bool given = std::any_of(o.categories.begin(), o.categories.end(),
                                   [&](const auto& entry) { return entry.first == column.name; });
    if (column.kind != TableColumn::Kind::Category || given) continue;
    const std::vector<std::int32_t> place = column.categories.sort();
    EG_CHECK(!place.empty(), FormatError, "{}: the column '{}' has no value", printable(o.file),
             printable(column.name));
    for (std::size_t at = i; at < values.size(); at += columns.size())
      if (!std::isnan(values[at])) values[at] = static_cast<float>(place[static_cast<std::size_t>(values[at])]);
    o.categories.emplace_back(column.name, column.categories.all());
  }
}

// How the columns of completed options become inputs.
TableEncoding encoding_of(const CsvOptions& o) {
  TableEncoding encoding{std::vector<std::int64_t>(o.features.size(), 0)};
  if (o.encoding == Encoding::Ordinal) return encoding;
  for (std::size_t i = 0; i < o.features.size(); ++i)
    for (const auto& [name, list] : o.categories)
      if (name == o.features[i]) encoding.categories[i] = std::ssize(list);
  return encoding;
}

// The mean and standard deviation (of the whole, by 1/N) of the numbers of a column that are there.
std::pair<double, double> mean_and_std(const std::string& column, std::span<const float> values, std::int64_t stride,
                                       std::int64_t offset, std::span<const std::int64_t> rows) {
  const auto each = [&](auto f) {
    for (const std::int64_t row : rows)
      if (const float value = values[static_cast<std::size_t>(row * stride + offset)]; !std::isnan(value))
        f(static_cast<double>(value));
  };
  double count = 0, sum = 0, squares = 0;
  each([&](double value) { ++count, sum += value; });
  EG_CHECK(count > 0, FormatError, "the column '{}' has no value in the training rows", printable(column));
  const double mean = sum / count;
  each([&](double value) { squares += (value - mean) * (value - mean); });
  const double std = std::sqrt(squares / count);
  return {mean, std > 0 ? std : 1};
}

// The share of each category in a column, of the rows that have one.
std::vector<double> shares_of(const std::string& column, std::int64_t categories, const TableDataset::Rows& rows,
                              std::int64_t offset, std::span<const std::int64_t> training) {
  std::vector<double> shares(static_cast<std::size_t>(categories), 0);
  double count = 0;
  for (const std::int64_t row : training)
    if (const float value = rows.values[static_cast<std::size_t>(row * rows.features + offset)]; value >= 0)
      ++count, ++shares[static_cast<std::size_t>(value)];
  EG_CHECK(count > 0, FormatError, "the column '{}' has no value in the training rows", printable(column));
  for (double& share : shares) share /= count;
  return shares;
}

void complete_figures(CsvOptions& o, const TableDataset::Rows& rows, std::span<const std::int64_t> training) {
  const auto width = static_cast<std::size_t>(rows.encoding.width());
  EG_CHECK(o.means.size() == o.stds.size() && (o.means.empty() || o.means.size() == width), ConfigError,
           "found {} means and {} stds, expected one for each of the {} inputs, or none", o.means.size(), o.stds.size(),
           width);
  if (o.means.empty())
    for (std::int64_t i = 0; i < rows.features; ++i) {
      const auto feature = static_cast<std::size_t>(i);
      const std::string& name = o.features[feature];
      if (const std::int64_t categories = rows.encoding.categories[feature]; categories > 0) {
        for (const double share : shares_of(name, categories, rows, i, training)) o.means.push_back(share);
        o.stds.resize(o.means.size(), 1);
      } else {
        const auto [mean, std] = mean_and_std(name, rows.values, rows.features, i, training);
        o.means.push_back(mean);
        o.stds.push_back(std);
      }
    }
  if (o.task == TableTask::Regression && o.target_mean_std.empty())
    for (std::int64_t i = 0; i < rows.targets_per_row; ++i) {
      const auto [mean, std] =
          mean_and_std(o.label[static_cast<std::size_t>(i)], rows.targets, rows.targets_per_row, i, training);
      o.target_mean_std.insert(o.target_mean_std.end(), {mean, std});
    }
}

// A number in standard deviations from the mean. Throws FormatError where a float32 cannot hold it: the training rows
// hardly differ, and another one does.
float standardized(const std::string& column, double value, double mean, double std) {
  const double deviations = (value - mean) / std;
  EG_CHECK(std::abs(deviations) <= static_cast<double>(std::numeric_limits<float>::max()), FormatError,
           "the column '{}' has the value {:.6g}, which is more standard deviations ({:.3g}) from the mean of the "
           "training rows ({:.3g}) than a float32 can hold",
           printable(column), value, std, mean);
  return static_cast<float>(deviations);
}

// Numbers become what the model sees; categories stay for the encoding.
void standardize(const CsvOptions& o, const TableEncoding& encoding, std::vector<float>& values) {
  const std::size_t features = o.features.size();
  std::size_t input = 0;
  for (std::size_t feature = 0; feature < features; ++feature) {
    const auto categories = static_cast<std::size_t>(encoding.categories[feature]);
    if (categories == 0) {
      const double mean = o.means[input];
      for (std::size_t i = feature; i < values.size(); i += features) {
        const double value = std::isnan(values[i]) ? mean : static_cast<double>(values[i]);
        values[i] = o.standardize ? standardized(o.features[feature], value, mean, o.stds[input])
                                  : standardized(o.features[feature], value, 0, 1);
      }
    }
    input += categories == 0 ? 1 : categories;
  }
}

void standardize(const CsvOptions& o, TableDataset::Rows& rows) {
  standardize(o, rows.encoding, rows.values);
  rows.encoding.missing.assign(o.means.begin(), o.means.end());
  if (!o.standardize_target) return;
  for (std::size_t i = 0; i < rows.targets.size(); ++i) {
    const std::size_t label = i % o.label.size();
    rows.targets[i] = standardized(o.label[label], static_cast<double>(rows.targets[i]), o.target_mean_std[2 * label],
                                   o.target_mean_std[2 * label + 1]);
  }
}

// What the numbers mean that a model tells, where they are standardised.
std::string target_note(const CsvOptions& o) {
  if (!o.standardize_target) return "";
  std::string note;
  for (std::size_t i = 0; i < o.label.size(); ++i)
    note +=
        fmt::format("{} {:.6g} of '{}'", note.empty() ? "" : ",", o.target_mean_std[2 * i + 1], printable(o.label[i]));
  return "standardised: in the loss and the metrics 1 stands for" + note;
}

void check_distinct(const std::string& option, const std::vector<std::string>& names) {
  for (const std::string& name : names)
    EG_CHECK(std::count(names.begin(), names.end(), name) == 1, ConfigError, "{} names '{}' twice", option,
             printable(name));
}

void check_options(const CsvOptions& o) {
  config::check_options("CSV", o);
  if (o.separator.size() != 1 || std::string_view("\"\r\n").find(o.separator) != std::string_view::npos)
    throw config::OptionError("/separator", fmt::format("found '{}', expected one character, neither a quote nor a "
                                                        "line break",
                                                        printable(o.separator)));
  if (o.decimal != "." && o.decimal != ",")
    throw config::OptionError("/decimal", fmt::format("found '{}', expected . or ,", printable(o.decimal)));
  EG_CHECK(!o.label.empty(), ConfigError, "label names no column");
  EG_CHECK(o.label.size() == 1 || o.task == TableTask::Regression, ConfigError,
           "label names {} columns, which is for \"task\": \"regression\"", o.label.size());
  check_distinct("label", o.label);
  EG_CHECK(!o.standardize_target || o.task == TableTask::Regression, ConfigError,
           "standardize_target is for \"task\": \"regression\"");
  EG_CHECK(o.classes.empty() || o.task == TableTask::Classification, ConfigError,
           "classes are for \"task\": \"classification\"");
  EG_CHECK(o.target_mean_std.empty() || o.target_mean_std.size() == 2 * o.label.size(), ConfigError,
           "target_mean_std has {} numbers, expected a mean and a standard deviation for each target",
           o.target_mean_std.size());
  for (std::size_t i = 1; i < o.target_mean_std.size(); i += 2)
    EG_CHECK(o.target_mean_std[i] > 0, ConfigError,
             "found {} in target_mean_std, expected a standard deviation above 0", o.target_mean_std[i]);
  for (const double std : o.stds) EG_CHECK(std > 0, ConfigError, "found {} in stds, expected more than 0", std);
  check_distinct("classes", o.classes);
  for (const auto& [column, list] : o.categories) {
    EG_CHECK(!list.empty(), ConfigError, "categories has none for the column '{}'", printable(column));
    check_distinct(fmt::format("categories of the column '{}'", printable(column)), list);
  }
}

std::vector<std::int64_t> all_rows(std::int64_t count) { return arange(count).to_vector<std::int64_t>(); }

// The rows that are trained on and those that are tested on.
std::array<std::vector<std::int64_t>, 2> split_rows(const CsvOptions& o, std::int64_t count) {
  Generator generator(static_cast<std::uint64_t>(o.seed), "split");
  std::vector<std::int64_t> order = randperm(count, generator).to_vector<std::int64_t>();
  const auto test = std::llround(o.test_fraction * static_cast<double>(count));
  EG_CHECK(test >= 1 && test < count, FormatError,
           "{}: a test_fraction of {} leaves {} of {} rows to test on, {} to train on", printable(o.file),
           o.test_fraction, test, count, count - test);
  std::vector<std::int64_t> tested(order.begin(), order.begin() + test);
  order.erase(order.begin(), order.begin() + test);
  std::sort(order.begin(), order.end());
  std::sort(tested.begin(), tested.end());
  return {std::move(order), std::move(tested)};
}

class CsvInputs : public InputReader {
 public:
  explicit CsvInputs(const CsvOptions& options) : options_(options), encoding_(encoding_of(options)) {
    check_options(options_);
    const auto width = static_cast<std::size_t>(encoding_.width());
    EG_CHECK(
        width > 0 && options_.means.size() == width && options_.stds.size() == width &&
            (options_.task == TableTask::Regression ? !options_.target_mean_std.empty() : !options_.classes.empty()),
        ConfigError,
        "the options of the CSV data have no features, classes, means and stds: expected those that a run has left");
    encoding_.missing.assign(options_.means.begin(), options_.means.end());
    if (options_.missing == Missing::Drop) options_.missing = Missing::Error;  // what is asked about has an answer
  }
  Shape input_shape() const override { return {encoding_.width()}; }
  std::vector<std::string> class_names() const override {
    return options_.task == TableTask::Regression ? std::vector<std::string>() : options_.classes;
  }
  std::vector<std::string> target_names() const override {
    return options_.task == TableTask::Regression ? options_.label : std::vector<std::string>();
  }
  Inputs read(const std::string& path) const override {
    std::vector<std::int64_t> lines;
    std::vector<TableColumn> columns = columns_of(options_);
    std::error_code error;
    EG_CHECK(!std::filesystem::is_directory(path, error), IoError,
             "{}: found a folder, expected a CSV table with the columns {}", printable(path),
             quoted(options_.features));
    std::vector<float> values = TableReader(path, options_).read_inputs(columns, lines);
    standardize(options_, encoding_, values);
    constexpr std::int64_t kMostInputs = std::int64_t{1} << 28;
    EG_CHECK(std::ssize(lines) <= kMostInputs / encoding_.width(), FormatError,
             "{}: {} rows of {} inputs are more than fit into {} MiB: ask about fewer at a time", printable(path),
             lines.size(), encoding_.width(), kMostInputs >> 18);
    const Tensor inputs = empty({std::ssize(lines), encoding_.width()});
    for (std::size_t row = 0; row < lines.size(); ++row)
      encoding_.spread(values.data() + row * columns.size(),
                       inputs.raw<float>() + static_cast<std::int64_t>(row) * encoding_.width());
    return {inputs, path, std::move(lines)};
  }
  Tensor restored(const Tensor& outputs) const override {
    if (!options_.standardize_target) return outputs;
    std::vector<float> means, stds;
    for (std::size_t i = 0; i < options_.target_mean_std.size(); i += 2) {
      means.push_back(static_cast<float>(options_.target_mean_std[i]));
      stds.push_back(static_cast<float>(options_.target_mean_std[i + 1]));
    }
    const Shape shape{std::ssize(means)};
    return outputs * tensor(stds, shape) + tensor(means, shape);
  }

 private:
  CsvOptions options_;
  TableEncoding encoding_;
};

// The name of a column, or an array of them.
config::Custom label_field(CsvOptions& o) {
  return {.read =
              [&o](const config::Value& value, const std::string& pointer, config::Diagnostics& diagnostics) {
                const config::Value one(config::Value::Array{value});
                o.label.clear();
                for (const config::Value& name : value.as_array() ? *value.as_array() : *one.as_array())
                  if (name.as_string()) o.label.push_back(*name.as_string());
                const std::size_t expected = value.as_array() ? value.as_array()->size() : 1;
                if (o.label.empty() || o.label.size() != expected)
                  diagnostics.add(pointer, value.position(),
                                  fmt::format("found {}, expected the name of a column, or an array of names",
                                              value.description()));
                else if (expected > 1 && o.task == TableTask::Classification)
                  diagnostics.add(pointer, value.position(),
                                  fmt::format("found {} columns, which is for \"task\": \"regression\"", expected));
              },
          .write = [&o] { return o.label.size() == 1 ? config::Value(o.label[0]) : config::write_value(&o.label); },
          .schema =
              [&o] {
                config::Value schema = config::Value::object(), name = config::Value::object();
                name.set("type", "string");
                schema.set("anyOf", config::Value::Array{name, config::value_schema(&o.label, {})});
                return schema;
              }};
}

// An object of arrays of names.
config::Custom categories_field(CsvOptions& o) {
  return {.read =
              [&o](const config::Value& value, const std::string& pointer, config::Diagnostics& diagnostics) {
                if (!value.as_object())
                  return diagnostics.add(
                      pointer, value.position(),
                      fmt::format("found {}, expected an object with the categories of columns", value.description()));
                o.categories.clear();
                for (const auto& [column, list] : *value.as_object()) {
                  o.categories.emplace_back(column, std::vector<std::string>());
                  config::read_value(list, config::pointer_to(pointer, std::string_view(column)), diagnostics,
                                     &o.categories.back().second, {});
                }
              },
          .write =
              [&o] {
                config::Value object = config::Value::object();
                for (auto& [column, list] : o.categories) object.set(column, config::write_value(&list));
                return object;
              },
          .schema =
              [&o] {
                config::Value schema = config::Value::object();
                schema.set("type", "object");
                schema.set("additionalProperties", config::value_schema(&o.ignore, {}));
                return schema;
              }};
}

}  // namespace

void describe(config::Fields& f, CsvOptions& o) {
  f("file", o.file, {.help = "a table with a header, in the folder of the data", .required = true});
  f.choice<TableTask>("task", o.task,
                      {{"classification", TableTask::Classification}, {"regression", TableTask::Regression}},
                      {.help = "what the label is: the name of a class, or a number"});
  f.custom(
      "label", label_field(o),
      {.help = "the column to be told from the others; several for a regression of several numbers", .required = true});
  f("test_file", o.test_file, {.help = "another table, which is tested on; empty: a share of the first"});
  f("test_fraction", o.test_fraction, {.help = "that share", .min = 0, .max = 1, .above_min = true, .below_max = true});
  f("seed", o.seed, {.help = "by which it is drawn", .min = 0});
  f("features", o.features, {.help = "the columns of the inputs; none: all but the label and those to ignore"});
  f("ignore", o.ignore, {.help = "columns to leave out"});
  f("separator", o.separator, {.help = "between fields; one character"});
  f("decimal", o.decimal, {.help = "before the decimals of numbers: a point, or a comma"});
  f("categorical", o.categorical,
    {.help = "columns whose values are categories, even if they look like numbers; those of texts alone always are"});
  f.choice<Encoding>("encoding", o.encoding, {{"one_hot", Encoding::OneHot}, {"ordinal", Encoding::Ordinal}},
                     {.help = "a category becomes an input of its own, 0 or 1, or else its number, 0, 1, 2, ..."});
  f.choice<Unknown>("unknown", o.unknown, {{"error", Unknown::Error}, {"ignore", Unknown::Ignore}},
                    {.help = "a category that is not known: refuse the file, or take none (one_hot) or the mean"});
  f("standardize", o.standardize, {.help = "numbers become (x - mean) / std of their column in the training rows"});
  f("standardize_target", o.standardize_target, {.help = "the same for the numbers of a regression"});
  f.choice<Missing>("missing", o.missing, {{"error", Missing::Error}, {"mean", Missing::Mean}, {"drop", Missing::Drop}},
                    {.help = "where a value is missing: refuse the file, take the mean (the shares of the categories, "
                             "with one_hot), or leave out the row"});
  f("missing_values", o.missing_values, {.help = "what stands for a missing value"});
  f("classes", o.classes, {.help = "the labels, in the order of their numbers; none: as found"});
  f.custom("categories", categories_field(o),
           {.help = "the categories of columns, in the order of their numbers; none: as found"});
  f("means", o.means, {.help = "of the inputs; none: as found"});
  f("stds", o.stds, {.help = "standard deviations of the inputs; none: as found", .min = 0, .above_min = true});
  f("target_mean_std", o.target_mean_std,
    {.help = "of the numbers of a regression, for each the mean and the standard deviation; none: as found"});
}

// ---- The data set.

std::int64_t TableEncoding::width() const {
  return std::accumulate(categories.begin(), categories.end(), std::int64_t{0},
                         [](std::int64_t sum, std::int64_t count) { return sum + std::max<std::int64_t>(1, count); });
}

void TableEncoding::spread(const float* row, float* inputs) const {
  const float* share = missing.data();
  for (const std::int64_t count : categories) {
    const float value = *row++;
    const std::int64_t places = std::max<std::int64_t>(1, count);
    if (count == 0) {
      *inputs = value;
    } else if (std::isnan(value)) {
      std::copy_n(share, count, inputs);
    } else {
      std::fill_n(inputs, count, 0.0f);
      if (value >= 0) inputs[static_cast<std::int64_t>(value)] = 1;
    }
    inputs += places;
    share += places;
  }
}

TableDataset::TableDataset(Rows rows, std::vector<std::string> class_names, std::string name)
    : rows_(std::move(rows)), class_names_(std::move(class_names)), name_(std::move(name)) {
  const auto targets = static_cast<std::size_t>(rows_.targets_per_row);
  const std::size_t count = class_names_.empty() ? rows_.targets.size() / targets : rows_.labels.size();
  EG_CHECK(rows_.features >= 1 && rows_.values.size() == count * static_cast<std::size_t>(rows_.features) &&
               (!class_names_.empty() || rows_.targets.size() == count * targets),
           ShapeError, "[TableDataset] {} values do not make {} rows of {} features", rows_.values.size(), count,
           rows_.features);
  for (const std::int32_t label : rows_.labels)
    EG_CHECK(label >= 0 && label < classes(), IndexError, "[TableDataset] label {} is not one of {} classes", label,
             classes());
  if (rows_.encoding.categories.empty()) rows_.encoding.categories.assign(static_cast<std::size_t>(rows_.features), 0);
}

std::int64_t TableDataset::size() const { return std::ssize(rows_.values) / rows_.features; }

Batch TableDataset::get(std::span<const std::int64_t> indices) const {
  const std::int64_t count = std::ssize(indices);
  const bool labels = !class_names_.empty();
  const std::int64_t width = rows_.encoding.width(), targets = rows_.targets_per_row;
  const Batch batch{empty({count, width}), labels ? empty({count}, kInt64) : empty({count, targets})};
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t index = indices[static_cast<std::size_t>(i)];
    EG_CHECK(index >= 0 && index < size(), IndexError, "[dataset] there is no sample {} of {}", index, size());
    rows_.encoding.spread(rows_.values.data() + index * rows_.features, batch.inputs.raw<float>() + i * width);
    if (labels)
      batch.targets.raw<std::int64_t>()[i] = rows_.labels[static_cast<std::size_t>(index)];
    else
      std::copy_n(rows_.targets.data() + index * targets, targets, batch.targets.raw<float>() + i * targets);
  }
  return batch;
}

std::string TableDataset::description() const {
  const std::string target = !class_names_.empty()        ? fmt::format("{} classes", class_names_.size())
                             : rows_.targets_per_row == 1 ? "a number to tell"
                                                          : fmt::format("{} numbers to tell", rows_.targets_per_row);
  const auto spread = std::count_if(rows_.encoding.categories.begin(), rows_.encoding.categories.end(),
                                    [](std::int64_t categories) { return categories > 0; });
  return fmt::format("{}: {} rows of {} features{}, {}", name_, size(), rows_.features,
                     spread > 0 ? fmt::format(", {} of them categorical", spread) : "", target);
}

std::optional<std::uint64_t> TableDataset::fingerprint() const {
  return fingerprint_of(rows_.targets, fingerprint_of(rows_.labels, fingerprint_of(rows_.values)));
}

Source csv(CsvOptions& o, const std::string& folder) {
  check_options(o);
  const bool completed = !o.means.empty(), features_are_named = !o.features.empty();
  const std::string path = path_in(folder, o.file);
  std::int64_t dropped = 0;
  Names classes(o.classes);
  TableReader reader(path, o);
  complete_features(o, reader);
  std::vector<TableColumn> columns = columns_of(o);
  TableDataset::Rows rows = reader.read(columns, classes, dropped);
  complete_classes(o, classes, rows.labels);
  complete_categories(o, columns, rows.values);
  rows.encoding = encoding_of(o);
  const std::int64_t count = std::ssize(rows.values) / rows.features;
  const bool own_test = !o.test_file.empty();
  auto [training, tested] = own_test ? std::array{all_rows(count), std::vector<std::int64_t>()} : split_rows(o, count);
  complete_figures(o, rows, training);
  Source source;
  // A run has told them when it completed its options.
  if (!completed) source.warnings = table_warnings({o, columns, rows, training, dropped, features_are_named});
  source.target_note = target_note(o);
  standardize(o, rows);
  const TableEncoding rows_encoding = rows.encoding;

  const auto whole = std::make_shared<TableDataset>(std::move(rows), o.classes, o.file);
  if (own_test) {
    Names known(o.classes);
    std::vector<TableColumn> known_columns = columns_of(o);
    TableDataset::Rows test = TableReader(path_in(folder, o.test_file), o).read(known_columns, known, dropped);
    test.encoding = rows_encoding;
    standardize(o, test);
    source.train = whole;
    source.test = std::make_shared<TableDataset>(std::move(test), o.classes, o.test_file);
  } else {
    source.train = std::make_shared<Subset>(whole, std::move(training));
    source.test = std::make_shared<Subset>(whole, std::move(tested));
  }
  if (dropped > 0) source.note = fmt::format("{} rows in which something is missing were left out", dropped);
  return source;
}

InputReaderPtr csv_inputs(const CsvOptions& options) { return std::make_shared<CsvInputs>(options); }

}  // namespace eigengrad::data
