// The IDX format of MNIST (LeCun, Cortes and Burges): two zero bytes, the element type, the number of axes, the extents
// as 32-bit numbers and the elements, row-major; numbers are big-endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "eigengrad/core/tensor.h"
#include "eigengrad/data/image.h"

namespace eigengrad::data {

/// The element types, by their code in the file.
enum class IdxType : std::uint8_t {
  UInt8 = 0x08,
  Int8 = 0x09,
  Int16 = 0x0B,
  Int32 = 0x0C,
  Float32 = 0x0D,
  Float64 = 0x0E,
};
/// "uint8" and so on.
std::string_view to_string(IdxType type);
/// Bytes of one element.
std::size_t size_of(IdxType type);

/// The contents of an IDX file.
struct IdxArray {
  IdxType type = IdxType::UInt8;    ///< of an element
  Shape shape;                      ///< extents, outermost axis first
  std::vector<std::uint8_t> bytes;  ///< the elements, row-major, in this machine's byte order
};

/// More bytes of elements than this are refused, whatever a file promises.
inline constexpr std::uint64_t kMaxIdxBytes = std::uint64_t{1} << 32;

/// Any IDX file, raw or packed by gzip, of up to 8 axes. Throws IoError when it cannot be read; FormatError, naming
/// file, byte offset, what was found and what was expected, unless it is right to its last byte. A file cannot make it
/// take more memory than the file's size allows for.
IdxArray read_idx_array(const std::string& path, std::uint64_t max_bytes = kMaxIdxBytes);

/// The elements as a tensor: integers of every width as int64, floating ones as float32 and float64.
Tensor to_tensor(const IdxArray& array);

/// Bytes from an IDX file.
struct IdxBytes {
  Shape shape;                       ///< extents, outermost axis first
  std::vector<std::uint8_t> values;  ///< row-major
};

/// A file of unsigned bytes with `rank` axes. Throws as read_idx_array does, for another type or rank too.
IdxBytes read_idx(const std::string& path, int rank);

/// Grey images: float32 in [0, 1], shape [count, rows, columns]. Throws as read_idx does.
Tensor read_idx_images(const std::string& path);
/// Class labels: int64, shape [count]. Throws as read_idx does, and FormatError for a label outside [0, classes).
Tensor read_idx_labels(const std::string& path, std::int64_t classes);

/// The digits of MNIST below a folder: train-images-idx3-ubyte and so on, also with a dot for the last dash but one
/// (train-images.idx3-ubyte), also with .gz. Throws IoError when a file is missing, FormatError when images and labels
/// do not belong together.
DatasetPtr mnist(const std::string& folder, bool train, Normalization normalization = {0.1307, 0.3081});
/// Whether the four files are there. Throws IoError when only some of them are.
bool has_mnist(const std::string& folder);

}  // namespace eigengrad::data
