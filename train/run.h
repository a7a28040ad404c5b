// Whole runs: what the eigengrad command does, for programs.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "eigengrad/config/value.h"
#include "eigengrad/train/run_config.h"
#include "eigengrad/train/trainer.h"

namespace eigengrad::train {

/// Where a run finds its data and leaves its results.
struct RunPlaces {
  std::string data_folder;  ///< where MNIST is; empty: nowhere
  std::string out_folder;   ///< made by the run; it must not hold another run
  bool resume = false;      ///< go on with the run in that folder instead, from its newest checkpoint
  bool go_on = false;       ///< when resumed, train on even if it had come to its end
  bool profile = false;     ///< write where the time went to profile.txt, and as profile.json in Chrome's trace format
};

/// What a run came to, in the order in which it is printed.
struct RunReport {
  config::Value figures;  ///< test_accuracy, test_loss, stopped_by, epochs, steps, seconds, data, run, machine
  bool failed = false;    ///< it stopped because a number was not finite
  int signal = 0;         ///< the signal that stopped it; it can be resumed then
};

/// Trains by a configuration, evaluates on the test set, and leaves in the folder: config.json (as resolved),
/// run.json (where the data are, and the machine), metrics.jsonl, log.txt, checkpoints, model.safetensors, result.json,
/// report.html. SIGINT, SIGTERM, SIGHUP and a file named STOP in the folder end training after the step that runs; a
/// run that a signal ended has a checkpoint, but no model.safetensors and no result.json. A resumed run gives the same
/// bits as one that was never stopped. `source` names the configuration in messages. Throws ConfigError, FormatError
/// and IoError for bad input, and IoError when another process is at work in the folder.
RunReport run_training(const config::Value& config, const std::string& source, const RunPlaces& places);

/// Evaluates the model that a run has left in its folder on the test set: that of `data_folder`, or else of the folder
/// that the run was begun with. Throws as above.
RunReport run_evaluation(const std::string& run_folder, const std::string& data_folder);

/// Writes the model that a run has left in its folder as an ONNX file; `opset` is the version of ONNX's operators.
/// `data_folder`, or else the one that the run was begun with, is looked into only where the options of the data do not
/// say what the inputs are. Throws as above, and
/// ValueError for a layer that ONNX cannot express.
void export_onnx(const std::string& run_folder, const std::string& data_folder, const std::string& file,
                 std::int64_t opset = 17);

/// Draws the graph of one step of a run over `samples` samples: forward, cost, backward, with values and gradients.
/// Writes `dot_file`, and the same as .svg when Graphviz is there; returns the files written. A `dot_file` that ends
/// with .svg names the second: the first is then beside it, with .dot.
std::vector<std::string> draw_graph(const config::Value& config, const std::string& source,
                                    const std::string& data_folder, const std::string& dot_file,
                                    std::int64_t samples = 2);

}  // namespace eigengrad::train
