// What a run leaves in its folder, as far as it is there.
#pragma once

#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eigengrad/config/value.h"
#include "eigengrad/data/dataset.h"
#include "eigengrad/io/plot.h"
#include "eigengrad/io/safetensors.h"

namespace eigengrad::train {

/// A number of an object, of either kind; nothing where there is none.
std::optional<double> number_at(const config::Value& object, std::string_view key);
/// A text of an object; empty where there is none.
std::string text_at(const config::Value& object, std::string_view key);
/// The object in a JSON file; null when there is no such file. Throws IoError, FormatError, ConfigError.
config::Value read_object(const std::string& path);

/// Throws IoError unless there is a run in the folder.
void check_run_folder(const std::string& folder);
/// Writes run.json: where the data of a run are, what tells those that it is trained on from others, and on what
/// machine it runs. Throws IoError.
void write_run_facts(const std::string& run_folder, const std::string& data_folder, const data::Dataset& train);
/// How data differ from those that a run was trained on, by its run.json; empty where they do not, or it does not say.
/// Throws as read_object.
std::string other_data(const std::string& run_folder, const data::Dataset& train);
/// The folder of the data: the one that is given, or else the one that the run was begun with, if any. Throws as
/// read_object.
std::string data_folder_of(const std::string& run_folder, const std::string& given);
/// The weights that a run has ended with; a warning where it has gone on since. Throws IoError, telling how it goes on,
/// where it has not ended, and FormatError.
io::NamedTensors load_weights(const std::string& run_folder);

/// What stands in the folder of a run.
struct RunFiles {
  std::string name;                     ///< of the folder
  config::Value config, facts, result;  ///< config.json, run.json; result.json: null unless the run has ended
  std::vector<config::Value> epochs;    ///< the lines of metrics.jsonl that have an epoch
  std::time_t last_written = 0;         ///< when training last left something in the folder

  /// Throws IoError when there is no run in the folder, and as read_object. A last line of metrics.jsonl that was cut
  /// short is left out.
  explicit RunFiles(const std::string& folder);

  /// Whether the run has come to its end.
  bool ended() const { return !result.is_null(); }
  /// "epoch 3 of 10", as far as training has come; the second number where the configuration gives it.
  std::string progress() const;
  /// The metrics that were measured, without "valid_": the loss first, learning rate and gradient norm last.
  std::vector<std::string> metrics() const;
  /// Whether a metric was measured.
  bool has(const std::string& metric) const;
  /// A metric over the epochs, NaN where it is missing; of very many epochs some.
  io::Series series(const std::string& metric, const std::string& title) const;
  /// Where a metric was best.
  struct Best {
    double epoch, value;  ///< from 1, and the metric then
  };
  /// Where a metric was best; nothing when it never was finite.
  std::optional<Best> best(const std::string& metric) const;
};

}  // namespace eigengrad::train
