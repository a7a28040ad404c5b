// What a run takes, before it begins: the layers of its model and the memory that training needs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "eigengrad/config/value.h"
#include "eigengrad/nn/summary.h"

namespace eigengrad::train {

struct Run;

/// The bytes that this process may still take: what the system has to give (MemAvailable), or the control groups of the
/// process leave it (memory.max), whichever is less. The folders are those of the kernel, but for tests.
std::int64_t available_memory(const std::string& proc = "/proc", const std::string& cgroups = "/sys/fs/cgroup");

/// The bytes of this process that are in memory.
std::int64_t resident_memory();

/// The most memory that a run takes at a time, in bytes, by what takes it.
struct MemoryEstimate {
  double program = 0;      ///< code and libraries
  double data = 0;         ///< the data sets
  double parameters = 0;   ///< and buffers
  double gradients = 0;    ///< of the parameters
  double optimizer = 0;    ///< what it remembers of them
  double average = 0;      ///< a moving average of the weights
  double activations = 0;  ///< what a step makes and keeps for the gradients, working memory and batches
  double best = 0;         ///< a copy of the best weights
  double saving = 0;       ///< checkpoints and the file of the model, as they are written
  double report = 0;       ///< the answers that it shows, and the step whose time it tells, on a copy of the model
  bool measured = true;    ///< by steps of the run's own batch size, else from smaller ones

  /// The sum of the parts.
  double total() const {
    return program + data + parameters + gradients + optimizer + average + activations + best + saving + report;
  }
};

/// Predicts what training will take. A copy of the model takes some steps, and is evaluated, while every block of
/// memory is noted; from them follows what the allocator will hold. `precise`: steps of the run's own batches, where
/// there is room for them; else of a quarter and a half, from which the whole follows along a line. The run is left as
/// it was. Throws MemoryError where not even few samples have room.
MemoryEstimate estimate_memory(const Run& run, bool precise = true);

/// The bytes that a run may take in all: its "memory_limit", or else what it has now and what is available.
double memory_limit(std::optional<double> gibibytes);

/// What is to be said of a model of so many elements when its parameters and their gradients alone are more than that.
std::optional<std::string> too_large_model(double elements, std::optional<double> gibibytes);

/// Throws ConfigError, with the parts of the estimate, when a run would take more memory than it may.
void check_memory(const Run& run);

/// What `eigengrad inspect` tells.
struct Inspection {
  nn::Summary model;      ///< its layers
  MemoryEstimate memory;  ///< what training takes
  double limit = 0;       ///< bytes that the run may take
};

/// Looks at a run that a configuration describes. Throws as build_run.
Inspection inspect_run(const config::Value& config, const std::string& source, const std::string& folder);

/// A line for each part.
std::string to_string(const MemoryEstimate& estimate);
/// Layers and memory, as the command prints them.
std::string to_string(const Inspection& inspection);
/// The same as an object.
config::Value to_json(const Inspection& inspection);

}  // namespace eigengrad::train
