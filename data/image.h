// Labelled images.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "eigengrad/data/dataset.h"

namespace eigengrad::data {

/// How levels become numbers: (level / 255 - mean) / std.
struct Normalization {
  double mean = 0;  ///< of the levels in [0, 1]
  double std = 1;   ///< their standard deviation
};

/// Images of one size with their labels, as bytes.
struct Images {
  std::vector<std::uint8_t> pixels;      ///< [count, channels, rows, columns], row-major
  std::vector<std::int64_t> labels;      ///< one for each image
  Shape shape;                           ///< [channels, rows, columns]
  std::vector<std::string> class_names;  ///< in the order of the labels
};

/// Labelled images, kept as bytes; inputs are float32 [B, channels, rows, columns].
class ImageDataset : public Dataset {
 public:
  /// Throws ShapeError when sizes do not agree, IndexError for a label that is not one of the classes, ValueError for
  /// extents below 1 and unless mean and std are finite and std > 0.
  ImageDataset(Images images, Normalization normalization, std::string name);
  std::int64_t size() const override { return static_cast<std::int64_t>(images_.labels.size()); }
  Batch get(std::span<const std::int64_t> indices) const override;
  Shape input_shape() const override { return images_.shape; }
  std::int64_t classes() const override { return static_cast<std::int64_t>(images_.class_names.size()); }
  std::vector<std::string> class_names() const override { return images_.class_names; }
  std::string description() const override;
  std::optional<std::uint64_t> fingerprint() const override;

 private:
  Images images_;
  std::int64_t numbers_;  // in an image
  std::string name_;
  float level_value_[256];  // what each level becomes
};

/// "0", "1", …
std::vector<std::string> numbered_classes(std::int64_t count);

}  // namespace eigengrad::data
