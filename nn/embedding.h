// Embeddings: vectors for numbers and for positions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "eigengrad/nn/layer.h"

namespace eigengrad::nn {

struct EmbeddingOptions {
  std::int64_t num_embeddings = 0;            ///< how many numbers there are
  std::int64_t embedding_dim = 0;             ///< size of the vector of each
  std::optional<std::int64_t> padding_idx{};  ///< a row that is 0 and stays so; negative ones count from the back
  std::optional<double> max_norm{};           ///< rows that are looked up are shortened to this norm
  double norm_type = 2;                       ///< the p of the norm
};
void describe(config::Fields& f, EmbeddingOptions& o);

/// Rows of weight [num_embeddings, embedding_dim] for int64 numbers of any shape: [.., embedding_dim]. The weight
/// begins normal, as in PyTorch. Throws ValueError for extents below 1, IndexError for a padding_idx, and for a number,
/// out of range.
class Embedding : public Layer<EmbeddingOptions> {
 public:
  explicit Embedding(Options options);
  Embedding(std::int64_t num_embeddings, std::int64_t embedding_dim)
      : Embedding(Options{num_embeddings, embedding_dim}) {}
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;
  static Shape infer(Options& options, const Shape& input);

  Tensor& weight = param("weight", empty({options_.num_embeddings, options_.embedding_dim}));

 private:
  void shorten(const Tensor& rows);
};

struct PositionalEncodingOptions {
  std::int64_t d_model = 0;     ///< features; 0 takes them from the layer before
  double dropout = 0.1;         ///< probability of an element of the sum to be zeroed
  std::int64_t max_len = 5000;  ///< the longest sequence; 0 takes the length of the data
  bool batch_first = false;     ///< inputs are [N, L, E], not [L, N, E]
};
void describe(config::Fields& f, PositionalEncodingOptions& o);

/// x [L, N, d_model], or [N, L, d_model] with batch_first, plus sines and cosines of its place (Vaswani et al. 2017,
/// section 3.5): sin(p / 10000^(2i/d)) in column 2i, cos in column 2i + 1; then dropout. Throws ShapeError for other
/// shapes and sequences longer than max_len.
class PositionalEncoding : public SameShape<PositionalEncodingOptions> {
 public:
  explicit PositionalEncoding(Options options);
  explicit PositionalEncoding(std::int64_t d_model) : PositionalEncoding(Options{d_model}) {}
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;
  static Shape infer(Options& options, const Shape& input);

 private:
  Tensor table_;  // [max_len, d_model] in the dtype of the last input, made by the first; follows from the options, so
                  // it is no part of the state
};

struct LearnedPositionalEncodingOptions {
  std::int64_t d_model = 0;  ///< features; 0 takes them from the layer before
  double dropout = 0;        ///< probability of an element of the sum to be zeroed
  std::int64_t max_len = 0;  ///< the longest sequence; 0 takes the length of the data
  bool batch_first = false;  ///< inputs are [N, L, E], not [L, N, E]
};
void describe(config::Fields& f, LearnedPositionalEncodingOptions& o);

/// The same with a vector for each place that is learned: weight [max_len, d_model], which begins normal with standard
/// deviation 0.02 (Radford et al. 2018).
class LearnedPositionalEncoding : public SameShape<LearnedPositionalEncodingOptions> {
 public:
  explicit LearnedPositionalEncoding(Options options);
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;
  static Shape infer(Options& options, const Shape& input);

  Tensor& weight = param("weight", empty({options_.max_len, options_.d_model}));
};

}  // namespace eigengrad::nn
