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

/// What the samples of a source look like.
struct SampleShape {
  Shape input, target;       ///< without the batch axis
  std::int64_t classes = 0;  ///< 0 where it is not known, or targets are no labels
};

struct SourceFunctions {
  /// `folder` is where the user's files are; empty when none was named. Throws IoError, FormatError.
  Source (*make)(const void* options, const std::string& folder);
  /// What the options alone say of the samples, where they do; null for a source that has to be read.
  SampleShape (*shape)(const void* options) = nullptr;
};
using SourceTable = config::Registry<SourceFunctions>;
/// Every data set that a configuration can name.
const SourceTable& sources();

}  // namespace eigengrad::data
