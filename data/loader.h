// DataLoader: the batches of an epoch, prepared ahead by a thread.
#pragma once

#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>

#include "eigengrad/data/dataset.h"

namespace eigengrad::data {

struct DataLoaderOptions {
  std::int64_t batch_size = 64;  ///< samples in a batch
  bool shuffle = false;          ///< a new order every epoch, a function of (seed, epoch) alone
  bool drop_last = false;        ///< leave out a last batch that is smaller than the others
  std::uint64_t seed = 0;        ///< of the order
  bool augment = true;           ///< samples as they are trained on (Dataset::get_augmented); false: as they are
  std::int64_t prefetch = 2;     ///< batches that a thread prepares ahead; 0: none, in the calling thread
};

/// The batches of one epoch, to be gone through once. Ending it early is safe. An exception of the data set comes out
/// where its batch would have, whatever thread it was thrown on; the epoch has then ended.
class Epoch {
 public:
  Epoch(Epoch&&) noexcept;
  ~Epoch();
  /// The next batch, or nothing at the end. What the data set throws comes out here.
  std::optional<Batch> next();

  /// Goes through the batches: for (const Batch& batch : loader.epoch(0)).
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Batch;
    using difference_type = std::ptrdiff_t;
    using pointer = const Batch*;
    using reference = const Batch&;
    /// At the first batch.
    explicit Iterator(Epoch* epoch) : epoch_(epoch) { ++*this; }
    const Batch& operator*() const { return *batch_; }
    Iterator& operator++() {
      batch_ = epoch_->next();
      return *this;
    }
    bool operator==(std::default_sentinel_t) const { return !batch_; }

   private:
    Epoch* epoch_;
    std::optional<Batch> batch_;
  };
  Iterator begin() { return Iterator(this); }
  std::default_sentinel_t end() const { return {}; }

 private:
  friend class DataLoader;
  class State;
  explicit Epoch(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

/// Cuts a data set into batches, in an order of its own for every epoch.
class DataLoader {
 public:
  /// Throws ValueError for a batch size below 1 or a negative prefetch.
  explicit DataLoader(DatasetPtr dataset, DataLoaderOptions options = {});

  /// The batches of an epoch from batch `first` on: the same for the same number, seed and data set, so that training
  /// can go on where it stopped. Throws ValueError for a negative epoch, or a first batch outside [0, batches()].
  ///   for (const Batch& batch : loader.epoch(3)) ...
  Epoch epoch(std::int64_t number, std::int64_t first = 0) const;
  /// Batches in an epoch.
  std::int64_t batches() const;
  /// What it reads.
  const Dataset& dataset() const { return *dataset_; }
  /// As they were given.
  const DataLoaderOptions& options() const { return options_; }

 private:
  DatasetPtr dataset_;
  DataLoaderOptions options_;
};

}  // namespace eigengrad::data
