// What a user asks a trained model about.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "eigengrad/core/tensor.h"

namespace eigengrad::data {

class Characters;

/// Samples from a file.
struct Inputs {
  Tensor inputs;                       ///< [N, ...]
  std::string path;                    ///< of the file
  std::vector<std::int64_t> places{};  ///< of each sample: its line or its number; none where the file is one sample
  /// Where a sample comes from: "7.png", "flowers.csv:12".
  std::string name(std::int64_t sample) const {
    return places.empty() ? path : path + ":" + std::to_string(places[static_cast<std::size_t>(sample)]);
  }
};

/// Reads files as the data set was read that a model was trained on, and makes inputs of them in the same way. All it
/// needs is in the resolved options of the data set.
class InputReader {
 public:
  virtual ~InputReader() = default;
  /// The shape of one input, without the batch axis.
  virtual Shape input_shape() const = 0;
  /// The names of the classes; empty where targets are numbers.
  virtual std::vector<std::string> class_names() const { return {}; }
  /// The characters of a text that is told, where inputs are windows of one; null elsewhere.
  virtual const Characters* characters() const { return nullptr; }
  /// What the numbers are called that outputs stand for, where targets are numbers that have names.
  virtual std::vector<std::string> target_names() const { return {}; }
  /// The files that a path stands for: itself, or where it is a folder and inputs are images, all PNG images below it,
  /// sorted. Throws IoError.
  virtual std::vector<std::string> files(const std::string& path) const { return {path}; }
  /// The samples of a file. Throws IoError and FormatError, and ConfigError where the kind of data cannot be read
  /// alone.
  virtual Inputs read(const std::string& path) const = 0;
  /// The numbers that outputs stand for, where the targets were standardised.
  virtual Tensor restored(const Tensor& outputs) const { return outputs; }
};

/// Readers are shared, and not changed.
using InputReaderPtr = std::shared_ptr<const InputReader>;

}  // namespace eigengrad::data
