// Data sets from tables: numbers in columns, and a class or a number to be told from them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "eigengrad/config/fields.h"
#include "eigengrad/data/build.h"
#include "eigengrad/data/dataset.h"

namespace eigengrad::data {

/// Whether the column is a class or a number.
enum class TableTask { Classification, Regression };
/// What is done about a row in which something is missing: refuse it, take the mean of the column, leave it out.
enum class Missing { Error, Mean, Drop };

/// A CSV file with a header.
struct CsvOptions {
  std::string file{};                          ///< below the folder of the data
  std::string label{};                         ///< the column to be told from the others
  TableTask task = TableTask::Classification;  ///< whether the label is a class or a number
  std::string test_file{};                     ///< what is tested on; empty: a share of the file
  double test_fraction = 0.2;                  ///< that share
  std::int64_t seed = 0;                       ///< by which it is drawn
  std::vector<std::string> features{};         ///< columns of the inputs; empty: all but the label and those to ignore
  std::vector<std::string> ignore{};           ///< columns to leave out
  std::string separator = ",";                 ///< between fields; one character
  bool standardize = true;                     ///< inputs become (x - mean) / std of their column
  bool standardize_target = false;             ///< the same for the numbers of a regression
  Missing missing = Missing::Error;            ///< what becomes of a row in which something is missing
  std::vector<std::string> missing_values{"", "NA", "NaN", "nan", "null"};  ///< what stands for a missing value
  // Filled in from the data unless given:
  std::vector<std::string> classes{};     ///< the labels, in the order of their numbers
  std::vector<double> means{}, stds{};    ///< of the features, over the training rows
  std::vector<double> target_mean_std{};  ///< of the numbers of a regression
};
void describe(config::Fields& f, CsvOptions& o);

/// The rows of a table, kept as float32 and standardised: inputs float32 [B, features]; targets int64 [B], or float32
/// [B, 1] for a regression.
class TableDataset : public Dataset {
 public:
  /// The numbers of a table, row by row.
  struct Rows {
    std::int64_t features = 0;         ///< columns
    std::vector<float> values;         ///< [rows, features]
    std::vector<std::int32_t> labels;  ///< [rows], or
    std::vector<float> targets;        ///< [rows]
  };
  /// Throws ShapeError unless the parts are of as many rows, IndexError for a label that is not one of the classes.
  TableDataset(Rows rows, std::vector<std::string> class_names, std::string name);
  std::int64_t size() const override;
  Batch get(std::span<const std::int64_t> indices) const override;
  Shape input_shape() const override { return {rows_.features}; }
  Shape target_shape() const override { return class_names_.empty() ? Shape{1} : Shape(); }
  std::int64_t classes() const override { return static_cast<std::int64_t>(class_names_.size()); }
  std::vector<std::string> class_names() const override { return class_names_; }
  std::string description() const override;

 private:
  Rows rows_;
  std::vector<std::string> class_names_;
  std::string name_;
};

/// The training and the test rows of a table; completes the options: features, classes (numbers in their order, or else
/// texts in theirs), and the means and standard deviations of the training rows (1 where a column has only one value).
/// A class of the test rows that the training file does not have is an error. Throws IoError; FormatError, with line
/// and column, for what is wrong in the file; ConfigError for options that do not fit it.
Source csv(CsvOptions& options, const std::string& folder);

/// Reads other tables with the same features, in any order; other columns, and the label, may be there or not. Missing
/// values become the mean where that was the policy, and are errors otherwise. Throws ConfigError for options that have
/// not been completed.
InputReaderPtr csv_inputs(const CsvOptions& options);

}  // namespace eigengrad::data
