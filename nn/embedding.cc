#include "eigengrad/nn/embedding.h"

#include <cmath>

#include "eigengrad/core/check.h"
#include "eigengrad/nn/infer.h"
#include "eigengrad/nn/init.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad::nn {
namespace {

EmbeddingOptions checked(EmbeddingOptions o) {
  EG_CHECK(o.num_embeddings >= 1 && o.embedding_dim >= 1, ValueError,
           "[Embedding] num_embeddings and embedding_dim must be at least 1, found {} and {}", o.num_embeddings,
           o.embedding_dim);
  if (o.padding_idx) {
    EG_CHECK(*o.padding_idx >= -o.num_embeddings && *o.padding_idx < o.num_embeddings, IndexError,
             "[Embedding] padding_idx {} is out of range for {} rows", *o.padding_idx, o.num_embeddings);
    if (*o.padding_idx < 0) *o.padding_idx += o.num_embeddings;
  }
  EG_CHECK(o.norm_type > 0, ValueError, "[Embedding] norm_type must be above 0, found {}", o.norm_type);
  return o;
}

template <class Options>
const Options& checked_encoding(const char* layer, const Options& o) {
  EG_CHECK(o.d_model >= 1 && o.max_len >= 1, ValueError, "[{}] d_model and max_len must be at least 1, found {} and {}",
           layer, o.d_model, o.max_len);
  EG_CHECK(o.dropout >= 0 && o.dropout <= 1, ValueError, "[{}] the probability must be in [0, 1], found {}", layer,
           o.dropout);
  return o;
}

template <class Options>
void describe_encoding(config::Fields& f, Options& o) {
  f("d_model", o.d_model, {.help = "features; 0 takes them from the layer before", .min = 0, .max = kMaxExtent});
  f("dropout", o.dropout, {.help = "probability of an element of the sum to be zeroed", .min = 0, .max = 1});
  f("max_len", o.max_len,
    {.help = "the longest sequence; 0 takes the length of the data", .min = 0, .max = kMaxExtent});
  f("batch_first", o.batch_first, {.help = "inputs are [N, L, E], not [L, N, E]"});
}

// x plus the rows of a table [max_len, d_model] that belong to its places.
template <class Options>
Tensor with_places(const char* layer, const Options& o, const Tensor& x, const Tensor& table, bool training) {
  const std::int64_t axis = x.dim() == 3 && o.batch_first ? 1 : 0;
  EG_CHECK((x.dim() == 2 || x.dim() == 3) && x.size(-1) == o.d_model, ShapeError, "[{}] expected [{}, {}], found {}",
           layer, o.batch_first ? "N, L" : "L, N", o.d_model, x.shape());
  const std::int64_t length = x.size(axis);
  EG_CHECK(length <= o.max_len, ShapeError, "[{}] the sequence has {} places, expected at most max_len = {}", layer,
           length, o.max_len);
  Tensor places = narrow(table, 0, 0, length);
  if (x.dim() == 3 && !o.batch_first) places = unsqueeze(places, 1);
  return dropout(x + places, o.dropout, training);
}

template <class Options>
Shape inferred(Options& o, const Shape& input) {
  check_batch_first(o.batch_first);
  EG_CHECK(input.size() == 2, ShapeError, "expects sequences [L, E]");
  if (o.max_len == 0) o.max_len = input[0];
  EG_CHECK(input[0] <= o.max_len, ShapeError, "expects at most {} places", o.max_len);
  infer_extent(o.d_model, "d_model", input[1]);
  return input;
}

// Computed in float64, so that late places are as right as early ones.
Tensor sines(std::int64_t places, std::int64_t features) {
  Tensor table = empty({places, features}, kFloat64);
  double* const out = table.raw<double>();
  for (std::int64_t p = 0; p < places; ++p)
    for (std::int64_t k = 0; k < features; ++k) {
      const double rate = std::pow(10000.0, -static_cast<double>(k / 2 * 2) / static_cast<double>(features));
      const double angle = static_cast<double>(p) * rate;
      out[p * features + k] = k % 2 == 0 ? std::sin(angle) : std::cos(angle);
    }
  return table;
}

}  // namespace

