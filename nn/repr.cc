#include "eigengrad/nn/repr.h"

#include "eigengrad/core/check.h"

namespace eigengrad::nn {

std::string number_text(double value) {
  std::string text = fmt::format("{}", value);
  return text.find_first_of(".en") == std::string::npos ? text + ".0" : text;  // "nan", "inf"
}

std::string pair_text(Pair pair) { return tuple_text({pair.rows, pair.columns}); }

std::string tuple_text(const Dims& dims) {
  std::string text = to_string(dims);
  if (dims.size() == 1) text.insert(text.size() - 1, ",");
  text.front() = '(';
  text.back() = ')';
  return text;
}

}  // namespace eigengrad::nn
