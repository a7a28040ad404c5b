#include "tests/fuzz/checkpoints.h"

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "eigengrad/config/reader.h"
#include "eigengrad/core/error.h"
#include "eigengrad/core/file.h"
#include "eigengrad/core/random.h"
#include "eigengrad/io/file.h"
#include "eigengrad/io/safetensors.h"
#include "eigengrad/nn/container.h"
#include "eigengrad/nn/linear.h"
#include "eigengrad/nn/loss.h"
#include "eigengrad/ops/shape.h"
#include "eigengrad/optim/adam.h"
#include "eigengrad/optim/combined.h"
#include "eigengrad/optim/lbfgs.h"
#include "eigengrad/optim/muon.h"
#include "eigengrad/optim/schedules.h"
#include "eigengrad/optim/sgd.h"
#include "eigengrad/train/checkpoint.h"
#include "tests/temp_folder.h"

namespace eigengrad::fuzz {
namespace {

namespace fs = std::filesystem;
using config::Value;
using optim::StateDict;

constexpr std::size_t kModel = 0, kState = 1, kBest = 2, kNotes = 3, kFiles = 4;
constexpr std::array<const char*, kFiles> kNames{"model.safetensors", "state.safetensors", "best.safetensors",
                                                 "checkpoint.json"};
// The files of a checkpoint; nothing for one that is not there.
using Files = std::array<std::optional<std::string>, kFiles>;

void expect(bool good, const std::string& what) {
  if (!good) throw std::logic_error(what);
}

// What was warned of since this was last asked.
std::string new_warnings() {
  static std::ostringstream log;
  static std::shared_ptr<spdlog::logger> logger;
  if (!logger) {
    logger = std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::ostream_sink_st>(log));
    logger->set_pattern("%v");
    spdlog::set_default_logger(logger);
  }
  std::string text = log.str();
  log.str("");
  return text;
}

// ---- The runs.

// Stops at the number of looks that it is told.
struct StopAfter : train::StopCriterion {
  std::optional<train::StopReason> check(const train::TrainState&) override {
    if (--looks > 0) return std::nullopt;
    return train::StopReason{train::kStopFile, "enough"};  // after which training goes on when it is resumed
  }
  std::int64_t looks = 0;
};

data::DatasetPtr points() {
  return std::make_shared<data::TensorDataset>(tensor({{0.5f, 1.f}, {-1.f, 2.f}, {0.f, -0.5f}, {1.5f, 1.f}}),
                                               tensor<std::int64_t>({0, 1, 1, 0}), 2);
}

// A run that has trained for some steps and written a checkpoint.
class Run {
 public:
  explicit Run(int kind) {
    manual_seed(3);
    model_.push_back(std::make_shared<nn::Linear>(2, 2));
    switch (kind) {
      case 0: make_plain(); break;
      case 1: make_rich(); break;
      case 2: make_lbfgs(); break;
      default: make_combined(); break;
    }
    auto stop = std::make_unique<StopAfter>();
    stop_ = stop.get();
    trainer_->stop_when(std::move(stop));
    stop_->looks = 5;  // two epochs of two steps and a look at their end, but for the last step
    trainer_->fit(train_, &train_);
    folder_.write(model_, *trainer_, "points", 1);
    const fs::path written = fs::directory_iterator(temporary_.path())->path();
    for (std::size_t i = 0; i < kFiles; ++i)
      if (fs::exists(written / kNames[i])) files_[i] = io::read_file((written / kNames[i]).string(), 1 << 20);
    fs::remove_all(written);
    notes_ = config::parse_json(files_[kNotes]->substr(0, files_[kNotes]->rfind('\n', files_[kNotes]->size() - 2)));
    for (const auto& [name, value] : model_.state_dict()) weights_.emplace_back(name, optim::copy_of(value));
    state_ = trainer_->state_dict();
  }

  // What was good when it was written.
  const Files& files() const { return files_; }
  const Value& notes() const { return notes_; }
  const StateDict& weights() const { return weights_; }
  const StateDict& state() const { return state_; }

