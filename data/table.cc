#include "eigengrad/data/table.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "eigengrad/core/check.h"
#include "eigengrad/core/random.h"
#include "eigengrad/data/csv.h"
#include "eigengrad/ops/arithmetic.h"

namespace eigengrad::data {
namespace {

constexpr std::size_t kMaxClasses = 10'000;
constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();  // files cannot have a NaN of their own

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

// The columns of one file.
struct Header {
  std::vector<std::string> names;
  std::size_t find(std::string_view name) const {
    return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
  }
  bool has(std::string_view name) const { return find(name) < names.size(); }
};

Header read_header(CsvReader& reader, const std::string& path) {
  EG_CHECK(reader.next(), FormatError, "{}: the file is empty, expected a header with the names of the columns",
           printable(path));
  Header header;
  for (std::size_t i = 0; i < reader.size(); ++i) {
    const std::string name(reader[i]);
    if (name.empty()) reader.fail(i, "found a column without a name");
    header.names.push_back(name);
  }
  std::map<std::string_view, std::size_t> seen;
  for (std::size_t i = 0; i < header.names.size(); ++i)
    if (!seen.emplace(header.names[i], i).second)
      reader.fail(i, fmt::format("the column '{}' is there twice", printable(header.names[i])));
  return header;
}

// Labels by number, in the order in which they turn up.
class Labels {
 public:
  explicit Labels(const std::vector<std::string>& known) : closed_(!known.empty()) {
    for (const std::string& name : known) add(name);
  }
  // The number of a label; nothing for one that is not known, where those that are were given.
  std::optional<std::int32_t> number(std::string_view name) {
    const auto found = numbers_.find(name);
    if (found != numbers_.end()) return found->second;
    return closed_ ? std::nullopt : std::optional(add(std::string(name)));
  }
  const std::vector<std::string>& names() const { return names_; }

 private:
  std::int32_t add(const std::string& name) {
    const auto number = static_cast<std::int32_t>(names_.size());
    numbers_.emplace(name, number);
    names_.push_back(name);
    return number;
  }
  const bool closed_;
  std::vector<std::string> names_;
  std::map<std::string, std::int32_t, std::less<>> numbers_;
};

// Reads the rows of one file.
class TableReader {
 public:
  TableReader(const std::string& path, const CsvOptions& options)
      : options_(options), path_(path), reader_(path, options.separator[0]), header_(read_header(reader_, path)) {}

  const Header& header() const { return header_; }

  // All rows, with their label. Missing values are NaN.
  TableDataset::Rows read(Labels& labels, std::int64_t& dropped) {
    TableDataset::Rows rows;
    rows.features = std::ssize(options_.features);
    find_features();
    EG_CHECK(header_.has(options_.label), FormatError, "{}: there is no column '{}' for the label, only {}",
             printable(path_), printable(options_.label), quoted(header_.names));
    const std::size_t label = header_.find(options_.label);
    while (next()) {
      if (options_.missing == Missing::Drop && (is_missing(label) || any_missing())) {
        ++dropped;
        continue;
      }
      read_label(label, labels, rows);
      read_features(rows.values);
    }
    EG_CHECK(!rows.labels.empty() || !rows.targets.empty(), FormatError, "{}: there are no rows{}", printable(path_),
             dropped > 0 ? " in which nothing is missing" : "");
    return rows;
  }

  // The features alone, and the line of each row.
  std::vector<float> read_inputs(std::vector<std::int64_t>& lines) {
    find_features();
    std::vector<float> values;
    while (next()) {
      read_features(values);
      lines.push_back(reader_.line());
    }
    return values;
  }

 private:
  bool next() {
    if (!reader_.next()) return false;
    if (reader_.size() != header_.names.size())
      reader_.fail(header_.names.size(),
                   fmt::format("found {} fields, expected the {} of the header", reader_.size(), header_.names.size()));
    return true;
  }
  void find_features() {
    std::vector<std::string> lacking;
    for (const std::string& name : options_.features) {
      columns_.push_back(header_.find(name));
      if (!header_.has(name)) lacking.push_back(name);
    }
    EG_CHECK(lacking.empty(), FormatError, "{}: there is no column {}; the header has {}", printable(path_),
             quoted(lacking), quoted(header_.names));
  }

