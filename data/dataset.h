// Data sets: numbered samples that come in batches.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "eigengrad/core/tensor.h"

namespace eigengrad::data {

/// Samples stacked along the first axis: inputs [B, ...], and targets [B, ...] (int64 [B] for class labels).
struct Batch {
  Tensor inputs;   ///< [B, ...]
  Tensor targets;  ///< [B, ...]; labels are int64 [B]
};

/// Samples numbered from 0.
class Dataset {
 public:
  virtual ~Dataset() = default;
  /// The number of samples.
  virtual std::int64_t size() const = 0;
  /// The samples of these numbers. Safe to call from several threads at once. Throws IndexError.
  virtual Batch get(std::span<const std::int64_t> indices) const = 0;
  /// The same as they are trained on in an epoch, changed at random where the data set does so: a function of the
  /// epoch and of each sample's number alone, whatever the order and the threads.
  virtual Batch get_augmented(std::span<const std::int64_t> indices, std::int64_t epoch) const;
  /// The shape of one input, without the batch axis.
  virtual Shape input_shape() const = 0;
  /// The shape of one target: [] for a label.
  virtual Shape target_shape() const { return {}; }
  /// The number of classes where the targets are labels, else 0.
  virtual std::int64_t classes() const { return 0; }
  /// A name for every class: "0", "1", … unless the data set knows better.
  virtual std::vector<std::string> class_names() const;
  /// One line for logs: what it is and how many samples it has.
  virtual std::string description() const = 0;
  /// A number that follows from the contents of all samples, by which other data are told from these; nothing where
  /// the data set does not know it.
  virtual std::optional<std::uint64_t> fingerprint() const { return std::nullopt; }
};

/// Data sets are shared, and not changed.
using DatasetPtr = std::shared_ptr<const Dataset>;

/// Tensors whose first axes number the samples.
class TensorDataset : public Dataset {
 public:
  /// Shares the tensors where they are contiguous. With `classes` > 0 the targets are labels, and are checked. Throws
  /// ShapeError unless both have as many samples, ValueError for negative `classes`, DtypeError for labels that are not
  /// int64, IndexError for a label outside [0, classes).
  TensorDataset(Tensor inputs, Tensor targets, std::int64_t classes = 0);
  std::int64_t size() const override { return inputs_.size(0); }
  Batch get(std::span<const std::int64_t> indices) const override;
  Shape input_shape() const override;
  Shape target_shape() const override;
  std::int64_t classes() const override { return classes_; }
  std::string description() const override;
  std::optional<std::uint64_t> fingerprint() const override;

 private:
  Tensor inputs_, targets_;
  std::int64_t classes_;
};

/// Some samples of another data set, in the given order.
class Subset : public Dataset {
 public:
  /// Throws ValueError for a null data set, IndexError for a number outside it.
  Subset(DatasetPtr whole, std::vector<std::int64_t> indices);
  std::int64_t size() const override { return static_cast<std::int64_t>(indices_.size()); }
  Batch get(std::span<const std::int64_t> indices) const override;
  Batch get_augmented(std::span<const std::int64_t> indices, std::int64_t epoch) const override;
  Shape input_shape() const override { return whole_->input_shape(); }
  Shape target_shape() const override { return whole_->target_shape(); }
  std::int64_t classes() const override { return whole_->classes(); }
  std::vector<std::string> class_names() const override { return whole_->class_names(); }
  std::string description() const override;
  std::optional<std::uint64_t> fingerprint() const override;

 private:
  std::vector<std::int64_t> inner(std::span<const std::int64_t> indices) const;

  DatasetPtr whole_;
  std::vector<std::int64_t> indices_;
};

/// Two parts drawn at random, the second with `fraction` of the samples, rounded: a function of the seed and the size.
/// Throws ValueError unless 0 ≤ fraction < 1, and for a null data set.
std::pair<DatasetPtr, DatasetPtr> random_split(const DatasetPtr& whole, double fraction, std::uint64_t seed);

}  // namespace eigengrad::data
