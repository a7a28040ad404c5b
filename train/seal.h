// Seals of files: by which they are known to be as they were written.
#pragma once

#include <string>

#include "eigengrad/config/value.h"
#include "eigengrad/io/file.h"

namespace eigengrad::train {

/// Size and checksum of what was written: {"bytes", "xxh3_128"}.
config::Value seal_of(const io::Written& written);
/// The same of a file that is there. Throws IoError.
config::Value seal_of_file(const std::string& file);

}  // namespace eigengrad::train
