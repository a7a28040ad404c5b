// Tensors in files: the safetensors format (https://huggingface.co/docs/safetensors), which PyTorch's tools read and
// write.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "eigengrad/core/tensor.h"
#include "eigengrad/io/file.h"

namespace eigengrad::io {

/// In the order of the file.
using NamedTensors = std::vector<std::pair<std::string, Tensor>>;
/// Keys and values.
using Metadata = std::vector<std::pair<std::string, std::string>>;

/// What a safetensors file has.
struct TensorFile {
  NamedTensors tensors;  ///< in the order of their data
  Metadata metadata;     ///< texts about them
};

/// Writes tensors of any strides, whole or not at all. Throws IoError, and ValueError for a name that is empty, is
/// there twice, or is "__metadata__". Returns what the file is.
Written save_safetensors(const std::string& path, const NamedTensors& tensors, const Metadata& metadata = {});

/// Reads a file of dtypes BOOL, I64, F32 and F64. Everything is checked before it is used: the header's length, its
/// JSON, names, dtypes, shapes, and that the tensors fill the file exactly, without holes or overlaps. Throws
/// FormatError naming the file and the tensor, IoError.
TensorFile load_safetensors(const std::string& path);

}  // namespace eigengrad::io
