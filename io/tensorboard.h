// Event files that TensorBoard reads: records of TensorFlow's TFRecord format, each a protocol buffer tensorflow.Event.
#pragma once

#include <cstdint>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "eigengrad/core/tensor.h"

namespace eigengrad::io {

/// The checksum CRC-32C (Castagnoli; RFC 3720, B.4).
std::uint32_t crc32c(std::string_view bytes);

/// Writes an event file of its own into a folder, which it makes; TensorBoard shows all files of a folder as one run.
/// What is added is on disk when the function returns. Every function throws IoError.
class EventFile {
 public:
  /// Makes the folder, and a file in it. With a `purge_step`, TensorBoard forgets what older files of the folder have
  /// of that step and later ones: for training that was interrupted and goes on from an earlier step.
  explicit EventFile(const std::string& folder, std::optional<std::int64_t> purge_step = std::nullopt);

  /// One point on each of the curves that have these names. Values are kept as float32.
  void add_scalars(const std::map<std::string, double>& values, std::int64_t step);
  /// How the elements of a floating tensor are spread, in 50 buckets of equal width; those that are not finite are left
  /// out. Throws DtypeError.
  void add_histogram(const std::string& name, const Tensor& values, std::int64_t step);

  /// Of the file.
  const std::string& path() const { return path_; }

 private:
  void write_event(std::string_view body, std::int64_t step);

  std::string path_;
  std::ofstream file_;
};

}  // namespace eigengrad::io
