// Checkpoints: all that a run needs to go on, in a folder of its own each.
//
//   checkpoints/epoch-00003-step-000001266/
//     model.safetensors   the weights
//     state.safetensors   what else the trainer needs: Trainer::state_dict
//     best.safetensors    the weights that were best, where they are kept
//     checkpoint.json     where the run stood, and size and checksum of the files above and of itself
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "eigengrad/config/value.h"
#include "eigengrad/nn/module.h"
#include "eigengrad/train/trainer.h"

namespace eigengrad::train {

struct CheckpointOptions {
  std::int64_t every_epochs = 1;  ///< epochs after which one is written; 0: not after epochs
  std::int64_t every_steps = 0;   ///< steps after which one is written; 0: not after steps
  std::int64_t keep = 2;          ///< how many, the newest of them
};
void describe(config::Fields& f, CheckpointOptions& o);

/// What a checkpoint says besides its tensors.
struct CheckpointNotes {
  std::int64_t epoch = 0, step = 0;  ///< as training stood
  /// Why training had stopped; nothing where it would go on.
  std::optional<StopReason> stopped_by{};
  std::string data{};  ///< what the run is trained on, in words
};

/// The folder in which a run keeps its checkpoints. Each is written under another name, synced and renamed: a crash at
/// any moment leaves those before it as they were.
class CheckpointFolder {
 public:
  /// The folder need not be there.
  explicit CheckpointFolder(std::string path) : path_(std::move(path)) {}

  /// Writes a checkpoint of a trainer between two steps and removes all but the newest `keep`. Throws IoError with the
  /// reason, and what was there is there still.
  void write(const nn::Module& model, const Trainer& trainer, const std::string& data, std::int64_t keep);

  /// Gives model and trainer what the newest checkpoint has that is whole, and says where it stood; nothing when there
  /// is none. Those that are damaged are removed, and told as warnings. Throws ValueError or FormatError when it is of
  /// another model or run, IoError.
  std::optional<CheckpointNotes> load_newest(nn::Module& model, Trainer& trainer);

 private:
  std::string path_;
  // The last file of best weights that was written, what its seal is, and the step that they are of.
  std::string best_file_;
  config::Value best_seal_;
  std::int64_t best_step_ = -1;
};

/// Writes checkpoints as a trainer goes, and one whenever it stops but for a number that is not finite.
///
///   trainer.add_callback(std::make_unique<Checkpoints>(model, trainer, CheckpointFolder("checkpoints")));
class Checkpoints : public Callback {
 public:
  /// `data` says in words what the run is trained on. The options are held to the bounds of their describe():
  /// ValueError.
  Checkpoints(const nn::Module& model, const Trainer& trainer, CheckpointFolder folder, CheckpointOptions options = {},
              std::string data = "");
  void on_step_end(const TrainState& state) override;
  void on_epoch_end(const EpochRecord& record) override;

 private:
  void write_if(bool due);

  const nn::Module& model_;
  const Trainer& trainer_;
  CheckpointFolder folder_;
  const CheckpointOptions options_;
  const std::string data_;
};

}  // namespace eigengrad::train