void describe(config::Fields& f, EmbeddingOptions& o) {
  f("num_embeddings", o.num_embeddings,
    {.help = "how many numbers there are", .required = true, .min = 1, .max = kMaxExtent});
  f("embedding_dim", o.embedding_dim,
    {.help = "size of the vector of each", .required = true, .min = 1, .max = kMaxExtent});
  f("padding_idx", o.padding_idx, {.help = "a number whose vector is 0 and stays so"});
  f("max_norm", o.max_norm, {.help = "longer vectors are shortened to this norm", .min = 0, .above_min = true});
  f("norm_type", o.norm_type, {.help = "the p of the norm", .min = 0, .above_min = true});
}
void describe(config::Fields& f, PositionalEncodingOptions& o) { describe_encoding(f, o); }
void describe(config::Fields& f, LearnedPositionalEncodingOptions& o) { describe_encoding(f, o); }

Embedding::Embedding(Options options) : Layer(checked(options)) {
  init::normal_(weight);
  const NoGrad no_grad;
  if (options_.padding_idx) {
    Tensor row = select(weight, 0, *options_.padding_idx);
    zero_(row);
  }
}

Tensor Embedding::forward(const Tensor& x) {
  if (options_.max_norm) shorten(x);
  return embedding(x, weight, options_.padding_idx.value_or(-1));
}

// In place, as PyTorch does it.
void Embedding::shorten(const Tensor& rows) {
  const NoGrad no_grad;
  const Tensor found = embedding(rows, weight);  // checks the numbers, too
  for (const std::int64_t row : contiguous(rows).data<std::int64_t>()) {
    Tensor values = select(weight, 0, row);
    const double length = norm(values, options_.norm_type).item();
    if (length > *options_.max_norm) mul_(values, *options_.max_norm / (length + 1e-7));
  }
}

std::string Embedding::extra_repr() const {
  const Options& o = options_;
  std::string text = fmt::format("{}, {}", o.num_embeddings, o.embedding_dim);
  if (o.padding_idx) text += fmt::format(", padding_idx={}", *o.padding_idx);
  if (o.max_norm) text += fmt::format(", max_norm={}", *o.max_norm);
  if (o.norm_type != 2) text += fmt::format(", norm_type={}", o.norm_type);
  return text;
}

Shape Embedding::infer(Options& options, const Shape& input) {
  Shape output = input;
  output.push_back(options.embedding_dim);
  return output;
}

PositionalEncoding::PositionalEncoding(Options options) : SameShape(checked_encoding("PositionalEncoding", options)) {}

Tensor PositionalEncoding::forward(const Tensor& x) {
  EG_CHECK(is_floating(x.dtype()), DtypeError, "[PositionalEncoding] expected a floating input, found {}", x.dtype());
  if (!table_.defined() || table_.dtype() != x.dtype())
    table_ = eigengrad::to(sines(options_.max_len, options_.d_model), x.dtype());
  return with_places("PositionalEncoding", options_, x, table_, is_training());
}

std::string PositionalEncoding::extra_repr() const {
  return fmt::format("d_model={}, dropout={}, max_len={}", options_.d_model, options_.dropout, options_.max_len);
}

Shape PositionalEncoding::infer(Options& options, const Shape& input) { return inferred(options, input); }

LearnedPositionalEncoding::LearnedPositionalEncoding(Options options)
    : SameShape(checked_encoding("LearnedPositionalEncoding", options)) {
  init::normal_(weight, 0, 0.02);
}

Tensor LearnedPositionalEncoding::forward(const Tensor& x) {
  return with_places("LearnedPositionalEncoding", options_, x, weight, is_training());
}

std::string LearnedPositionalEncoding::extra_repr() const {
  return fmt::format("d_model={}, dropout={}, max_len={}", options_.d_model, options_.dropout, options_.max_len);
}

Shape LearnedPositionalEncoding::infer(Options& options, const Shape& input) { return inferred(options, input); }

}  // namespace eigengrad::nn