  bool is_missing(std::size_t field) const { return contains(options_.missing_values, reader_[field]); }
  bool any_missing() const {
    return std::any_of(columns_.begin(), columns_.end(), [this](std::size_t column) { return is_missing(column); });
  }
  std::string named(std::size_t field) const { return fmt::format("column '{}'", printable(header_.names[field])); }
  [[noreturn]] void fail_missing(std::size_t field) const {
    reader_.fail(field, fmt::format("{}: found '{}', a missing value, which \"missing\" says is an error", named(field),
                                    printable(reader_[field])));
  }

  float number(std::size_t field) const {
    const double value = reader_.number(field, named(field));
    if (std::abs(value) > static_cast<double>(std::numeric_limits<float>::max()))
      reader_.fail(field, fmt::format("{}: found {}, which is beyond the numbers of float32", named(field), value));
    return static_cast<float>(value);
  }
  void read_features(std::vector<float>& values) const {
    for (const std::size_t column : columns_) {
      const bool missing = is_missing(column);
      if (missing && options_.missing != Missing::Mean) fail_missing(column);
      values.push_back(missing ? kMissing : number(column));
    }
  }
  void read_label(std::size_t field, Labels& labels, TableDataset::Rows& rows) const {
    if (is_missing(field)) fail_missing(field);
    if (options_.task == TableTask::Regression) return rows.targets.push_back(number(field));
    const std::optional<std::int32_t> label = labels.number(reader_[field]);
    if (!label)
      reader_.fail(field, fmt::format("{}: found '{}', expected one of the classes {}", named(field),
                                      printable(reader_[field]), quoted(labels.names())));
    if (labels.names().size() > kMaxClasses)
      reader_.fail(field, fmt::format("{}: found more than {} classes; is it \"task\": \"regression\"?", named(field),
                                      kMaxClasses));
    rows.labels.push_back(*label);
  }

  const CsvOptions& options_;
  const std::string path_;
  CsvReader reader_;
  const Header header_;
  std::vector<std::size_t> columns_;
};

// The names of columns that are inputs, from the options and the header of the training file.
void complete_features(CsvOptions& o, const Header& header) {
  for (const auto* list : {&o.features, &o.ignore})
    for (const std::string& name : *list)
      EG_CHECK(header.has(name), ConfigError, "{} names the column '{}', but the header of {} has {}",
               list == &o.features ? "features" : "ignore", printable(name), printable(o.file), quoted(header.names));
  for (const std::string& name : o.features)
    EG_CHECK(
        name != o.label && !contains(o.ignore, name) && std::count(o.features.begin(), o.features.end(), name) == 1,
        ConfigError, "features names the column '{}', which is also {}", printable(name),
        name == o.label            ? "the label"
        : contains(o.ignore, name) ? "one to ignore"
                                   : "there a second time");
  if (!o.features.empty()) return;
  for (const std::string& name : header.names)
    if (name != o.label && !contains(o.ignore, name)) o.features.push_back(name);
  EG_CHECK(!o.features.empty(), ConfigError, "{} has no column besides the label and those to ignore",
           printable(o.file));
}

// A label's place in the order of classes: numbers before texts.
std::pair<double, std::string> rank_of(const std::string& name) {
  double value = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), value);
  const bool number = error == std::errc() && end == name.data() + name.size() && std::isfinite(value);
  return {number ? value : std::numeric_limits<double>::infinity(), name};
}

