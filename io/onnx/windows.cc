#include <algorithm>
#include <functional>
#include <numeric>
#include <optional>
#include <utility>

#include "eigengrad/core/check.h"
#include "eigengrad/io/onnx/rules.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad::io::onnx {
namespace {

std::vector<std::int64_t> extents(Pair pair, std::size_t axes) {
  return axes == 1 ? std::vector{pair.columns} : std::vector{pair.rows, pair.columns};
}
Pair along_columns(std::int64_t extent) { return {1, extent}; }
Pair as_pair(Pair pair) { return pair; }
Pair as_pair(std::int64_t extent) { return along_columns(extent); }

const char* mode_name(PadMode mode) {
  switch (mode) {
    case PadMode::Reflect: return "reflect";
    case PadMode::Replicate: return "edge";
    case PadMode::Circular: return "wrap";
    default: return "constant";
  }
}

template <class L>
std::string convolution(Exporter& e, nn::Module& module, Flows x) {
  const L& layer = static_cast<const L&>(module);
  const auto& o = layer.options();
  constexpr std::size_t kAxes = std::is_same_v<L, nn::Conv1d> ? 1 : 2;
  const std::vector<std::int64_t> kernel = extents(as_pair(o.kernel_size), kAxes),
                                  dilation = extents(as_pair(o.dilation), kAxes);
  std::vector<std::int64_t> before, after;
  for (std::size_t i = 0; i < kAxes; ++i) {
    const std::int64_t total = dilation[i] * (kernel[i] - 1);
    const std::int64_t amount = o.padding.is_same() ? total / 2 : extents(*o.padding.amount(), kAxes)[i];
    before.push_back(amount);
    after.push_back(o.padding.is_same() ? total - total / 2 : amount);
  }
  std::string input = x[0].name;
  std::vector<std::int64_t> pads(2 * kAxes, 0);
  if (o.padding_mode == PadMode::Constant) {
    pads = before;
    pads.insert(pads.end(), after.begin(), after.end());
  } else {
    input = padded(e, module, x[0], before, after, mode_name(o.padding_mode));
  }
  std::vector<std::string> inputs{input, e.graph().parameter(layer.weight)};
  if (layer.bias.defined()) inputs.push_back(e.graph().parameter(layer.bias));
  return e.graph().node("Conv", inputs,
                        Attributes()
                            .add("kernel_shape", kernel)
                            .add("strides", extents(as_pair(o.stride), kAxes))
                            .add("pads", pads)
                            .add("dilations", dilation)
                            .add("group", o.groups));
}

template <class L>
std::string transposed_convolution(Exporter& e, nn::Module& module, Flows x) {
  const L& layer = static_cast<const L&>(module);
  const auto& o = layer.options();
  constexpr std::size_t kAxes = std::is_same_v<L, nn::ConvTranspose1d> ? 1 : 2;
  std::vector<std::int64_t> pads;
  const Pair padding = kAxes == 1 ? Pair(0, as_pair(o.padding).columns) : as_pair(o.padding);
  for (int side = 0; side < 2; ++side)
    for (const std::int64_t amount : extents(padding, kAxes)) pads.push_back(amount);
  std::vector<std::string> inputs{x[0].name, e.graph().parameter(layer.weight)};
  if (layer.bias.defined()) inputs.push_back(e.graph().parameter(layer.bias));
  return e.graph().node("ConvTranspose", inputs,
                        Attributes()
                            .add("kernel_shape", extents(as_pair(o.kernel_size), kAxes))
                            .add("strides", extents(as_pair(o.stride), kAxes))
                            .add("pads", pads)
                            .add("output_padding", extents(as_pair(o.output_padding), kAxes))
                            .add("dilations", extents(as_pair(o.dilation), kAxes))
                            .add("group", o.groups));
}

std::vector<std::int64_t> twice(std::vector<std::int64_t> pads) {
  const std::vector<std::int64_t> once = pads;
  pads.insert(pads.end(), once.begin(), once.end());
  return pads;
}

template <class L, std::size_t kAxes>
std::string max_pool(Exporter& e, nn::Module& module, Flows x) {
  const auto& o = static_cast<const L&>(module).options();
  return e.graph().node("MaxPool", {x[0].name},
                        Attributes()
                            .add("kernel_shape", extents(as_pair(o.kernel_size), kAxes))
                            .add("strides", extents(as_pair(o.stride.value_or(o.kernel_size)), kAxes))
                            .add("pads", twice(extents(as_pair(o.padding), kAxes)))
                            .add("dilations", extents(as_pair(o.dilation), kAxes))
                            .add("ceil_mode", std::int64_t{o.ceil_mode}));
}

// The windows of one axis whose last may reach beyond the padding, where nothing is counted.
struct Reach {
  std::int64_t before, after;        // margins of zeros in which they all lie
  std::vector<std::int64_t> counts;  // the elements of each that count
};

Reach reach_of(std::int64_t extent, std::int64_t kernel, std::int64_t stride, std::int64_t padding, bool count_pad) {
  std::int64_t windows = (extent + 2 * padding - kernel + stride - 1) / stride + 1;
  if ((windows - 1) * stride >= extent + padding) --windows;
  Reach reach{padding, std::max<std::int64_t>(0, (windows - 1) * stride + kernel - extent - padding), {}};
  for (std::int64_t i = 0; i < windows; ++i) {
    const std::int64_t start = i * stride - padding, stop = std::min(start + kernel, extent + padding);
    reach.counts.push_back(count_pad ? stop - start : std::min(stop, extent) - std::max<std::int64_t>(start, 0));
  }
  return reach;
}

// In ceil_mode: means over whole windows, in margins of zeros, times the share of each window that counts. What ONNX's
// own ceil_mode counts has changed from version to version.
template <class L, std::size_t kAxes>
std::string avg_pool_in_ceil_mode(Exporter& e, nn::Module& module, Flows x, bool count_pad,
                                  std::optional<std::int64_t> divisor) {
  const auto& o = static_cast<const L&>(module).options();
  const std::vector<std::int64_t> kernel = extents(as_pair(o.kernel_size), kAxes),
                                  stride = extents(as_pair(o.stride.value_or(o.kernel_size)), kAxes),
                                  padding = extents(as_pair(o.padding), kAxes);
  std::vector<std::int64_t> before, after, shape;
  std::vector<double> factors{1};
  for (std::size_t i = 0; i < kAxes; ++i) {
    const Reach reach = reach_of(x[0].shape[i + 1], kernel[i], stride[i], padding[i], count_pad);
    before.push_back(reach.before);
    after.push_back(reach.after);
    shape.push_back(std::ssize(reach.counts));
    std::vector<double> products;
    for (const double factor : factors)
      for (const std::int64_t count : reach.counts)
        products.push_back(factor * static_cast<double>(kernel[i]) / static_cast<double>(divisor ? 1 : count));
    factors = std::move(products);
  }
  const std::vector<float> shares(factors.begin(), factors.end());
  const Tensor share = tensor(shares, Shape(shape)) / static_cast<double>(divisor.value_or(1));
  const std::string mean = e.graph().node("AveragePool", {padded(e, module, x[0], before, after, "constant")},
                                          Attributes().add("kernel_shape", kernel).add("strides", stride));
  return e.graph().node("Mul", {mean, e.graph().constant(share)});
}

template <class L, std::size_t kAxes>
std::string avg_pool(Exporter& e, nn::Module& module, Flows x) {
  const auto& o = static_cast<const L&>(module).options();
  std::optional<std::int64_t> divisor;
  if constexpr (requires { o.divisor_override; }) divisor = o.divisor_override;
  const bool count_pad = o.count_include_pad || divisor;
  if (o.ceil_mode) return avg_pool_in_ceil_mode<L, kAxes>(e, module, x, count_pad, divisor);
  const std::vector<std::int64_t> kernel = extents(as_pair(o.kernel_size), kAxes);
  const std::string mean = e.graph().node("AveragePool", {x[0].name},
                                          Attributes()
                                              .add("kernel_shape", kernel)
                                              .add("strides", extents(as_pair(o.stride.value_or(o.kernel_size)), kAxes))
                                              .add("pads", twice(extents(as_pair(o.padding), kAxes)))
                                              .add("count_include_pad", std::int64_t{count_pad}));
  if (!divisor) return mean;
  const std::int64_t elements = std::accumulate(kernel.begin(), kernel.end(), std::int64_t{1}, std::multiplies<>());
  return times(e.graph(), mean, static_cast<double>(elements) / static_cast<double>(*divisor));
}

// ---- Adaptive pooling.

// The window of place i of `to`, in an axis of `from` elements.
std::pair<std::int64_t, std::int64_t> window_of(std::int64_t i, std::int64_t from, std::int64_t to) {
  return {i * from / to, ((i + 1) * from + to - 1) / to};
}

// The means over the windows of an axis as a product with this matrix, [from, to].
Tensor means_of(std::int64_t from, std::int64_t to) {
  std::vector<float> matrix(static_cast<std::size_t>(from * to), 0);
  for (std::int64_t i = 0; i < to; ++i) {
    const auto [begin, end] = window_of(i, from, to);
    for (std::int64_t j = begin; j < end; ++j)
      matrix[static_cast<std::size_t>(j * to + i)] = 1 / static_cast<float>(end - begin);
  }
  return tensor(matrix, {from, to});
}

// The largest elements of the windows of an axis.
std::string largest_along(Graph& g, const std::string& x, std::int64_t axis, std::int64_t from, std::int64_t to) {
  std::vector<std::string> places;
  for (std::int64_t i = 0; i < to; ++i) {
    const auto [begin, end] = window_of(i, from, to);
    const std::string window = g.node("Slice", {x, g.integers({begin}), g.integers({end}), g.integers({axis})});
    places.push_back(reduced(g, "ReduceMax", window, {axis}));
  }
  return g.node("Concat", places, Attributes().add("axis", axis));
}

// Windows of different sizes go axis by axis: a mean of means, a maximum of maxima.
std::string uneven_pool(Graph& g, bool mean, const Flow& x, const std::vector<std::int64_t>& to) {
  std::string result = x.name;
  for (std::size_t i = 0; i < to.size(); ++i) {
    const std::int64_t from = x.shape[i + 1];
    const bool last = i + 1 == to.size();
    if (!mean)
      result = largest_along(g, result, static_cast<std::int64_t>(i) + 2, from, to[i]);
    else if (last)
      result = g.node("MatMul", {result, g.constant(means_of(from, to[i]))});
    else
      result = g.node("MatMul", {g.constant(contiguous(transpose(means_of(from, to[i]), 0, 1))), result});
  }
  return result;
}

template <class L, std::size_t kAxes>
Rule adaptive_pool(bool mean) {
  return [mean](Exporter& e, nn::Module& module, Flows x) {
    const std::vector<std::int64_t> to = extents(as_pair(static_cast<const L&>(module).options().output_size), kAxes);
    std::vector<std::int64_t> window;
    for (std::size_t i = 0; i < kAxes; ++i) {
      const std::int64_t from = x[0].shape[i + 1];
      if (from % to[i] != 0) return uneven_pool(e.graph(), mean, x[0], to);
      window.push_back(from / to[i]);
    }
    return e.graph().node(mean ? "AveragePool" : "MaxPool", {x[0].name},
                          Attributes().add("kernel_shape", window).add("strides", window));
  };
}

}  // namespace

void add_windows(Rules& rules) {
  using namespace nn;
  rules.add<Conv1d>(convolution<Conv1d>);
  rules.add<Conv2d>(convolution<Conv2d>);
  rules.add<ConvTranspose1d>(transposed_convolution<ConvTranspose1d>);
  rules.add<ConvTranspose2d>(transposed_convolution<ConvTranspose2d>);
  rules.add<MaxPool1d>(max_pool<MaxPool1d, 1>);
  rules.add<MaxPool2d>(max_pool<MaxPool2d, 2>);
  rules.add<AvgPool1d>(avg_pool<AvgPool1d, 1>);
  rules.add<AvgPool2d>(avg_pool<AvgPool2d, 2>);
  rules.add<AdaptiveAvgPool1d>(adaptive_pool<AdaptiveAvgPool1d, 1>(true));
  rules.add<AdaptiveAvgPool2d>(adaptive_pool<AdaptiveAvgPool2d, 2>(true));
  rules.add<AdaptiveMaxPool1d>(adaptive_pool<AdaptiveMaxPool1d, 1>(false));
  rules.add<AdaptiveMaxPool2d>(adaptive_pool<AdaptiveMaxPool2d, 2>(false));
}

}  // namespace eigengrad::io::onnx
