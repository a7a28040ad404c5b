#include "eigengrad/train/checkpoint.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "eigengrad/config/reader.h"
#include "eigengrad/core/check.h"
#include "eigengrad/core/file.h"
#include "eigengrad/io/file.h"
#include "eigengrad/io/safetensors.h"
#include "eigengrad/train/report.h"
#include "eigengrad/train/seal.h"

namespace eigengrad::train {
namespace {

namespace fs = std::filesystem;
using config::Value;
using io::file_in;

constexpr std::int64_t kFormat = 1;
constexpr const char* kModelFile = "model.safetensors";
constexpr const char* kStateFile = "state.safetensors";
constexpr const char* kBestFile = "best.safetensors";
constexpr const char* kNotesFile = "checkpoint.json";
constexpr const char* kBestWeights = "best.weights.";
constexpr std::size_t kMostNotes = std::size_t{1} << 20;

// Names sort as the checkpoints were written.
std::string name_of_checkpoint(std::int64_t epoch, std::int64_t step) {
  return fmt::format("epoch-{:05}-step-{:09}", epoch, step);
}

// The checkpoints of a folder, the newest first, whole or not.
std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    if (entry->path().filename().string().starts_with("epoch-")) names.push_back(entry->path().filename().string());
  EG_CHECK(!error || error == std::errc::no_such_file_or_directory, IoError, "cannot read {}: {}", printable(folder),
           error.message());
  std::sort(names.rbegin(), names.rend());
  return names;
}

void remove(const std::string& folder) {
  std::error_code error;
  fs::remove_all(folder, error);
  EG_CHECK(!error, IoError, "cannot remove {}: {}", printable(folder), error.message());
}

// The text of the notes ends in a checksum of all that stands before it.
std::string sealed(const Value& notes) {
  const std::string text = config::to_json(notes) + "\n";
  return text + io::checksum(text) + "\n";
}

Value unsealed(const std::string& path) {
  const std::string text = io::read_file(path, kMostNotes);
  const std::size_t end = text.size() < 2 ? std::string::npos : text.rfind('\n', text.size() - 2);
  EG_CHECK(end != std::string::npos && text.substr(end + 1) == io::checksum(text.substr(0, end + 1)) + "\n",
           FormatError, "{} is damaged: its checksum does not fit", printable(path));
  return config::parse_json(text.substr(0, end), path);
}

Value write_notes(const CheckpointNotes& notes, Value files) {
  Value value = Value::object();
  value.set("format", kFormat);
  value.set("epoch", notes.epoch);
  value.set("step", notes.step);
  value.set("data", notes.data);
  if (notes.stopped_by) {
    value.set("stopped_by", notes.stopped_by->kind);
    value.set("reason", notes.stopped_by->text);
  }
  value.set("files", std::move(files));
  return value;
}

// What the notes of a checkpoint must have: they were written by us, or are refused.
template <class T>
T get(const Value& value, const char* key, const T* (Value::*as)() const) {
  const Value* found = value.find(key);
  const T* result = found ? (found->*as)() : nullptr;
  EG_CHECK(result, FormatError, "its notes have no '{}'", key);
  return *result;
}

// Throws FormatError or IoError unless every file of a checkpoint is as it was written.
CheckpointNotes check(const std::string& folder) {
  const Value value = unsealed(file_in(folder, kNotesFile));
  const std::int64_t format = get(value, "format", &Value::as_integer);
  EG_CHECK(format == kFormat, FormatError, "its format is {}, expected {}", format, kFormat);
  const Value* files = value.find("files");
  EG_CHECK(files && files->as_object() && files->find(kModelFile) && files->find(kStateFile), FormatError,
           "its notes have no files");
  for (const auto& [file, seal] : *files->as_object()) {
    const bool known = file == kModelFile || file == kStateFile || file == kBestFile;
    EG_CHECK(known, FormatError, "its notes name an unknown file '{}'", printable(file));
    EG_CHECK(seal_of_file(file_in(folder, file)) == seal, FormatError, "{} is damaged: its checksum does not fit",
             file);
  }
  CheckpointNotes notes{get(value, "epoch", &Value::as_integer),
                        get(value, "step", &Value::as_integer),
                        {},
                        get(value, "data", &Value::as_string)};
  if (value.find("stopped_by"))
    notes.stopped_by = StopReason{get(value, "stopped_by", &Value::as_string), get(value, "reason", &Value::as_string)};
  return notes;
}

// Training that was asked to stop goes on when it is resumed; training that came to its end does not.
bool goes_on(const StopReason& reason) { return reason.kind == kSignal || reason.kind == kStopFile; }

}  // namespace

