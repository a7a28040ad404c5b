#include "eigengrad/data/loader.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "eigengrad/core/check.h"
#include "eigengrad/core/random.h"

namespace eigengrad::data {
namespace {

// Batches that were used. The thread that made them gives their memory back, so that it gets it again for the next:
// elsewhere it would be kept and never used.
class Spent {
 public:
  void add(Tensor tensor) {
    const std::lock_guard lock(mutex_);
    tensors_.push_back(std::move(tensor));
  }
  void clear() {
    std::vector<Tensor> spent;
    const std::lock_guard lock(mutex_);
    spent.swap(tensors_);
  }

 private:
  std::mutex mutex_;
  std::vector<Tensor> tensors_;
};

// The same elements; when nobody needs them any more, the tensor is spent.
Tensor lent(Tensor tensor, const std::shared_ptr<Spent>& spent) {
  if (!tensor.defined() || !tensor.is_contiguous()) return tensor;
  void* const data = tensor.raw<void>();
  const Shape shape = tensor.shape();
  const Dtype dtype = tensor.dtype();
  auto owner = std::shared_ptr<Tensor>(new Tensor(std::move(tensor)), [spent](Tensor* used) {
    spent->add(std::move(*used));
    delete used;
  });
  return Tensor::from_blob(data, shape, dtype, std::move(owner));
}

}  // namespace

class Epoch::State {
 public:
  State(DatasetPtr dataset, const DataLoaderOptions& options, std::vector<std::int64_t> order, std::int64_t epoch,
        std::int64_t first, std::int64_t count)
      : dataset_(std::move(dataset)),
        options_(options),
        order_(std::move(order)),
        epoch_(epoch),
        to_make_(first),
        to_take_(first),
        count_(count) {
    if (options_.prefetch > 0 && first < count) worker_ = std::thread([this] { work(); });
  }
  ~State() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    room_.notify_all();
    if (worker_.joinable()) worker_.join();
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  std::optional<Batch> next() {
    if (to_take_ >= count_) return std::nullopt;
    if (!worker_.joinable()) return make_here();
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [this] { return !batches_.empty() || error_; });
    if (batches_.empty()) {
      to_take_ = count_;
      std::rethrow_exception(error_);
    }
    Batch batch = std::move(batches_.front());
    batches_.pop_front();
    ++to_take_;
    lock.unlock();
    room_.notify_one();
    return Batch{lent(std::move(batch.inputs), spent_), lent(std::move(batch.targets), spent_)};
  }

 private:
  Batch make(std::int64_t number) const {
    const auto size = static_cast<std::size_t>(options_.batch_size), start = static_cast<std::size_t>(number) * size;
    const std::span<const std::int64_t> samples =
        std::span(order_).subspan(start, std::min(size, order_.size() - start));
    return options_.augment ? dataset_->get_augmented(samples, epoch_) : dataset_->get(samples);
  }
  Batch make_here() {
    const std::int64_t number = std::exchange(to_take_, count_);  // an exception ends the epoch
    Batch batch = make(number);
    to_take_ = number + 1;
    return batch;
  }
  // What it made is given back by the thread itself, at the end as well.
  void work() {
    make_batches();
    std::unique_lock lock(mutex_);
    room_.wait(lock, [this] { return stop_; });
    batches_.clear();
    spent_->clear();
  }
  void make_batches() {
    try {
      while (to_make_ < count_) {
        spent_->clear();
        Batch batch = make(to_make_++);
        std::unique_lock lock(mutex_);
        room_.wait(lock, [this] { return stop_ || std::ssize(batches_) < options_.prefetch; });
        if (stop_) return;
        batches_.push_back(std::move(batch));
        lock.unlock();
        ready_.notify_one();
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      error_ = std::current_exception();
      ready_.notify_one();
    }
  }

  const DatasetPtr dataset_;
  const DataLoaderOptions options_;
  const std::vector<std::int64_t> order_;
  const std::int64_t epoch_;
  std::int64_t to_make_;  // of the worker alone
  std::int64_t to_take_;  // of the consumer alone
  const std::int64_t count_;
  const std::shared_ptr<Spent> spent_ = std::make_shared<Spent>();
  std::mutex mutex_;  // guards what follows
  std::condition_variable ready_, room_;
  std::deque<Batch> batches_;
  std::exception_ptr error_;
  bool stop_ = false;
  std::thread worker_;
};

Epoch::Epoch(std::unique_ptr<State> state) : state_(std::move(state)) {}
Epoch::Epoch(Epoch&&) noexcept = default;
Epoch::~Epoch() = default;
std::optional<Batch> Epoch::next() { return state_->next(); }

DataLoader::DataLoader(DatasetPtr dataset, DataLoaderOptions options)
    : dataset_(std::move(dataset)), options_(options) {
  EG_CHECK(dataset_, ValueError, "[DataLoader] expected a data set, found null");
  EG_CHECK(options_.batch_size >= 1, ValueError, "[DataLoader] batch_size must be at least 1, found {}",
           options_.batch_size);
  EG_CHECK(options_.prefetch >= 0, ValueError, "[DataLoader] prefetch must not be negative, found {}",
           options_.prefetch);
}

std::int64_t DataLoader::batches() const {
  const std::int64_t rest = options_.drop_last ? 0 : options_.batch_size - 1;
  return (dataset_->size() + rest) / options_.batch_size;
}

Epoch DataLoader::epoch(std::int64_t number, std::int64_t first) const {
  EG_CHECK(number >= 0, ValueError, "[DataLoader] expected an epoch of at least 0, found {}", number);
  EG_CHECK(first >= 0 && first <= batches(), ValueError, "[DataLoader] expected a first batch in [0, {}], found {}",
           batches(), first);
  std::vector<std::int64_t> order;
  if (options_.shuffle) {
    Generator generator(options_.seed, Generator::stream_id("shuffle") + static_cast<std::uint64_t>(number));
    order = randperm(dataset_->size(), generator).to_vector<std::int64_t>();
  } else {
    order = arange(dataset_->size()).to_vector<std::int64_t>();
  }
  return Epoch(std::make_unique<Epoch::State>(dataset_, options_, std::move(order), number, first, batches()));
}

}  // namespace eigengrad::data
