// What a training run tells: lines and a progress bar on standard error, metrics in a file.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "eigengrad/train/trainer.h"

namespace eigengrad::train {

/// A line per epoch on standard error. How far the epoch has come is shown by a bar on a terminal, and elsewhere told
/// every half a minute.
class ConsoleReport : public Callback {
 public:
  /// `seconds` of training lie behind: it is resumed.
  explicit ConsoleReport(double seconds = 0);
  void on_fit_begin(std::int64_t steps_per_epoch) override;
  void on_step_end(const TrainState& state) override;
  void on_epoch_end(const EpochRecord& record) override;
  void on_fit_end(const FitResult& result) override;

 private:
  void clear_bar();

  const bool terminal_;
  bool bar_shown_ = false;
  std::int64_t steps_per_epoch_ = 1;
  double last_told_, epoch_started_;
};

/// One JSON object per epoch, a line each, on disk as soon as the epoch ends. Throws IoError when the file cannot be
/// written.
class MetricsFile : public Callback {
 public:
  /// Begins with the epochs of `history`.
  explicit MetricsFile(std::string path, const std::vector<EpochRecord>& history = {});
  void on_epoch_end(const EpochRecord& record) override;

 private:
  const std::string path_;
  std::ofstream file_;
};

/// Sends log lines to standard error, and to a file as well when its path is not empty. Levels are spdlog's.
void start_logging(const std::string& file = "");
/// Logs a line.
void log_info(const std::string& text);
void log_warning(const std::string& text);

}  // namespace eigengrad::train
