#include "eigengrad/nn/pooling.h"

#include "eigengrad/core/check.h"
#include "eigengrad/nn/infer.h"
#include "eigengrad/nn/repr.h"

namespace eigengrad::nn {
namespace {

std::string text(std::int64_t value) { return std::to_string(value); }
// PyTorch prints a pair of equal numbers as it was given, which is mostly as one.
std::string text(Pair pair) { return pair.rows == pair.columns ? text(pair.rows) : pair_text(pair); }

template <class Options>
void describe_window(config::Fields& f, Options& o) {
  f("kernel_size", o.kernel_size, {.help = "extent of the window", .required = true, .min = 1, .max = kMaxExtent});
  f("stride", o.stride, {.help = "by how much the window moves; null: by its extent", .min = 1});
  f("padding", o.padding, {.help = "margin on both sides, at most half of the window", .min = 0, .max = kMaxExtent});
}

template <class Options>
void describe_max(config::Fields& f, Options& o) {
  describe_window(f, o);
  f("dilation", o.dilation, {.help = "distance between the elements of a window", .min = 1, .max = kMaxExtent});
  f("ceil_mode", o.ceil_mode, {.help = "also windows that reach past the end"});
}

template <class Options>
void describe_average(config::Fields& f, Options& o) {
  describe_window(f, o);
  f("ceil_mode", o.ceil_mode, {.help = "also windows that reach past the end"});
  f("count_include_pad", o.count_include_pad, {.help = "the zeros of the margin count as elements"});
}

template <class Options>
void describe_adaptive(config::Fields& f, Options& o) {
  f("output_size", o.output_size, {.help = "extents of the output", .required = true, .min = 1, .max = kMaxExtent});
}

template <class Options>
std::string repr_window(const Options& o) {
  return fmt::format("kernel_size={}, stride={}, padding={}", text(o.kernel_size),
                     text(o.stride.value_or(o.kernel_size)), text(o.padding));
}

template <class Options>
std::string repr_max(const Options& o) {
  return fmt::format("{}, dilation={}, ceil_mode={}", repr_window(o), text(o.dilation), bool_text(o.ceil_mode));
}

std::int64_t places(std::int64_t extent, std::int64_t kernel, std::int64_t stride, std::int64_t padding,
                    std::int64_t dilation, bool ceil_mode) {
  EG_CHECK(2 * padding <= kernel, ShapeError, "expects a padding of at most half of the window {}, found {}", kernel,
           padding);
  return window_places(extent, kernel, stride, padding, dilation, ceil_mode);
}

template <class Options>
Shape inferred_1d(const Options& o, std::int64_t dilation, const Shape& input) {
  check_channels_first(input, 1);
  return {input[0],
          places(input[1], o.kernel_size, o.stride.value_or(o.kernel_size), o.padding, dilation, o.ceil_mode)};
}

template <class Options>
Shape inferred_2d(const Options& o, Pair dilation, const Shape& input) {
  check_channels_first(input, 2);
  const Pair stride = o.stride.value_or(o.kernel_size);
  return {input[0], places(input[1], o.kernel_size.rows, stride.rows, o.padding.rows, dilation.rows, o.ceil_mode),
          places(input[2], o.kernel_size.columns, stride.columns, o.padding.columns, dilation.columns, o.ceil_mode)};
}

Shape inferred_adaptive(const AdaptivePool2dOptions& o, const Shape& input) {
  check_channels_first(input, 2);
  return {input[0], o.output_size.rows, o.output_size.columns};
}
Shape inferred_adaptive(const AdaptivePool1dOptions& o, const Shape& input) {
  check_channels_first(input, 1);
  return {input[0], o.output_size};
}

}  // namespace

void describe(config::Fields& f, MaxPool2dOptions& o) { describe_max(f, o); }
void describe(config::Fields& f, MaxPool1dOptions& o) { describe_max(f, o); }
void describe(config::Fields& f, AvgPool2dOptions& o) {
  describe_average(f, o);
  f("divisor_override", o.divisor_override,
    {.help = "divides the sums instead of the number of elements", .min = 1, .max = kMaxExtent});
}
void describe(config::Fields& f, AvgPool1dOptions& o) { describe_average(f, o); }
void describe(config::Fields& f, AdaptivePool2dOptions& o) { describe_adaptive(f, o); }
void describe(config::Fields& f, AdaptivePool1dOptions& o) { describe_adaptive(f, o); }

Tensor MaxPool2d::forward(const Tensor& x) {
  const Options& o = options_;
  return max_pool2d(x, o.kernel_size, {o.stride, o.padding, o.dilation, o.ceil_mode});
}
std::string MaxPool2d::extra_repr() const { return repr_max(options_); }
Shape MaxPool2d::infer(Options& o, const Shape& input) { return inferred_2d(o, o.dilation, input); }

Tensor MaxPool1d::forward(const Tensor& x) {
  const Options& o = options_;
  return max_pool1d(x, o.kernel_size, {o.stride, o.padding, o.dilation, o.ceil_mode});
}
std::string MaxPool1d::extra_repr() const { return repr_max(options_); }
Shape MaxPool1d::infer(Options& o, const Shape& input) { return inferred_1d(o, o.dilation, input); }

Tensor AvgPool2d::forward(const Tensor& x) {
  const Options& o = options_;
  return avg_pool2d(x, o.kernel_size, {o.stride, o.padding, o.ceil_mode, o.count_include_pad, o.divisor_override});
}
std::string AvgPool2d::extra_repr() const { return repr_window(options_); }
Shape AvgPool2d::infer(Options& o, const Shape& input) { return inferred_2d(o, 1, input); }

Tensor AvgPool1d::forward(const Tensor& x) {
  const Options& o = options_;
  return avg_pool1d(x, o.kernel_size, {o.stride, o.padding, o.ceil_mode, o.count_include_pad});
}
// PyTorch writes these, and only these, as tuples of one.
std::string AvgPool1d::extra_repr() const {
  const Options& o = options_;
  return fmt::format("kernel_size=({},), stride=({},), padding=({},)", o.kernel_size, o.stride.value_or(o.kernel_size),
                     o.padding);
}
Shape AvgPool1d::infer(Options& o, const Shape& input) { return inferred_1d(o, 1, input); }

std::string AdaptiveAvgPool2d::extra_repr() const { return "output_size=" + text(options_.output_size); }
Shape AdaptiveAvgPool2d::infer(Options& o, const Shape& input) { return inferred_adaptive(o, input); }
std::string AdaptiveMaxPool2d::extra_repr() const { return "output_size=" + text(options_.output_size); }
Shape AdaptiveMaxPool2d::infer(Options& o, const Shape& input) { return inferred_adaptive(o, input); }
std::string AdaptiveAvgPool1d::extra_repr() const { return "output_size=" + text(options_.output_size); }
Shape AdaptiveAvgPool1d::infer(Options& o, const Shape& input) { return inferred_adaptive(o, input); }
std::string AdaptiveMaxPool1d::extra_repr() const { return "output_size=" + text(options_.output_size); }
Shape AdaptiveMaxPool1d::infer(Options& o, const Shape& input) { return inferred_adaptive(o, input); }

}  // namespace eigengrad::nn