void describe(config::Fields& f, CheckpointOptions& o) {
  f("every_epochs", o.every_epochs, {.help = "epochs after which one is written; 0: not after epochs", .min = 0});
  f("every_steps", o.every_steps, {.help = "steps after which one is written; 0: not after steps", .min = 0});
  f("keep", o.keep, {.help = "how many are kept, the newest of them", .min = 1, .max = 1'000'000});
}

void CheckpointFolder::write(const nn::Module& model, const Trainer& trainer, const std::string& data,
                             std::int64_t keep) {
  CheckpointNotes notes{trainer.state().epoch, trainer.state().step, {}, data};
  if (trainer.stopped_by() && !goes_on(*trainer.stopped_by())) notes.stopped_by = trainer.stopped_by();
  const std::string name = name_of_checkpoint(notes.epoch, notes.step), folder = file_in(path_, name),
                    temporary = folder + ".tmp";
  const auto& best = trainer.best();
  Value best_seal;
  try {
    std::error_code error;
    io::make_folders(path_);
    remove(temporary);
    EG_CHECK(fs::create_directory(temporary, error), IoError, "cannot make {}: {}", printable(temporary),
             error.message());
    Value files = Value::object();
    const auto add = [&](const char* file, const io::NamedTensors& tensors) {
      files.set(file, seal_of(io::save_safetensors(file_in(temporary, file), tensors, {{"format", "eigengrad"}})));
    };
    add(kModelFile, model.state_dict());
    io::NamedTensors state = trainer.state_dict();
    std::erase_if(state, [](const auto& entry) { return entry.first.starts_with(kBestWeights); });
    add(kStateFile, state);
    if (best) {
      // Weights that an earlier checkpoint has are the same file.
      if (best->step == best_step_) fs::create_hard_link(best_file_, file_in(temporary, kBestFile), error);
      if (best->step == best_step_ && !error)
        files.set(kBestFile, best_seal_);
      else
        add(kBestFile, best->weights);
    }
    if (best) best_seal = *files.find(kBestFile);
    io::write_file(file_in(temporary, kNotesFile), sealed(write_notes(notes, std::move(files))));
    remove(folder);
    io::publish_folder(temporary, folder);
  } catch (const IoError& error) {
    std::error_code ignored;
    fs::remove_all(temporary, ignored);
    const std::vector<std::string> there = names_in(path_);
    throw IoError(fmt::format("the checkpoint of step {} was not written: {}{}", notes.step, error.what(),
                              there.empty() ? "" : fmt::format("; the last one is {}", file_in(path_, there.front()))));
  }
  if (best) {
    best_step_ = best->step;
    best_file_ = file_in(folder, kBestFile);
    best_seal_ = std::move(best_seal);
  }
  const std::vector<std::string> names = names_in(path_);
  for (std::size_t i = static_cast<std::size_t>(keep); i < names.size(); ++i) remove(file_in(path_, names[i]));
}

std::optional<CheckpointNotes> CheckpointFolder::load_newest(nn::Module& model, Trainer& trainer) {
  io::remove_temporaries(path_);
  for (const std::string& name : names_in(path_)) {
    const std::string folder = file_in(path_, name);
    CheckpointNotes notes;
    try {
      notes = check(folder);
    } catch (const Error& error) {
      log_warning(fmt::format("the checkpoint {} cannot be used: {}", folder, error.what()));
      remove(folder);
      continue;
    }
    const auto read = [&](const char* file) { return io::load_safetensors(file_in(folder, file)).tensors; };
    optim::StateDict state = read(kStateFile);
    if (fs::exists(file_in(folder, kBestFile)))
      for (auto& [weight, value] : read(kBestFile)) state.emplace_back(kBestWeights + weight, value);
    trainer.load_state_dict(state);
    model.load_state_dict(read(kModelFile));
    return notes;
  }
  return std::nullopt;
}

Checkpoints::Checkpoints(const nn::Module& model, const Trainer& trainer, CheckpointFolder folder,
                         CheckpointOptions options, std::string data)
    : model_(model), trainer_(trainer), folder_(std::move(folder)), options_(options), data_(std::move(data)) {
  config::check_options("Checkpoints", options_);
}

void Checkpoints::on_step_end(const TrainState& state) {
  write_if(options_.every_steps > 0 && state.step % options_.every_steps == 0);
}

void Checkpoints::on_epoch_end(const EpochRecord& record) {
  write_if(options_.every_epochs > 0 && record.epoch % options_.every_epochs == 0);
}

void Checkpoints::write_if(bool due) {
  if (due || trainer_.stopped_by()) folder_.write(model_, trainer_, data_, options_.keep);
}

}  // namespace eigengrad::train
