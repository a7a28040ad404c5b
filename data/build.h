// Data sets from a configuration.
#pragma once

#include <string>
#include <vector>

#include "eigengrad/config/registry.h"
#include "eigengrad/data/dataset.h"
#include "eigengrad/data/inputs.h"

namespace eigengrad::data {

/// What a run trains and is tested on.
struct Source {
  DatasetPtr train;  ///< what is trained on
  DatasetPtr test;   ///< what is tested on
  /// Something the user should know beside every figure: that other data took the place of those asked for.
  std::string note{};
  /// What looks like a mistake in the data: told once, when they are read to be trained on.
  std::vector<std::string> warnings{};
  /// What the numbers mean that are to be told, where they are not those of the data; empty: they are.
  std::string target_note{};
};

/// What the samples of a source look like.
struct SampleShape {
  Shape input, target;       ///< without the batch axis
  std::int64_t classes = 0;  ///< 0 where it is not known, or targets are no labels
};

/// What the table knows of a source besides its options.
struct SourceFunctions {
  /// `folder` is where the user's files are; empty when none was named. Completes the options by what was found in the
  /// data and later inputs must be treated by: classes, means, the size of images. Options that are complete are held
  /// to, so that a run's own configuration reads the same data the same way. Throws IoError, FormatError, and
  /// ConfigError for options that do not fit the data.
  Source (*make)(void* options, const std::string& folder);
  /// How other files are read for a model that was trained with completed options.
  InputReaderPtr (*inputs)(const void* options);
  /// What the options alone say of the samples, where they do; null for a source that has to be read.
  SampleShape (*shape)(const void* options) = nullptr;
};
using SourceTable = config::Registry<SourceFunctions>;
/// Every data set that a configuration can name.
const SourceTable& sources();

/// Where a file of the user's is: below the folder, unless its name is absolute or there is no folder.
std::string path_in(const std::string& folder, const std::string& file);

}  // namespace eigengrad::data
