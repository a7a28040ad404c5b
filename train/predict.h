// Using what a run has left in its folder.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "eigengrad/config/value.h"
#include "eigengrad/data/inputs.h"
#include "eigengrad/nn/module.h"

namespace eigengrad::train {

/// The model of a run, with its weights, in evaluation mode. Only config.json and model.safetensors are read, not the
/// data.
///
///   const auto model = train::load_model("runs/digits");
///   const NoGrad no_grad;
///   const Tensor logits = (*model)(images);
///
/// Throws IoError, ConfigError and FormatError when they are not what a run leaves.
std::shared_ptr<nn::Module> load_model(const std::string& run_folder);

/// What the model says of one sample.
struct Prediction {
  std::string name;            ///< where the sample comes from: "7.png", "flowers.csv:12"
  std::vector<double> values;  ///< the probability of each class, or the numbers of a regression
};

/// Asks the model of a run about files. They are read, and standardised or normalised, as the data were that it was
/// trained on: tables by the columns of their header, images by their size.
class Predictor {
 public:
  /// Throws as load_model does, and ConfigError where the output of the model is not one value for each class, for a
  /// text at each place.
  explicit Predictor(const std::string& run_folder);

  /// The names of the classes; empty where the model tells numbers.
  const std::vector<std::string>& class_names() const { return class_names_; }
  /// The samples of a file, in order, or of every PNG image below a folder, sorted. Throws IoError and FormatError;
  /// ConfigError for models of texts, which TextGenerator asks.
  std::vector<Prediction> predict(const std::string& path) const;
  /// Of samples that are made as the run's data are: [N, classes] probabilities, for texts [N, classes, length], or the
  /// numbers of a regression.
  Tensor predict(const Tensor& inputs) const;
  /// The model of the run, in eval mode.
  nn::Module& model() const { return *model_; }
  /// How files are read.
  const data::InputReader& reader() const { return *reader_; }

 private:
  data::InputReaderPtr reader_;
  std::shared_ptr<nn::Module> model_;
  std::vector<std::string> class_names_;
};

/// The predictions of several files as JSON: an array of {"input", "class", "probability", "top": [{"class",
/// "probability"}, ..]} with the `top` likeliest classes, or of {"input", "values"}: an object with a value for
/// each of the targets' names, or an array where they have none.
config::Value to_json(const std::vector<Prediction>& predictions, const std::vector<std::string>& class_names,
                      std::int64_t top, const std::vector<std::string>& target_names = {});
/// The same as a table (RFC 4180): input, class, and a column for each class's probability; or input and each value,
/// under its name, or else "value".
std::string to_csv(const std::vector<Prediction>& predictions, const std::vector<std::string>& class_names,
                   const std::vector<std::string>& target_names = {});
/// The same as lines to read: "7.png  7 (99.8 %), 1 (0.1 %)"; of several values with their names.
std::string to_text(const std::vector<Prediction>& predictions, const std::vector<std::string>& class_names,
                    std::int64_t top, const std::vector<std::string>& target_names = {});

}  // namespace eigengrad::train
