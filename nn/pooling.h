// Pooling as layers: the largest, or the mean, of windows of images [N, C, H, W] or sequences [N, C, L]. The batch axis
// may be left out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "eigengrad/nn/layer.h"
#include "eigengrad/ops/pooling.h"

namespace eigengrad::nn {

struct MaxPool2dOptions {
  Pair kernel_size = 0;          ///< extent of the window
  std::optional<Pair> stride{};  ///< the kernel size unless given
  Pair padding = 0;              ///< margin on both sides, at most half of the window
  Pair dilation = 1;             ///< distance between the elements of a window
  bool ceil_mode = false;        ///< also windows that reach past the end
};
void describe(config::Fields& f, MaxPool2dOptions& o);

struct MaxPool1dOptions {
  std::int64_t kernel_size = 0;          ///< extent of the window
  std::optional<std::int64_t> stride{};  ///< by how much the window moves; null: by its extent
  std::int64_t padding = 0;              ///< margin on both sides, at most half of the window
  std::int64_t dilation = 1;             ///< distance between the elements of a window
  bool ceil_mode = false;                ///< also windows that reach past the end
};
void describe(config::Fields& f, MaxPool1dOptions& o);

struct AvgPool2dOptions {
  Pair kernel_size = 0;                            ///< extent of the window
  std::optional<Pair> stride{};                    ///< by how much the window moves; null: by its extent
  Pair padding = 0;                                ///< margin on both sides, at most half of the window
  bool ceil_mode = false;                          ///< also windows that reach past the end
  bool count_include_pad = true;                   ///< the zeros of the padding count as elements
  std::optional<std::int64_t> divisor_override{};  ///< divides the sums instead of the number of elements
};
void describe(config::Fields& f, AvgPool2dOptions& o);

struct AvgPool1dOptions {
  std::int64_t kernel_size = 0;          ///< extent of the window
  std::optional<std::int64_t> stride{};  ///< by how much the window moves; null: by its extent
  std::int64_t padding = 0;              ///< margin on both sides, at most half of the window
  bool ceil_mode = false;                ///< also windows that reach past the end
  bool count_include_pad = true;         ///< the zeros of the margin count as elements
};
void describe(config::Fields& f, AvgPool1dOptions& o);

struct AdaptivePool2dOptions {
  Pair output_size = 1;  ///< extents of the output
};
void describe(config::Fields& f, AdaptivePool2dOptions& o);

struct AdaptivePool1dOptions {
  std::int64_t output_size = 1;  ///< extents of the output
};
void describe(config::Fields& f, AdaptivePool1dOptions& o);

/// See max_pool2d().
class MaxPool2d : public Layer<MaxPool2dOptions> {
 public:
  explicit MaxPool2d(Options options) : Layer(options) {}
  explicit MaxPool2d(Pair kernel_size) : Layer(Options{kernel_size}) {}
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;
  static Shape infer(Options& options, const Shape& input);
};

/// See max_pool1d().
class MaxPool1d : public Layer<MaxPool1dOptions> {
 public:
  explicit MaxPool1d(Options options) : Layer(options) {}
  explicit MaxPool1d(std::int64_t kernel_size) : Layer(Options{kernel_size}) {}
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;
  static Shape infer(Options& options, const Shape& input);
};

/// See avg_pool2d().
class AvgPool2d : public Layer<AvgPool2dOptions> {
 public:
  explicit AvgPool2d(Options options) : Layer(options) {}
  explicit AvgPool2d(Pair kernel_size) : Layer(Options{kernel_size}) {}
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;
  static Shape infer(Options& options, const Shape& input);
};

/// See avg_pool1d().
class AvgPool1d : public Layer<AvgPool1dOptions> {
 public:
  explicit AvgPool1d(Options options) : Layer(options) {}
  explicit AvgPool1d(std::int64_t kernel_size) : Layer(Options{kernel_size}) {}
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;
  static Shape infer(Options& options, const Shape& input);
};

/// Windows such that the output has the given extents, whatever those of the input.
class AdaptiveAvgPool2d : public Layer<AdaptivePool2dOptions> {
 public:
  explicit AdaptiveAvgPool2d(Options options) : Layer(options) {}
  explicit AdaptiveAvgPool2d(Pair output_size) : Layer(Options{output_size}) {}
  Tensor forward(const Tensor& x) override { return adaptive_avg_pool2d(x, options_.output_size); }
  std::string extra_repr() const override;
  static Shape infer(Options& options, const Shape& input);
};

/// The largest element of windows that share the image, as adaptive_max_pool2d(): [N, C, H, W].
class AdaptiveMaxPool2d : public Layer<AdaptivePool2dOptions> {
 public:
  explicit AdaptiveMaxPool2d(Options options) : Layer(options) {}
  explicit AdaptiveMaxPool2d(Pair output_size) : Layer(Options{output_size}) {}
  Tensor forward(const Tensor& x) override { return adaptive_max_pool2d(x, options_.output_size); }
  std::string extra_repr() const override;
  static Shape infer(Options& options, const Shape& input);
};

/// The mean of windows that share the sequence, as adaptive_avg_pool1d(): [N, C, L].
class AdaptiveAvgPool1d : public Layer<AdaptivePool1dOptions> {
 public:
  explicit AdaptiveAvgPool1d(Options options) : Layer(options) {}
  explicit AdaptiveAvgPool1d(std::int64_t output_size) : Layer(Options{output_size}) {}
  Tensor forward(const Tensor& x) override { return adaptive_avg_pool1d(x, options_.output_size); }
  std::string extra_repr() const override;
  static Shape infer(Options& options, const Shape& input);
};

/// The largest element of windows that share the sequence, as adaptive_max_pool1d(): [N, C, L].
class AdaptiveMaxPool1d : public Layer<AdaptivePool1dOptions> {
 public:
  explicit AdaptiveMaxPool1d(Options options) : Layer(options) {}
  explicit AdaptiveMaxPool1d(std::int64_t output_size) : Layer(Options{output_size}) {}
  Tensor forward(const Tensor& x) override { return adaptive_max_pool1d(x, options_.output_size); }
  std::string extra_repr() const override;
  static Shape infer(Options& options, const Shape& input);
};

}  // namespace eigengrad::nn
