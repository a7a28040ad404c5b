#include "eigengrad/train/generate.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "eigengrad/core/check.h"
#include "eigengrad/core/file.h"
#include "eigengrad/core/random.h"
#include "eigengrad/data/text.h"
#include "eigengrad/ops/arithmetic.h"
#include "eigengrad/ops/math.h"
#include "eigengrad/ops/order.h"
#include "eigengrad/ops/shape.h"
#include "eigengrad/ops/type.h"

namespace eigengrad::train {
namespace {

void check_options(const GenerateOptions& o) {
  EG_CHECK(o.length >= 1, ValueError, "[generate] expected a length of at least 1, found {}", o.length);
  EG_CHECK(std::isfinite(o.temperature) && o.temperature >= 0, ValueError,
           "[generate] expected a finite temperature of at least 0, found {}", o.temperature);
  EG_CHECK(o.top_k >= 0, ValueError, "[generate] expected a top_k of at least 0, found {}", o.top_k);
}

// The number of a character by the logits of all.
std::int64_t draw(const Tensor& logits, const GenerateOptions& o, Generator& random) {
  const std::int64_t classes = logits.size(0);
  const bool likeliest = o.temperature == 0;
  const auto [values, numbers] = topk(logits, likeliest ? 1 : o.top_k == 0 ? classes : std::min(o.top_k, classes));
  if (likeliest) return numbers.item<std::int64_t>();
  // What is divided is at most 0, and 0 for the first: however low the temperature, the weights stay finite.
  const Tensor weights = exp((values - narrow(values, 0, 0, 1)) / o.temperature);
  return select(numbers, 0, multinomial(weights, 1, false, random).item<std::int64_t>()).item<std::int64_t>();
}

}  // namespace

TextGenerator::TextGenerator(const std::string& run_folder) : run_(run_folder) {
  const data::Characters* const characters = run_.reader().characters();
  EG_CHECK(characters, ConfigError,
           "{}: the data of the run are no text that could go on: ask its model about files, by eigengrad predict",
           printable(run_folder));
  EG_CHECK(characters->size() > 0, ConfigError,
           "{}: /data of the run's config.json has no characters: expected those that a run has left; eigengrad train "
           "--resume {} adds them to a run that has none",
           printable(run_folder), printable(run_folder));
}

std::string TextGenerator::generate(const std::string& prompt, const GenerateOptions& options,
                                    const std::function<bool(const std::string&)>& go_on) const {
  check_options(options);
  Generator random(options.seed, "generate");
  std::vector<std::int64_t> all = encode(prompt);
  std::string text;
  for (std::int64_t i = 0; i < options.length; ++i) {
    all.push_back(draw(logits_after(all), options, random));
    const std::string& character = characters()[all.back()];
    text += character;
    if (go_on && !go_on(character)) break;
  }
  return text;
}

std::vector<std::int64_t> TextGenerator::encode(const std::string& prompt) const {
  const std::vector<std::string>& known = characters().all();
  const bool has_lines = std::find(known.begin(), known.end(), "\n") != known.end();
  try {
    return characters().encode(!prompt.empty() ? prompt : has_lines ? "\n" : known[0]).to_vector<std::int64_t>();
  } catch (const ValueError& error) {
    throw ConfigError(fmt::format("the prompt: {} that the run knows", error.what()));
  } catch (const FormatError& error) {
    throw FormatError(fmt::format("the prompt: {}", error.what()));
  }
}

Tensor TextGenerator::logits_after(const std::vector<std::int64_t>& text) const {
  const NoGrad no_grad;
  const std::int64_t window = run_.reader().input_shape()[0], seen = std::min(window, std::ssize(text));
  const std::vector<std::int64_t> last(text.end() - seen, text.end());
  try {
    const Tensor output = run_.model()(tensor(last, {1, seen}));  // [1, classes, seen]
    const Tensor logits = to(contiguous(select(select(output, 0, 0), 1, -1)), kFloat64);
    for (const double logit : logits.data<double>())
      EG_CHECK(std::isfinite(logit), FormatError, "the model of the run gives {}, expected finite numbers", logit);
    return logits;
  } catch (const ShapeError& error) {
    if (seen == window) throw;
    throw ConfigError(fmt::format("the model of the run does not take {} characters, expected a prompt of {}: {}", seen,
                                  window, error.what()));
  }
}

}  // namespace eigengrad::train
