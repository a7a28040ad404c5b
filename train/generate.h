// Texts that a trained model makes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "eigengrad/train/predict.h"

namespace eigengrad::train {

/// How a text is made.
struct GenerateOptions {
  std::int64_t length = 500;  ///< characters
  double temperature = 1;     ///< by which the logits are divided: below 1 the text is surer; 0: the likeliest alone
  std::int64_t top_k = 0;     ///< among so many of the likeliest characters one is drawn; 0: among all
  std::uint64_t seed = 0;     ///< of what is drawn: the same gives the same text
};

/// Asks the model of a run, whose data are a text, how a text goes on, character by character:
///
///   const train::TextGenerator generator("runs/gpt");
///   std::cout << generator.generate("ROMEO:\n", {.length = 200, .temperature = 0.8});
///
/// The model sees what it was trained on, as many of the last characters as a sample of the run has, or all while there
/// are fewer.
class TextGenerator {
 public:
  /// Throws as Predictor does, and ConfigError where the run is not one on a text.
  explicit TextGenerator(const std::string& run_folder);

  /// The characters that the run knows.
  const data::Characters& characters() const { return *run_.reader().characters(); }
  /// What follows a prompt, in UTF-8, without it. An empty prompt stands for the beginning of a line, or where the run
  /// has no line breaks, for what follows the first of its characters. `go_on` is told of each character when it is
  /// made, and ends the text by returning false. Throws FormatError for a prompt that is not UTF-8, ConfigError for a
  /// character of it that the run does not know, and where the model takes only texts that are longer, ValueError
  /// unless the length is at least 1, the temperature finite and neither it nor top_k negative.
  std::string generate(const std::string& prompt, const GenerateOptions& options = {},
                       const std::function<bool(const std::string&)>& go_on = {}) const;

 private:
  std::vector<std::int64_t> encode(const std::string& prompt) const;
  Tensor logits_after(const std::vector<std::int64_t>& text) const;

  Predictor run_;
};

}  // namespace eigengrad::train