  // Each throws FormatError when the run refuses what it is given.
  void resume_from(const Files& files) {
    write(files);
    try {
      if (!folder_.load_newest(model_, *trainer_)) throw FormatError(new_warnings());
    } catch (const ValueError& error) {
      throw FormatError(error.what());
    }
    StateDict state = load(kState);
    if (there_[kBest])
      for (auto& [name, value] : load(kBest)) state.emplace_back("best.weights." + name, value);
    go_on(load(kModel), state);
  }
  void resume_from(const StateDict& weights, const StateDict& state) {
    try {
      trainer_->load_state_dict(state);
      model_.load_state_dict(weights);
    } catch (const ValueError& error) {
      throw FormatError(error.what());
    }
    go_on(weights, state);
  }

 private:
  void start() { trainer_.emplace(model_, loss_, *optimizer_); }

  void make_plain() {
    optimizer_ = std::make_unique<optim::SGD>(model_.parameters(), optim::SGDOptions{.lr = 0.1, .momentum = 0.9});
    start();
  }

  void make_rich() {
    optimizer_ = std::make_unique<optim::Adam>(model_.parameters(), optim::AdamOptions{.lr = 0.1, .amsgrad = true});
    start();
    add<optim::CosineAnnealingLR>(optim::Interval::Step, {.T_max = 10});
    add<optim::ReduceLROnPlateau>(optim::Interval::Epoch, {.patience = 0});
    average_.emplace(model_.named_parameters(), optim::EMAOptions{.decay = 0.5, .warmup = true});
    trainer_->average_with(*average_).keep_best();
    trainer_->stop_when<train::NoImprovement>({.patience = 100})
        .stop_when<train::SmallImprovement>({.window = 50})
        .stop_when<train::MaxSeconds>({.seconds = 1e9})
        .stop_when<train::Divergence>({.factor = 1e9});
  }

  void make_lbfgs() {
    optimizer_ = std::make_unique<optim::LBFGS>(model_.parameters(), optim::LBFGSOptions{.lr = 0.1, .max_iter = 2});
    start();
    add<optim::CosineAnnealingWarmRestarts>(optim::Interval::Epoch, {.T_0 = 2, .T_mult = 2});
    trainer_->add_metric<train::F1Score>().add_metric<train::ConfusionMatrix>().add_metric<train::Perplexity>();
  }

