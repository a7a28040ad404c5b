#include "eigengrad/train/tensorboard.h"

#include <filesystem>

#include "eigengrad/io/file.h"

namespace eigengrad::train {
namespace {

constexpr std::string_view kValid = "valid_";
constexpr const char *kTrainFolder = "train", *kValidFolder = "valid";

}  // namespace

TensorBoardLog::TensorBoardLog(const std::string& folder, std::optional<std::int64_t> purge_step)
    : folder_(folder), train_(io::file_in(folder, kTrainFolder), purge_step) {
  const std::string valid = io::file_in(folder, kValidFolder);
  std::error_code error;
  if (purge_step && std::filesystem::exists(valid, error)) valid_ = std::make_unique<io::EventFile>(valid, purge_step);
}

TensorBoardLog& TensorBoardLog::watch(const nn::Module& model) {
  model_ = &model;
  return *this;
}

void TensorBoardLog::on_epoch_end(const EpochRecord& record) {
  std::map<std::string, double> train{{"epoch", static_cast<double>(record.epoch)}}, valid;
  for (const auto& [name, value] : record.metrics)
    name.starts_with(kValid) ? valid[name.substr(kValid.size())] = value : train[name] = value;
  train_.add_scalars(train, record.step);
  if (!valid.empty()) {
    if (!valid_) valid_ = std::make_unique<io::EventFile>(io::file_in(folder_, kValidFolder));
    valid_->add_scalars(valid, record.step);
  }
  if (!model_) return;
  for (const auto& [name, parameter] : model_->named_parameters())
    if (is_floating(parameter.dtype())) train_.add_histogram(name, parameter, record.step);
}

}  // namespace eigengrad::train
