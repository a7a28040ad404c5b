// The rows of a table as they stand in its file: numbers, and the numbers of categories and classes.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eigengrad/data/csv.h"
#include "eigengrad/data/table.h"

namespace eigengrad::data {

/// What stands in rows for a missing value (files cannot have a NaN of their own), and for a category that is not
/// known.
inline constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();
inline constexpr float kUnknownCategory = -1;

/// The first of some names, in quotes.
std::string quoted(const std::vector<std::string>& names);
bool contains(const std::vector<std::string>& list, std::string_view text);

/// Names by number: those that were given, or else in the order in which they turn up.
class Names {
 public:
  explicit Names(const std::vector<std::string>& known = {}) : closed_(!known.empty()) {
    for (const std::string& name : known) add(name);
  }
  /// The number of a name; nothing for one that is not known, where those that are were given.
  std::optional<std::int32_t> number(std::string_view name);
  const std::vector<std::string>& all() const { return names_; }
  /// Puts names that turned up in order, numbers before texts, and returns the new number of each old one.
  std::vector<std::int32_t> sort();

 private:
  std::int32_t add(const std::string& name);

  const bool closed_;
  std::vector<std::string> names_;
  std::map<std::string, std::int32_t, std::less<>> numbers_;
};

/// A column of the inputs.
struct TableColumn {
  enum class Kind { Open, Number, Category };
  std::string name;
  Kind kind = Kind::Open;       ///< open until its first value tells
  bool may_be_numbers = false;  ///< the categories, for somebody has said that they are such
  Names categories{};
};

/// The columns of the inputs, as far as the options tell of them: all of them, once options are completed.
std::vector<TableColumn> columns_of(const CsvOptions& options);

/// Reads one file. Whatever is wrong in it is a FormatError with its line and column.
class TableReader {
 public:
  /// Reads the header.
  TableReader(const std::string& path, const CsvOptions& options);

  const std::vector<std::string>& header() const { return header_; }
  bool has(std::string_view column) const { return contains(header_, column); }
  /// All rows with their labels, and what is found in the columns. Rows that are left out because something is missing
  /// in them are counted.
  TableDataset::Rows read(std::vector<TableColumn>& columns, Names& classes, std::int64_t& dropped);
  /// The values of the columns alone, row after row, and the line of each row.
  std::vector<float> read_inputs(std::vector<TableColumn>& columns, std::vector<std::int64_t>& lines);

 private:
  bool next();
  void find(const std::vector<TableColumn>& columns);
  std::size_t place_of(std::string_view column) const;
  bool is_missing(std::size_t field) const { return contains(options_.missing_values, reader_[field]); }
  bool any_missing(const std::vector<std::size_t>& fields) const;
  std::string named(std::size_t field) const;
  [[noreturn]] void fail_missing(std::size_t field) const;
  [[noreturn]] void fail_missing_label(std::size_t field) const;
  float number(std::size_t field) const;
  float category(TableColumn& column, std::size_t field);
  void read_features(std::vector<TableColumn>& columns, std::vector<float>& values);
  void read_labels(const std::vector<std::size_t>& fields, Names& classes, TableDataset::Rows& rows) const;

  const CsvOptions& options_;
  const std::string path_;
  CsvReader reader_;
  const std::vector<std::string> header_;
  std::vector<std::size_t> fields_;  // of the columns
  std::size_t categories_ = 0;       // of all columns
};

}  // namespace eigengrad::data