  void make_combined() {
    std::vector<std::unique_ptr<optim::Optimizer>> parts;
    const auto parameters = model_.parameters();
    parts.push_back(std::make_unique<optim::Muon>(std::vector{parameters.front()}));
    parts.push_back(std::make_unique<optim::AdamW>(std::vector(parameters.begin() + 1, parameters.end())));
    optimizer_ = std::make_unique<optim::CombinedOptimizer>(std::move(parts));
    start();
    optim::Schedules stages;
    stages.push_back(std::make_shared<optim::LinearLR>(*optimizer_, optim::LinearLROptions{.total_iters = 3}));
    stages.push_back(std::make_shared<optim::ExponentialLR>(*optimizer_, optim::ExponentialLROptions{.gamma = 0.9}));
    schedules_.push_back(
        std::make_unique<optim::SequentialLR>(*optimizer_, std::move(stages), std::vector<std::int64_t>{3}));
    trainer_->add_schedule(*schedules_.back(), optim::Interval::Step);
    std::vector<std::unique_ptr<train::StopCriterion>> all;
    all.push_back(std::make_unique<train::NoImprovement>(train::NoImprovementOptions{.metric = "loss"}));
    all.push_back(std::make_unique<train::MaxSteps>(train::MaxStepsOptions{.steps = 1'000'000'000}));
    trainer_->stop_when(std::make_unique<train::AllOf>(std::move(all)));
  }

  template <class S>
  void add(optim::Interval interval, typename S::Options options) {
    schedules_.push_back(std::make_unique<S>(*optimizer_, std::move(options)));
    trainer_->add_schedule(*schedules_.back(), interval);
  }

  // Writes what is not there already: a checkpoint that is refused may have been removed.
  void write(const Files& files) {
    const fs::path folder = temporary_.file("epoch-1");
    if (fs::create_directory(folder)) there_ = {};
    for (std::size_t i = 0; i < kFiles; ++i) {
      if (files[i] == there_[i]) continue;
      if (files[i])
        std::ofstream(folder / kNames[i], std::ios::binary) << *files[i];
      else
        fs::remove(folder / kNames[i]);
    }
    there_ = files;
  }

  StateDict load(std::size_t file) const {
    return io::load_safetensors(temporary_.file("epoch-1/") + kNames[file]).tensors;
  }

  // What was taken over is what would be written again; then a step of training.
  void go_on(const StateDict& weights, const StateDict& state) {
    expect_same(weights, model_.state_dict());
    expect_same(state, trainer_->state_dict());
    stop_->looks = 1;
    try {
      trainer_->fit(train_, &train_);
    } catch (const Error& error) {  // sums of metrics with other classes, for example
      throw FormatError(error.what());
    }
  }
  static void expect_same(const StateDict& given, const StateDict& taken) {
    expect(taken.size() <= given.size(), "there are more tensors than in the checkpoint");
    const std::map<std::string, Tensor> all(taken.begin(), taken.end());
    for (const auto& [name, value] : given) {
      const auto found = all.find(name);
      const bool there = found != all.end();
      // A metric that was never measured is forgotten, as are sums for a momentum of 0; in an epoch in which a metric
      // was not measured, its value does not count. The rates of a combined optimizer's parts are those of its groups.
      expect(there || name.starts_with("history.me") || name.ends_with(".momentum"), name + " is not there");
      if (there && !name.starts_with("history.metric.") && !name.starts_with("optimizer.optimizer."))
        expect(bytes_of(found->second) == bytes_of(value), name + " is another");
    }
  }
  static std::string bytes_of(const Tensor& x) {
    const Tensor dense = contiguous(x.detach());
    return {dense.raw<const char>(), static_cast<std::size_t>(x.numel()) * size_of(x.dtype())};
  }

  const TempFolder temporary_;
  train::CheckpointFolder folder_{temporary_.path()};
  nn::Sequential model_;
  nn::CrossEntropyLoss loss_;
  std::unique_ptr<optim::Optimizer> optimizer_;
  std::vector<std::unique_ptr<optim::LRScheduler>> schedules_;
  std::optional<optim::EMA> average_;
  std::optional<train::Trainer> trainer_;
  StopAfter* stop_ = nullptr;
  data::DataLoader train_{points(), {.batch_size = 2, .prefetch = 0}};
  Files files_, there_;
  Value notes_;  // those among the files, without their checksum
  StateDict weights_, state_;
};

// ---- The changes.

// One change, of a file or of the tensors in it: a byte for what is done (its four low bits) and to which file (the two
// above), two bytes for the place, a byte for the number of bytes that follow.
struct Change {
  std::size_t what, file, place;
  std::string_view bytes;
};

std::vector<Change> changes_of(std::string_view text) {
  const auto number = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(text[i])); };
  std::vector<Change> changes;
  while (text.size() >= 4) {
    changes.push_back(
        {number(0) % 16, number(0) / 16 % kFiles, number(1) + 256 * number(2), text.substr(4, number(3))});
    text.remove_prefix(4 + changes.back().bytes.size());
  }
  return changes;
}

// What is done to a file.
enum : std::size_t { kReplace, kOverwrite, kInsert, kErase, kCut };

void change_file(std::optional<std::string>& file, const Change& change) {
  if (!file) file.emplace();
  const std::size_t place = change.place % (file->size() + 1);
  switch (change.what % 6) {
    case kReplace: *file = change.bytes; break;
    case kOverwrite: file->replace(place, change.bytes.size(), change.bytes); break;
    case kInsert: file->insert(place, change.bytes); break;
    case kErase: file->erase(place, change.bytes.size()); break;
    case kCut: file->resize(place); break;
    default: file.reset(); break;
  }
}

// What is done to a list of tensors.
enum : std::size_t { kDrop, kRename, kCopy, kOther };

void put_bytes(const Tensor& x, std::string_view bytes) {
  const std::size_t size = std::min(bytes.size(), static_cast<std::size_t>(x.numel()) * size_of(x.dtype()));
  std::memcpy(x.raw<char>(), bytes.data(), size);
}

// A tensor of any dtype and shape: a byte for the dtype and the number of axes, one for each of them, and the elements.
Tensor tensor_of(std::string_view bytes) {
  const auto take = [&] {
    const std::size_t byte = bytes.empty() ? 0 : static_cast<unsigned char>(bytes[0]);
    bytes.remove_prefix(bytes.empty() ? 0 : 1);
    return byte;
  };
  const std::size_t kind = take();
  Shape shape;
  for (std::size_t i = 0; i < kind / 3 % 4; ++i) shape.push_back(static_cast<std::int64_t>(take() % 20));
  const Tensor x = zeros(shape, std::array{kFloat64, kFloat32, kInt64}[kind % 3]);
  put_bytes(x, bytes);
  return x;
}

void change_tensors(StateDict& tensors, const Change& change) {
  if (tensors.empty()) return;
  const auto at = tensors.begin() + static_cast<std::ptrdiff_t>(change.place % tensors.size());
  switch (change.what % 6) {
    case kDrop: tensors.erase(at); break;
    case kRename: at->first = change.bytes; break;
    case kCopy: tensors.emplace_back(change.bytes, Tensor(at->second)); break;
    case kOther: at->second = tensor_of(change.bytes); break;
    default: put_bytes(at->second = optim::copy_of(at->second), change.bytes);
  }
}

// The notes of other files, with the checksums that they have, but without that of the notes.
std::string notes_for(const Files& files, Value notes) {
  Value seals = Value::object();
  for (std::size_t i = 0; i < kNotes; ++i) {
    if (!files[i]) continue;
    Value seal = Value::object();
    seal.set("bytes", static_cast<std::int64_t>(files[i]->size()));
    seal.set("xxh3_128", io::checksum(*files[i]));
    seals.set(kNames[i], std::move(seal));
  }
  notes.set("files", std::move(seals));
  return config::to_json(notes) + "\n";
}

Files changed(const Run& run, const std::vector<Change>& changes, bool keep_checksums) {
  Files files = run.files();
  for (const Change& change : changes)
    if (change.file != kNotes) change_file(files[change.file], change);
  if (!keep_checksums) files[kNotes] = notes_for(files, run.notes());
  for (const Change& change : changes)
    if (change.file == kNotes) change_file(files[kNotes], change);
  if (!keep_checksums && files[kNotes]) *files[kNotes] += io::checksum(*files[kNotes]) + "\n";
  return files;
}

}  // namespace

void read_checkpoint(const std::string& path) {
  new_warnings();  // from here on they come here
  static std::array<std::optional<Run>, 4> runs;
  const std::string text = io::read_file(path, std::size_t{1} << 16);
  const unsigned first = text.empty() ? 0 : static_cast<unsigned char>(text[0]);
  std::optional<Run>& run = runs[first % runs.size()];
  if (!run) run.emplace(static_cast<int>(first % runs.size()));
  const std::vector<Change> changes = changes_of(std::string_view(text).substr(text.empty() ? 0 : 1));
  if (first < 128) {
    StateDict weights = run->weights(), state = run->state();
    for (const Change& change : changes) change_tensors(change.file == kModel ? weights : state, change);
    run->resume_from(weights, state);
  } else {
    run->resume_from(changed(*run, changes, first >= 192));
  }
}

}  // namespace eigengrad::fuzz
