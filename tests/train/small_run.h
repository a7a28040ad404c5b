// A run that is over in no time.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "eigengrad/config/reader.h"

namespace eigengrad::train {

/// Two epochs of a linear model on 300 embedded digits, with some values changed: by their dotted path, to a text in
/// JSON.
inline config::Value small_run(const std::vector<std::pair<std::string, std::string>>& changes = {}) {
  config::Value config = config::parse_json(R"({
    "seed": 7,
    "data": {"type": "Digits", "train": 300, "test": 60},
    "training": {"batch_size": 20, "valid_fraction": 0.2},
    "model": {"type": "Sequential", "layers": ["Flatten", {"type": "Linear", "out_features": 10}]},
    "loss": "CrossEntropyLoss",
    "optimizer": {"type": "Adam", "lr": 0.01},
    "stopping": [{"type": "max_epochs", "epochs": 2}]})");
  for (const auto& [path, text] : changes) config::set_by_path(config, path, text);
  return config;
}

}  // namespace eigengrad::train
