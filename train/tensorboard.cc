#include "eigengrad/train/tensorboard.h"

#include <filesystem>

namespace eigengrad::train {
namespace {

constexpr std::string_view kValid = "valid_";

std::string below(const std::string& folder, const char* name) {
  return (std::filesystem::path(folder) / name).string();
}

}  // namespace

TensorBoardLog::TensorBoardLog(const std::string& folder) : folder_(folder), train_(below(folder, "train")) {}

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
    if (!valid_) valid_ = std::make_unique<io::EventFile>(below(folder_, "valid"));
    valid_->add_scalars(valid, record.step);
  }
  if (!model_) return;
  for (const auto& [name, parameter] : model_->named_parameters())
    if (is_floating(parameter.dtype())) train_.add_histogram(name, parameter, record.step);
}

}  // namespace eigengrad::train
