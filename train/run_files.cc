#include "eigengrad/train/run_files.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <set>

#include "eigengrad/config/reader.h"
#include "eigengrad/core/check.h"
#include "eigengrad/core/file.h"
#include "eigengrad/io/file.h"
#include "eigengrad/train/machine.h"
#include "eigengrad/train/report.h"
#include "eigengrad/train/seal.h"
#include "eigengrad/train/stopping.h"

namespace eigengrad::train {

namespace fs = std::filesystem;
using config::Value;
using io::file_in;

namespace {

constexpr std::size_t kLargestFile = std::size_t{256} << 20;
constexpr std::size_t kMostPoints = 1000;  // of a curve

std::string name_of(const std::string& folder) {
  const fs::path path = fs::absolute(folder).lexically_normal();
  return path.has_filename() ? path.filename().string() : path.parent_path().filename().string();
}

// One object for each epoch.
std::vector<Value> read_epochs(const std::string& path) {
  std::vector<Value> epochs;
  std::error_code error;
  if (!fs::exists(path, error)) return epochs;
  const std::string text = io::read_file(path, kLargestFile);
  for (std::size_t begin = 0, line = 1; begin < text.size(); ++line) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) break;  // cut short: the run was killed while it wrote
    const std::string one = text.substr(begin, end - begin);
    begin = end + 1;
    if (one.empty()) continue;
    Value epoch = config::parse_json(one, fmt::format("{} line {}", path, line));
    if (number_at(epoch, "epoch")) epochs.push_back(std::move(epoch));
  }
  return epochs;
}

// In hexadecimal; empty where it is not known.
std::string fingerprint_text(const data::Dataset& dataset) {
  const std::optional<std::uint64_t> fingerprint = dataset.fingerprint();
  return fingerprint ? fmt::format("{:016x}", *fingerprint) : "";
}

std::time_t last_written_in(const std::string& folder) {
  std::time_t last = 0;
  for (const char* file : {"config.json", "log.txt", "metrics.jsonl", "checkpoints"}) {
    std::error_code error;
    const fs::file_time_type time = fs::last_write_time(file_in(folder, file), error);
    if (error) continue;
    const auto since = std::chrono::file_clock::to_sys(time).time_since_epoch();
    last = std::max<std::time_t>(last, std::chrono::duration_cast<std::chrono::seconds>(since).count());
  }
  return last;
}

}  // namespace

std::optional<double> number_at(const Value& object, std::string_view key) {
  const Value* const value = object.find(key);
  if (!value) return std::nullopt;
  if (const double* number = value->as_double()) return *number;
  if (const std::int64_t* number = value->as_integer()) return static_cast<double>(*number);
  return std::nullopt;
}

std::string text_at(const Value& object, std::string_view key) {
  const Value* const value = object.find(key);
  const std::string* const text = value ? value->as_string() : nullptr;
  return text ? *text : "";
}

Value read_object(const std::string& path) {
  std::error_code error;
  if (!fs::exists(path, error)) return Value();
  Value value = config::parse_json(io::read_file(path, kLargestFile), path);
  EG_CHECK(value.as_object(), FormatError, "{}: found {}, expected an object", path, value.description());
  return value;
}

void check_run_folder(const std::string& folder) {
  std::error_code error;
  EG_CHECK(fs::is_regular_file(file_in(folder, "config.json"), error), IoError, "there is no run in {}: no config.json",
           printable(folder));
}

void write_run_facts(const std::string& run_folder, const std::string& data_folder, const data::Dataset& train) {
  Value facts = Value::object();
  facts.set("data_folder", data_folder.empty() ? "" : fs::absolute(data_folder).string());
  facts.set("train_data", train.description());
  if (const std::string fingerprint = fingerprint_text(train); !fingerprint.empty())
    facts.set("train_fingerprint", fingerprint);
  facts.set("machine", machine_facts());
  io::write_file(file_in(run_folder, "run.json"), config::to_json(facts) + "\n");
}

std::string other_data(const std::string& run_folder, const data::Dataset& train) {
  const Value facts = read_object(file_in(run_folder, "run.json"));
  const std::string was = text_at(facts, "train_fingerprint"), is = fingerprint_text(train);
  if (was.empty() || is.empty() || was == is) return "";
  const std::string before = text_at(facts, "train_data"), now = train.description();
  return before == now ? now + ", with other contents" : fmt::format("{}, and not {}", now, before);
}

