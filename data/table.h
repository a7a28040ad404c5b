// Data sets from tables: numbers in columns, and a class or a number to be told from them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "eigengrad/config/fields.h"
#include "eigengrad/data/build.h"
#include "eigengrad/data/dataset.h"

namespace eigengrad::data {

/// Whether the column is a class or a number.
enum class TableTask { Classification, Regression };
/// What is done about a row in which something is missing: refuse it, take the mean of the column, leave it out.
enum class Missing { Error, Mean, Drop };
enum class Encoding { OneHot, Ordinal };
enum class Unknown { Error, Ignore };

/// The categories of columns, in the order of their numbers.
using ColumnCategories = std::vector<std::pair<std::string, std::vector<std::string>>>;

/// A CSV file with a header.
struct CsvOptions {
  std::string file{};                ///< below the folder of the data
  std::vector<std::string> label{};  ///< the column to be told from the others; for a regression there may be several
  TableTask task = TableTask::Classification;  ///< whether the label is a class or a number
  std::string test_file{};                     ///< what is tested on; empty: a share of the file
  double test_fraction = 0.2;                  ///< that share
  std::int64_t seed = 0;                       ///< by which it is drawn
  std::vector<std::string> features{};         ///< columns of the inputs; empty: all but the label and those to ignore
  std::vector<std::string> ignore{};           ///< columns to leave out
  std::string separator = ",";                 ///< between fields; one character
  std::string decimal = ".";                   ///< before the decimals of numbers: a point or a comma
  std::vector<std::string> categorical{};      ///< columns of categories, besides those that have only texts
  Encoding encoding = Encoding::OneHot;        ///< whether a category becomes an input of its own, or a number
  Unknown unknown = Unknown::Error;            ///< what becomes of a category that the training file does not have
  bool standardize = true;                     ///< numbers become (x - mean) / std of their column
  bool standardize_target = false;             ///< the same for the numbers of a regression
  Missing missing = Missing::Error;            ///< what becomes of a row in which something is missing
  std::vector<std::string> missing_values{"", "NA", "NaN", "nan", "null"};  ///< what stands for a missing value
  // Filled in from the data unless given:
  std::vector<std::string> classes{};  ///< the labels, in the order of their numbers
  ColumnCategories categories{};       ///< of every column that has some
  /// Of the inputs, over the training rows; of a category's input its share and 1.
  std::vector<double> means{}, stds{};
  std::vector<double> target_mean_std{};  ///< of each target in turn
};
void describe(config::Fields& f, CsvOptions& o);

/// How the columns of a row become inputs: a number stays one, the number of a category is spread over as many inputs
/// as there are categories, of which its own is 1 and the others are 0.
struct TableEncoding {
  std::vector<std::int64_t> categories;  ///< of each feature, over which it is spread; 0: a number
  std::vector<float> missing{};          ///< for every input what stands there when the category is missing

  /// How many inputs the columns become.
  std::int64_t width() const;
  /// Writes the inputs of a row. A missing category is NaN, one that is not known is negative: then all are 0.
  void spread(const float* row, float* inputs) const;
};

/// The rows of a table, kept as float32 and standardised: inputs float32 [B, inputs]; targets int64 [B], or float32
/// [B, targets] for a regression. Categories are kept as their numbers, and spread when a batch is made.
class TableDataset : public Dataset {
 public:
  /// The numbers of a table, row by row.
  struct Rows {
    std::int64_t features = 0;         ///< columns
    std::vector<float> values;         ///< [rows, features]
    std::vector<std::int32_t> labels;  ///< [rows], or
    std::vector<float> targets;        ///< [rows, targets_per_row]
    std::int64_t targets_per_row = 1;  ///< of a regression
    TableEncoding encoding{};          ///< of the features; none: they are numbers
  };
  /// Throws ShapeError unless the parts are of as many rows, IndexError for a label that is not one of the classes.
  TableDataset(Rows rows, std::vector<std::string> class_names, std::string name);
  std::int64_t size() const override;
  Batch get(std::span<const std::int64_t> indices) const override;
  Shape input_shape() const override { return {rows_.encoding.width()}; }
  Shape target_shape() const override { return class_names_.empty() ? Shape{rows_.targets_per_row} : Shape(); }
  std::int64_t classes() const override { return static_cast<std::int64_t>(class_names_.size()); }
  std::vector<std::string> class_names() const override { return class_names_; }
  std::string description() const override;
  std::optional<std::uint64_t> fingerprint() const override;

 private:
  Rows rows_;
  std::vector<std::string> class_names_;
  std::string name_;
};

/// The training and the test rows of a table; completes the options: features, classes and categories (numbers in their
/// order, or else texts in theirs), and the means and standard deviations of the training rows (1 where a column has
/// only one value). A column of texts alone has categories; one of both texts and numbers has to be named in
/// `categorical`. A class of the test rows that the training file does not have is an error, and so is a category
/// unless the options say otherwise. Throws IoError; FormatError, with line and column, for what is wrong in the file;
/// ConfigError for options that do not fit it.
Source csv(CsvOptions& options, const std::string& folder);

/// Reads other tables with the same features, in any order; other columns, and the label, may be there or not. Missing
/// values become the mean where that was the policy, and are errors otherwise. Throws ConfigError for options that have
/// not been completed.
InputReaderPtr csv_inputs(const CsvOptions& options);

}  // namespace eigengrad::data
