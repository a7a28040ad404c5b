// Data sets from a configuration.
#pragma once

#include <string>

#include "eigengrad/config/registry.h"
#include "eigengrad/data/dataset.h"

namespace eigengrad::data {

/// What a run trains and is tested on.
struct Source {
  DatasetPtr train;
  DatasetPtr test;
  std::string note;  ///< something the user should know: that other data took the place of those asked for
};

struct SourceFunctions {
  /// `folder` is where the user's files are; empty when none was named. Throws IoError, FormatError.
  Source (*make)(const void* options, const std::string& folder);
};
using SourceTable = config::Registry<SourceFunctions>;
/// Every data set that a configuration can name.
const SourceTable& sources();

}  // namespace eigengrad::data
