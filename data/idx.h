// The IDX format of MNIST (LeCun, Cortes and Burges): big-endian extents, then unsigned bytes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "eigengrad/core/dims.h"
#include "eigengrad/data/dataset.h"

namespace eigengrad::data {

struct IdxBytes {
  Shape shape;
  std::vector<std::uint8_t> values;  ///< row-major
};

/// A file of unsigned bytes with `rank` axes, raw or packed by gzip. Throws IoError, and FormatError naming the file and what
/// is wrong with it: the magic number, the element type, the number of axes, or a size that is not what the extents say.
IdxBytes read_idx(const std::string& path, int rank);

/// The digits of MNIST below a folder: train-images-idx3-ubyte and so on, with or without .gz. Throws IoError when a file is
/// missing, FormatError when images and labels do not belong together.
DatasetPtr mnist(const std::string& folder, bool train, Normalization normalization = {0.1307, 0.3081});
/// Whether the four files are there.
bool has_mnist(const std::string& folder);

}  // namespace eigengrad::data
