// Training as TensorBoard shows it.
#pragma once

#include <string>

#include "eigengrad/io/tensorboard.h"
#include "eigengrad/train/trainer.h"

namespace eigengrad::train {

/// Writes the metrics of every epoch, by step, as curves of two runs that TensorBoard draws over each other: train and
/// valid, folders below the one that is given. On wish also how the weights are spread. Throws IoError.
class TensorBoardLog : public Callback {
 public:
  /// Writes to a folder, which it makes. With a `purge_step`, TensorBoard forgets what earlier logs in the folder have
  /// of that step and later ones.
  explicit TensorBoardLog(const std::string& folder, std::optional<std::int64_t> purge_step = std::nullopt);
  /// Has the parameters of a model, which must live as long, follow as histograms.
  TensorBoardLog& watch(const nn::Module& model);
  void on_epoch_end(const EpochRecord& record) override;

 private:
  const std::string folder_;
  io::EventFile train_;
  std::unique_ptr<io::EventFile> valid_;  // once there is something in it, or something to forget
  const nn::Module* model_ = nullptr;
};

}  // namespace eigengrad::train