// Numbers the classes by their order instead of by their turning up.
void complete_classes(CsvOptions& o, const Labels& labels, std::vector<std::int32_t>& numbers) {
  if (!o.classes.empty() || o.task == TableTask::Regression) return;
  o.classes = labels.names();
  std::sort(o.classes.begin(), o.classes.end(),
            [](const std::string& a, const std::string& b) { return rank_of(a) < rank_of(b); });
  std::vector<std::int32_t> place(o.classes.size());
  Labels sorted(o.classes);
  for (std::size_t i = 0; i < place.size(); ++i) place[i] = *sorted.number(labels.names()[i]);
  EG_CHECK(o.classes.size() >= 2, FormatError, "{}: the column '{}' has only the class {}", printable(o.file),
           printable(o.label), quoted(o.classes));
  for (std::int32_t& number : numbers) number = place[static_cast<std::size_t>(number)];
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

void complete_figures(CsvOptions& o, const TableDataset::Rows& rows, std::span<const std::int64_t> training) {
  EG_CHECK(o.means.size() == o.stds.size() && (o.means.empty() || o.means.size() == o.features.size()), ConfigError,
           "found {} means and {} stds, expected one for each of the {} features, or none", o.means.size(),
           o.stds.size(), o.features.size());
  if (o.means.empty())
    for (std::int64_t i = 0; i < rows.features; ++i) {
      const auto [mean, std] =
          mean_and_std(o.features[static_cast<std::size_t>(i)], rows.values, rows.features, i, training);
      o.means.push_back(mean);
      o.stds.push_back(std);
    }
  if (o.task == TableTask::Regression && o.target_mean_std.empty()) {
    const auto [mean, std] = mean_and_std(o.label, rows.targets, 1, 0, training);
    o.target_mean_std = {mean, std};
  }
}

// Values become what the model sees.
void standardize(const CsvOptions& o, std::vector<float>& values) {
  const std::size_t features = o.features.size();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t column = i % features;
    const double mean = o.means[column], std = o.stds[column];
    const double value = std::isnan(values[i]) ? mean : static_cast<double>(values[i]);
    values[i] = static_cast<float>(o.standardize ? (value - mean) / std : value);
  }
}

void standardize(const CsvOptions& o, TableDataset::Rows& rows) {
  standardize(o, rows.values);
  if (!o.standardize_target) return;
  for (float& target : rows.targets)
    target = static_cast<float>((static_cast<double>(target) - o.target_mean_std[0]) / o.target_mean_std[1]);
}

void check_options(const CsvOptions& o) {
  config::check_options("CSV", o);
  EG_CHECK(o.separator.size() == 1, ConfigError, "separator is '{}', expected one character", printable(o.separator));
  EG_CHECK(!o.standardize_target || o.task == TableTask::Regression, ConfigError,
           "standardize_target is for \"task\": \"regression\"");
  EG_CHECK(o.classes.empty() || o.task == TableTask::Classification, ConfigError,
           "classes are for \"task\": \"classification\"");
  EG_CHECK(o.target_mean_std.empty() || (o.target_mean_std.size() == 2 && o.target_mean_std[1] > 0), ConfigError,
           "target_mean_std is {} numbers, expected a mean and a standard deviation above 0", o.target_mean_std.size());
  for (const double std : o.stds) EG_CHECK(std > 0, ConfigError, "found {} in stds, expected more than 0", std);
  for (std::size_t i = 0; i < o.classes.size(); ++i)
    EG_CHECK(std::count(o.classes.begin(), o.classes.end(), o.classes[i]) == 1, ConfigError, "classes names '{}' twice",
             printable(o.classes[i]));
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
  explicit CsvInputs(const CsvOptions& options) : options_(options) {
    check_options(options_);
    EG_CHECK(
        !options_.features.empty() && options_.means.size() == options_.features.size() &&
            options_.stds.size() == options_.features.size() &&
            (options_.task == TableTask::Regression ? options_.target_mean_std.size() == 2 : !options_.classes.empty()),
        ConfigError,
        "the options of the CSV data have no features, classes, means and stds: expected those that a run has left");
    if (options_.missing == Missing::Drop) options_.missing = Missing::Error;  // what is asked about has an answer
  }
  Shape input_shape() const override { return {std::ssize(options_.features)}; }
  std::vector<std::string> class_names() const override {
    return options_.task == TableTask::Regression ? std::vector<std::string>() : options_.classes;
  }
  Inputs read(const std::string& path) const override {
    std::vector<std::int64_t> lines;
    std::vector<float> values = TableReader(path, options_).read_inputs(lines);
    standardize(options_, values);
    const Shape shape{std::ssize(lines), std::ssize(options_.features)};
    return {tensor(values, shape), path, std::move(lines)};
  }
  Tensor restored(const Tensor& outputs) const override {
    if (!options_.standardize_target) return outputs;
    return outputs * options_.target_mean_std[1] + options_.target_mean_std[0];
  }

 private:
  CsvOptions options_;
};

}  // namespace

