#include "eigengrad/data/image.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "eigengrad/core/check.h"
#include "eigengrad/core/parallel.h"
#include "eigengrad/data/fingerprint.h"

namespace eigengrad::data {
namespace {

constexpr std::int64_t kNumbersPerThread = 1 << 18;

}  // namespace

ImageDataset::ImageDataset(Images images, Normalization normalization, std::string name)
    : images_(std::move(images)), name_(std::move(name)) {
  const Shape& shape = images_.shape;
  EG_CHECK(shape.rank() == 3 && std::all_of(shape.begin(), shape.end(), [](std::int64_t n) { return n >= 1; }),
           ValueError, "[{}] expected images [channels, rows, columns] of at least 1x1x1, found {}", name_, shape);
  numbers_ = checked_numel(shape);
  const std::vector<std::int64_t>& labels = images_.labels;
  EG_CHECK(images_.pixels.size() == labels.size() * static_cast<std::size_t>(numbers_), ShapeError,
           "[{}] {} levels do not make {} images of shape {}", name_, images_.pixels.size(), labels.size(), shape);
  for (std::size_t i = 0; i < labels.size(); ++i)
    EG_CHECK(labels[i] >= 0 && labels[i] < classes(), IndexError, "[{}] label {} of sample {} is not one of {} classes",
             name_, labels[i], i, classes());
  EG_CHECK(std::isfinite(normalization.mean) && std::isfinite(normalization.std) && normalization.std > 0, ValueError,
           "[{}] expected a finite mean and a standard deviation above 0, found {} and {}", name_, normalization.mean,
           normalization.std);
  for (int level = 0; level < 256; ++level)
    level_value_[level] = static_cast<float>((level / 255.0 - normalization.mean) / normalization.std);
}

Batch ImageDataset::get(std::span<const std::int64_t> indices) const {
  Shape shape = images_.shape;
  shape.insert(0, std::ssize(indices));
  const Batch batch{empty(shape), empty({std::ssize(indices)}, kInt64)};
  for (const std::int64_t index : indices)
    EG_CHECK(index >= 0 && index < size(), IndexError, "[dataset] there is no sample {} of {}", index, size());
  parallel_evenly(std::ssize(indices), std::max<std::int64_t>(1, kNumbersPerThread / numbers_),
                  [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t i = begin; i < end; ++i) {
                      const std::int64_t index = indices[static_cast<std::size_t>(i)];
                      const std::uint8_t* levels = images_.pixels.data() + index * numbers_;
                      float* out = batch.inputs.raw<float>() + i * numbers_;
                      for (std::int64_t p = 0; p < numbers_; ++p) out[p] = level_value_[levels[p]];
                      batch.targets.raw<std::int64_t>()[i] = images_.labels[static_cast<std::size_t>(index)];
                    }
                  });
  return batch;
}

std::string ImageDataset::description() const {
  const Shape& shape = images_.shape;
  const char* const colour = shape[0] == 1 ? "" : shape[0] == 3 ? "coloured " : "";
  return fmt::format("{}: {} {}images of {}x{}, {} classes", name_, size(), colour, shape[1], shape[2], classes());
}

std::optional<std::uint64_t> ImageDataset::fingerprint() const {
  return fingerprint_of(images_.labels, fingerprint_of(images_.pixels));
}

std::vector<std::string> numbered_classes(std::int64_t count) {
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < count; ++i) names.push_back(std::to_string(i));
  return names;
}

}  // namespace eigengrad::data
