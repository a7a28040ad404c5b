// What a table can be read with, and hardly means.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "eigengrad/data/table_reader.h"

namespace eigengrad::data {

/// A table as it was read, before anything is standardised.
struct ReadTable {
  const CsvOptions& options;                ///< completed
  const std::vector<TableColumn>& columns;  ///< of the inputs
  const TableDataset::Rows& rows;           ///< all of the file
  std::span<const std::int64_t> training;   ///< numbers of the rows that are trained on
  std::int64_t dropped = 0;                 ///< rows that were left out
  bool features_are_named = false;          ///< by the user, in "features"
};

/// What looks like a mistake though it can be read, each as a sentence that names the option that mends it: inputs of
/// one value, inputs that tell rows apart, numbers with a decimal comma taken for texts, classes with at most one row
/// to train on, numbers to tell that are far from the size of 1.
std::vector<std::string> table_warnings(const ReadTable& table);

}  // namespace eigengrad::data