void describe(config::Fields& f, CsvOptions& o) {
  f("file", o.file, {.help = "a table with a header, in the folder of the data", .required = true});
  f("label", o.label, {.help = "the column to be told from the others", .required = true});
  f.choice<TableTask>("task", o.task,
                      {{"classification", TableTask::Classification}, {"regression", TableTask::Regression}},
                      {.help = "what the label is: the name of a class, or a number"});
  f("test_file", o.test_file, {.help = "another table, which is tested on; empty: a share of the first"});
  f("test_fraction", o.test_fraction, {.help = "that share", .min = 0, .max = 1, .above_min = true, .below_max = true});
  f("seed", o.seed, {.help = "by which it is drawn", .min = 0});
  f("features", o.features, {.help = "the columns of the inputs; none: all but the label and those to ignore"});
  f("ignore", o.ignore, {.help = "columns to leave out"});
  f("separator", o.separator, {.help = "between fields; one character"});
  f("standardize", o.standardize, {.help = "inputs become (x - mean) / std of their column in the training rows"});
  f("standardize_target", o.standardize_target, {.help = "the same for the numbers of a regression"});
  f.choice<Missing>("missing", o.missing, {{"error", Missing::Error}, {"mean", Missing::Mean}, {"drop", Missing::Drop}},
                    {.help = "where a value is missing: refuse the file, take the mean, or leave out the row"});
  f("missing_values", o.missing_values, {.help = "what stands for a missing value"});
  f("classes", o.classes, {.help = "the labels, in the order of their numbers; none: as found"});
  f("means", o.means, {.help = "of the features; none: as found"});
  f("stds", o.stds, {.help = "standard deviations of the features; none: as found", .min = 0, .above_min = true});
  f("target_mean_std", o.target_mean_std, {.help = "of the numbers of a regression; none: as found"});
}

TableDataset::TableDataset(Rows rows, std::vector<std::string> class_names, std::string name)
    : rows_(std::move(rows)), class_names_(std::move(class_names)), name_(std::move(name)) {
  const std::size_t count = class_names_.empty() ? rows_.targets.size() : rows_.labels.size();
  EG_CHECK(rows_.features >= 1 && rows_.values.size() == count * static_cast<std::size_t>(rows_.features), ShapeError,
           "[TableDataset] {} values do not make {} rows of {} features", rows_.values.size(), count, rows_.features);
  for (const std::int32_t label : rows_.labels)
    EG_CHECK(label >= 0 && label < classes(), IndexError, "[TableDataset] label {} is not one of {} classes", label,
             classes());
}

std::int64_t TableDataset::size() const { return std::ssize(rows_.values) / rows_.features; }

Batch TableDataset::get(std::span<const std::int64_t> indices) const {
  const std::int64_t count = std::ssize(indices);
  const bool labels = !class_names_.empty();
  const Batch batch{empty({count, rows_.features}), labels ? empty({count}, kInt64) : empty({count, 1})};
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t index = indices[static_cast<std::size_t>(i)];
    EG_CHECK(index >= 0 && index < size(), IndexError, "[dataset] there is no sample {} of {}", index, size());
    std::copy_n(rows_.values.begin() + index * rows_.features, rows_.features,
                batch.inputs.raw<float>() + i * rows_.features);
    if (labels)
      batch.targets.raw<std::int64_t>()[i] = rows_.labels[static_cast<std::size_t>(index)];
    else
      batch.targets.raw<float>()[i] = rows_.targets[static_cast<std::size_t>(index)];
  }
  return batch;
}

std::string TableDataset::description() const {
  const std::string target = class_names_.empty() ? "a number to tell" : fmt::format("{} classes", class_names_.size());
  return fmt::format("{}: {} rows of {} features, {}", name_, size(), rows_.features, target);
}

Source csv(CsvOptions& o, const std::string& folder) {
  check_options(o);
  const std::string path = path_in(folder, o.file);
  std::int64_t dropped = 0;
  Labels labels(o.classes);
  TableReader reader(path, o);
  complete_features(o, reader.header());
  TableDataset::Rows rows = reader.read(labels, dropped);
  complete_classes(o, labels, rows.labels);
  const std::int64_t count = std::ssize(rows.values) / rows.features;
  const bool own_test = !o.test_file.empty();
  auto [training, tested] = own_test ? std::array{all_rows(count), std::vector<std::int64_t>()} : split_rows(o, count);
  complete_figures(o, rows, training);
  standardize(o, rows);

  Source source;
  const auto whole = std::make_shared<TableDataset>(std::move(rows), o.classes, o.file);
  if (own_test) {
    Labels known(o.classes);
    TableDataset::Rows test = TableReader(path_in(folder, o.test_file), o).read(known, dropped);
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