std::string data_folder_of(const std::string& run_folder, const std::string& given) {
  const std::string file = file_in(run_folder, "run.json");
  if (!given.empty()) return given;
  const Value facts = read_object(file);
  if (facts.is_null()) return "";
  const Value* folder = facts.find("data_folder");
  EG_CHECK(folder && folder->as_string(), FormatError, "{}: expected a data_folder", printable(file));
  return *folder->as_string();
}

io::NamedTensors load_weights(const std::string& run_folder) {
  const std::string file = file_in(run_folder, "model.safetensors");
  const auto is_there = [&](const char* name) {
    std::error_code error;
    return fs::exists(file_in(run_folder, name), error);
  };
  const bool is_run = is_there("run.json");
  if (is_run && !is_there("model.safetensors"))
    throw IoError(fmt::format("there is no {}, for the run {}", printable(file),
                              io::is_locked(run_folder)
                                  ? "is still at work"
                                  : "has not ended: go on with eigengrad train --resume " + printable(run_folder)));
  if (is_run && !is_there("result.json"))
    log_warning(
        fmt::format("{} has gone on, or was not tested: these are the weights with which its training last ended",
                    printable(run_folder)));
  io::NamedTensors tensors = io::load_safetensors(file).tensors;
  const Value result = read_object(file_in(run_folder, "result.json"));
  if (const Value* const seal = result.find("weights"); seal && !(*seal == seal_of_file(file)))
    log_warning(fmt::format("{} is not as the run has left it: it was changed, or is damaged", printable(file)));
  return tensors;
}

RunFiles::RunFiles(const std::string& folder)
    : name(name_of(folder)),
      config(read_object(file_in(folder, "config.json"))),
      facts(read_object(file_in(folder, "run.json"))),
      result(read_object(file_in(folder, "result.json"))),
      epochs(read_epochs(file_in(folder, "metrics.jsonl"))),
      last_written(last_written_in(folder)) {
  EG_CHECK(!config.is_null(), IoError, "there is no run in {}: config.json is missing", folder);
}

std::string RunFiles::progress() const {
  std::optional<double> most;
  const Value* const stopping = config.find("stopping");
  if (stopping && stopping->as_array())
    for (const Value& criterion : *stopping->as_array())
      if (const auto limit = number_at(criterion, "epochs"); limit && text_at(criterion, "type") == MaxEpochs::kName)
        most = std::min(most.value_or(*limit), *limit);
  const double done = epochs.empty() ? 0 : *number_at(epochs.back(), "epoch");
  return fmt::format("epoch {:.0f}", done) + (most ? fmt::format(" of {:.0f}", *most) : "");
}

std::vector<std::string> RunFiles::metrics() const {
  std::set<std::string> all;
  for (const Value& epoch : epochs)
    for (const auto& [key, value] : *epoch.as_object())
      if (value.as_double() || value.as_integer() || value.is_null())
        all.insert(key.starts_with("valid_") ? key.substr(6) : key);
  for (const char* other : {"epoch", "step", "seconds"}) all.erase(other);
  std::vector<std::string> ordered;
  const auto take = [&](const std::string& metric) {
    if (all.erase(metric) > 0) ordered.push_back(metric);
  };
  take("loss");
  std::vector<std::string> last;
  for (const char* metric : {"lr", "grad_norm"})
    if (all.erase(metric) > 0) last.emplace_back(metric);
  ordered.insert(ordered.end(), all.begin(), all.end());
  ordered.insert(ordered.end(), last.begin(), last.end());
  return ordered;
}

bool RunFiles::has(const std::string& metric) const {
  return std::any_of(epochs.begin(), epochs.end(), [&](const Value& e) { return number_at(e, metric).has_value(); });
}

io::Series RunFiles::series(const std::string& metric, const std::string& title) const {
  io::Series series{.name = title, .x = {}, .y = {}};
  const std::size_t stride = (epochs.size() + kMostPoints - 1) / kMostPoints;
  for (std::size_t i = 0; i < epochs.size(); ++i) {
    if (i % stride != 0 && i + 1 != epochs.size()) continue;
    series.x.push_back(*number_at(epochs[i], "epoch"));
    series.y.push_back(number_at(epochs[i], metric).value_or(std::nan("")));
  }
  return series;
}

std::optional<RunFiles::Best> RunFiles::best(const std::string& metric) const {
  const bool larger = larger_is_better(Mode::Auto, metric);
  std::optional<Best> best;
  for (const Value& epoch : epochs)
    if (const auto value = number_at(epoch, metric); value && std::isfinite(*value))
      if (!best || is_better(*value, best->value, larger)) best = {*number_at(epoch, "epoch"), *value};
  return best;
}

}  // namespace eigengrad::train
