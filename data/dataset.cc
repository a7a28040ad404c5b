#include "eigengrad/data/dataset.h"

#include <cmath>
#include <cstring>

#include "eigengrad/core/check.h"
#include "eigengrad/core/parallel.h"
#include "eigengrad/core/random.h"
#include "eigengrad/data/fingerprint.h"
#include "eigengrad/ops/shape.h"

namespace eigengrad::data {
namespace {

constexpr std::int64_t kBytesPerThread = 1 << 20;

void check_index(std::int64_t index, std::int64_t size) {
  EG_CHECK(index >= 0 && index < size, IndexError, "[dataset] there is no sample {} of {}", index, size);
}

// A shape without its first axis.
Shape sample_shape(const Tensor& x) {
  Shape shape = x.shape();
  shape.erase(0);
  return shape;
}

void check_labels(const Tensor& labels, std::int64_t classes) {
  EG_CHECK(labels.dtype() == kInt64, DtypeError, "[TensorDataset] expected labels of type int64, found {}",
           labels.dtype());
  const std::span<const std::int64_t> values = labels.data<std::int64_t>();
  for (std::size_t i = 0; i < values.size(); ++i)
    EG_CHECK(values[i] >= 0 && values[i] < classes, IndexError,
             "[TensorDataset] label {} at {} is not one of {} classes", values[i], i, classes);
}

std::uint64_t fingerprint_of_tensor(const Tensor& x, std::uint64_t seed) {
  const auto bytes = static_cast<std::size_t>(x.numel()) * size_of(x.dtype());
  return fingerprint_of_bytes({x.raw<const std::byte>(), bytes}, seed);
}

// Rows of a contiguous tensor.
Tensor gather_rows(const Tensor& x, std::span<const std::int64_t> indices) {
  Shape shape = x.shape();
  shape[0] = static_cast<std::int64_t>(indices.size());
  const Tensor result = empty(shape, x.dtype());
  const std::int64_t bytes = x.size(0) == 0 ? 0 : x.numel() / x.size(0) * static_cast<std::int64_t>(size_of(x.dtype()));
  for (const std::int64_t index : indices) check_index(index, x.size(0));
  parallel_evenly(shape[0], std::max<std::int64_t>(1, kBytesPerThread / std::max<std::int64_t>(1, bytes)),
                  [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t i = begin; i < end; ++i)
                      std::memcpy(result.raw<std::byte>() + i * bytes,
                                  x.raw<const std::byte>() + indices[static_cast<std::size_t>(i)] * bytes,
                                  static_cast<std::size_t>(bytes));
                  });
  return result;
}

}  // namespace

Batch Dataset::get_augmented(std::span<const std::int64_t> indices, std::int64_t) const { return get(indices); }

std::vector<std::string> Dataset::class_names() const {
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < classes(); ++i) names.push_back(std::to_string(i));
  return names;
}

TensorDataset::TensorDataset(Tensor inputs, Tensor targets, std::int64_t classes)
    : inputs_(contiguous(inputs.detach())), targets_(contiguous(targets.detach())), classes_(classes) {
  EG_CHECK(inputs_.dim() > 0 && targets_.dim() > 0 && inputs_.size(0) == targets_.size(0), ShapeError,
           "[TensorDataset] inputs of shape {} and targets of shape {} differ in the number of samples",
           inputs_.shape(), targets_.shape());
  EG_CHECK(classes >= 0, ValueError, "[TensorDataset] expected at least 0 classes, found {}", classes);
  if (classes > 0) check_labels(targets_, classes);
}

Batch TensorDataset::get(std::span<const std::int64_t> indices) const {
  return {gather_rows(inputs_, indices), gather_rows(targets_, indices)};
}

Shape TensorDataset::input_shape() const { return sample_shape(inputs_); }
Shape TensorDataset::target_shape() const { return sample_shape(targets_); }

std::string TensorDataset::description() const { return fmt::format("{} samples of shape {}", size(), input_shape()); }

std::optional<std::uint64_t> TensorDataset::fingerprint() const {
  return fingerprint_of_tensor(targets_, fingerprint_of_tensor(inputs_, 0));
}

Subset::Subset(DatasetPtr whole, std::vector<std::int64_t> indices)
    : whole_(std::move(whole)), indices_(std::move(indices)) {
  EG_CHECK(whole_, ValueError, "[Subset] expected a data set, found null");
  for (const std::int64_t index : indices_) check_index(index, whole_->size());
}

Batch Subset::get(std::span<const std::int64_t> indices) const { return whole_->get(inner(indices)); }

Batch Subset::get_augmented(std::span<const std::int64_t> indices, std::int64_t epoch) const {
  return whole_->get_augmented(inner(indices), epoch);
}

// The numbers that samples have in the whole.
std::vector<std::int64_t> Subset::inner(std::span<const std::int64_t> indices) const {
  std::vector<std::int64_t> inner;
  inner.reserve(indices.size());
  for (const std::int64_t index : indices) {
    check_index(index, size());
    inner.push_back(indices_[static_cast<std::size_t>(index)]);
  }
  return inner;
}

std::string Subset::description() const { return fmt::format("{} of {}", size(), whole_->description()); }

std::optional<std::uint64_t> Subset::fingerprint() const {
  const std::optional<std::uint64_t> whole = whole_->fingerprint();
  return whole ? std::optional(fingerprint_of(indices_, *whole)) : std::nullopt;
}

std::pair<DatasetPtr, DatasetPtr> random_split(const DatasetPtr& whole, double fraction, std::uint64_t seed) {
  EG_CHECK(whole, ValueError, "[random_split] expected a data set, found null");
  EG_CHECK(fraction >= 0 && fraction < 1, ValueError, "[random_split] the fraction must be in [0, 1), found {}",
           fraction);
  Generator generator(seed, "split");
  const std::vector<std::int64_t> order = randperm(whole->size(), generator).to_vector<std::int64_t>();
  const auto second = static_cast<std::ptrdiff_t>(std::llround(fraction * static_cast<double>(order.size())));
  std::vector<std::int64_t> held_out(order.begin(), order.begin() + second), kept(order.begin() + second, order.end());
  return {std::make_shared<Subset>(whole, std::move(kept)), std::make_shared<Subset>(whole, std::move(held_out))};
}

}  // namespace eigengrad::data
