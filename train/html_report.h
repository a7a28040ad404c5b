// report.html: a run on one page that opens without a network, for people.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "eigengrad/config/value.h"
#include "eigengrad/train/analysis.h"
#include "eigengrad/train/run_config.h"
#include "eigengrad/train/trainer.h"

namespace eigengrad::train {

/// What a report tells, beside what stands in the files of the run's folder.
struct ReportMatter {
  std::string data;                        ///< what the data are
  std::string test_data;                   ///< and those that were tested on
  std::string targets{};                   ///< what their numbers mean, where they are not those of the data
  std::vector<std::string> class_names{};  ///< in the order of the labels
  std::int64_t train_samples = 0;          ///< how many
  std::optional<nn::Summary> summary{};    ///< of the model
  std::optional<StepProfile> profile{};    ///< of one training step
  std::optional<Answers> answers{};        ///< of the trained model to the test data
  std::vector<std::string>
      mistake_images{};              ///< a "data:" address for each of answers->mistakes, where they are images
  std::vector<std::string> notes{};  ///< what is missing, and why
  bool at_work = false;              ///< the run is being trained now
};

/// The matter that a run has before it is trained, and with the answers of its model, which takes a pass over the test
/// data and a few steps.
ReportMatter outline_of(const Run& run);
ReportMatter matter_of(Run& run);

/// The page of a run: from config.json, run.json, metrics.jsonl and result.json in its folder, as far as they are
/// there, and the matter. While the run is at work the page loads itself again. Of a run that was killed, the page
/// still says until when it was at work; made again, it says that the run has not ended. Throws IoError and FormatError
/// for files that cannot be read, but for the last line of metrics.jsonl, which may be cut short.
std::string report_page(const std::string& folder, const ReportMatter& matter);

/// Keeps report.html in the folder of a run while it trains: after an epoch, unless that took more than a fiftieth of
/// the time.
class ReportFile : public Callback {
 public:
  /// Of a run that is about to train.
  ReportFile(std::string folder, const Run& run);
  void on_epoch_end(const EpochRecord& record) override;

 private:
  const std::string folder_;
  ReportMatter matter_;
  double next_ = 0;  // seconds of the run
};

/// Writes report.html of a run that has ended. What goes wrong is logged, for the run is worth more than its report.
void write_report(const std::string& folder, Run& run);

/// Makes report.html again from what a run has left in its folder, with as much as the data that are there allow: those
/// of `data_folder`, or of the folder that the run was begun with.
/// Returns its path. Throws IoError when there is no run in the folder, FormatError for files that are not a run's.
std::string remake_report(const std::string& folder, const std::string& data_folder);

}  // namespace eigengrad::train
