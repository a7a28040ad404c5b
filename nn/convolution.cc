#include "eigengrad/nn/convolution.h"

#include <algorithm>
#include <type_traits>

#include "eigengrad/config/reader.h"
#include "eigengrad/core/check.h"
#include "eigengrad/nn/infer.h"
#include "eigengrad/nn/init.h"
#include "eigengrad/nn/repr.h"
#include "eigengrad/ops/convolution.h"

namespace eigengrad::nn {
namespace {

// What a layer of one axis has as a number, one of two axes has as a pair.
bool within(std::int64_t value, std::int64_t least) { return value >= least; }
bool within(Pair pair, std::int64_t least) { return pair.rows >= least && pair.columns >= least; }
std::string text(std::int64_t value) { return fmt::format("({},)", value); }
std::string text(Pair pair) { return pair_text(pair); }
bool is(std::int64_t value, std::int64_t other) { return value == other; }
bool is(Pair pair, std::int64_t other) { return pair == Pair(other); }

template <class Options>
void check_common(const char* layer, const Options& o) {
  EG_CHECK(o.in_channels >= 1 && o.out_channels >= 1, ValueError,
           "[{}] in_channels and out_channels must be at least 1, found {} and {}", layer, o.in_channels,
           o.out_channels);
  EG_CHECK(o.groups >= 1 && o.in_channels % o.groups == 0 && o.out_channels % o.groups == 0, ValueError,
           "[{}] in_channels = {} and out_channels = {} must be multiples of groups = {}", layer, o.in_channels,
           o.out_channels, o.groups);
  EG_CHECK(within(o.kernel_size, 1) && within(o.stride, 1) && within(o.dilation, 1), ValueError,
           "[{}] kernel_size, stride and dilation must be at least 1, found {}, {} and {}", layer, text(o.kernel_size),
           text(o.stride), text(o.dilation));
}

template <class Options>
const Options& checked(const char* layer, const Options& o) {
  check_common(layer, o);
  EG_CHECK(!o.padding.is_same() || is(o.stride, 1), ValueError, "[{}] padding = 'same' needs stride = 1, found {}",
           layer, text(o.stride));
  EG_CHECK(o.padding.is_same() || within(*o.padding.amount(), 0), ValueError,
           "[{}] padding must not be negative, found {}", layer, pair_text(*o.padding.amount()));
  return o;
}

template <class Options>
const Options& checked_transposed(const char* layer, const Options& o) {
  check_common(layer, o);
  EG_CHECK(within(o.padding, 0) && within(o.output_padding, 0), ValueError,
           "[{}] padding and output_padding must not be negative, found {} and {}", layer, text(o.padding),
           text(o.output_padding));
  return o;
}

// ---- Margins.

struct Margins {
  std::int64_t before, after;
};

Margins margins(const Padding& padding, bool rows, std::int64_t kernel, std::int64_t dilation) {
  if (padding.is_same()) {
    const std::int64_t total = dilation * (kernel - 1);
    return {total / 2, total - total / 2};
  }
  const std::int64_t amount = rows ? padding.amount()->rows : padding.amount()->columns;
  return {amount, amount};
}

// Whether the op itself can pad: with as many zeros on both sides.
bool is_plain(const Margins& m, PadMode mode) { return mode == PadMode::Constant && m.before == m.after; }

// ---- Options.

const std::vector<std::pair<std::string, PadMode>> kPadModes = {{"zeros", PadMode::Constant},
                                                                {"reflect", PadMode::Reflect},
                                                                {"replicate", PadMode::Replicate},
                                                                {"circular", PadMode::Circular}};

const char* name_of(PadMode mode) {
  return std::find_if(kPadModes.begin(), kPadModes.end(), [&](const auto& entry) { return entry.second == mode; })
      ->first.c_str();
}

// "same", "valid", a number, or one for each of `axes`.
void describe_padding(config::Fields& f, Padding& padding, int axes) {
  const config::Field field{.help = "margin on both sides: a number, or 'same' (as many elements as before) or 'valid'",
                            .min = 0,
                            .max = kMaxExtent};
  f.custom("padding",
           {.read =
                [&padding, field, axes](const config::Value& value, const std::string& pointer,
                                        config::Diagnostics& diagnostics) {
                  const std::string* const name = value.as_string();
                  if (name && (*name == "same" || *name == "valid")) {
                    padding = Padding(std::string_view(*name));
                    return;
                  }
                  if (name || (axes == 1 && !value.as_integer())) {
                    diagnostics.add(pointer, value.position(),
                                    fmt::format("found {}, expected a whole number of at least 0{}, 'same' or 'valid'",
                                                value.description(), axes == 2 ? ", an array of two" : ""));
                    return;
                  }
                  Pair amount = 0;
                  config::read_value(value, pointer, diagnostics, &amount, field);
                  padding = amount;
                },
            .write =
                [&padding] {
                  if (padding.is_same()) return config::Value("same");
                  Pair amount = *padding.amount();
                  return config::write_value(&amount);
                },
            .schema =
                [field] {
                  Pair amount = 0;
                  config::Value names = config::parse_json(R"({"enum": ["same", "valid"]})");
                  config::Value schema = config::value_schema(&amount, field);
                  schema.find("anyOf")->push_back(std::move(names));
                  return schema;
                }},
           field);
}

void describe_channels(config::Fields& f, std::int64_t& in, std::int64_t& out) {
  f("in_channels", in,
    {.help = "channels of the input; 0 takes them from the layer before", .min = 0, .max = kMaxExtent});
  f("out_channels", out, {.help = "channels of the output", .required = true, .min = 1, .max = kMaxExtent});
}

template <class Options>
void describe_window(config::Fields& f, Options& o) {
  f("kernel_size", o.kernel_size, {.help = "extent of the window", .required = true, .min = 1, .max = kMaxExtent});
  f("stride", o.stride, {.help = "by how much the window moves", .min = 1, .max = kMaxExtent});
}

template <class Options>
void describe_rest(config::Fields& f, Options& o) {
  f("dilation", o.dilation, {.help = "distance between the taps of the kernel", .min = 1, .max = kMaxExtent});
  f("groups", o.groups,
    {.help = "channels in this many groups that do not see each other", .min = 1, .max = kMaxExtent});
  f("bias", o.bias, {.help = "learn a bias that is added to the output"});
}

template <class Options>
void describe_convolution(config::Fields& f, Options& o, int axes) {
  describe_channels(f, o.in_channels, o.out_channels);
  describe_window(f, o);
  describe_padding(f, o.padding, axes);
  describe_rest(f, o);
  f.choice<PadMode>("padding_mode", o.padding_mode, kPadModes, {.help = "what stands in the margin"});
}

template <class Options>
void describe_transposed(config::Fields& f, Options& o) {
  describe_channels(f, o.in_channels, o.out_channels);
  describe_window(f, o);
  f("padding", o.padding, {.help = "by how much the output is smaller on both sides", .min = 0, .max = kMaxExtent});
  f("output_padding", o.output_padding,
    {.help = "elements more at the end of the output", .min = 0, .max = kMaxExtent});
  describe_rest(f, o);
}

// ---- Print-outs.

template <class Options>
std::string repr(const Options& o) {
  std::string result = fmt::format("{}, {}, kernel_size={}, stride={}", o.in_channels, o.out_channels,
                                   text(o.kernel_size), text(o.stride));
  if constexpr (requires { o.padding_mode; }) {
    if (o.padding.is_same())
      result += ", padding=same";
    else if (const Pair amount = *o.padding.amount(); amount != Pair(0))
      result += ", padding=" + (std::is_same_v<Options, Conv1dOptions> ? text(amount.rows) : text(amount));
  } else {
    if (!is(o.padding, 0)) result += ", padding=" + text(o.padding);
  }
  if (!is(o.dilation, 1)) result += ", dilation=" + text(o.dilation);
  if constexpr (requires { o.output_padding; }) {
    if (!is(o.output_padding, 0)) result += ", output_padding=" + text(o.output_padding);
  }
  if (o.groups != 1) result += fmt::format(", groups={}", o.groups);
  if (!o.bias) result += ", bias=False";
  if constexpr (requires { o.padding_mode; }) {
    if (o.padding_mode != PadMode::Constant) result += fmt::format(", padding_mode={}", name_of(o.padding_mode));
  }
  return result;
}

// ---- Shapes.

std::int64_t places(std::int64_t extent, std::int64_t kernel, std::int64_t stride, const Padding& padding, bool rows,
                    std::int64_t dilation) {
  const Margins m = margins(padding, rows, kernel, dilation);
  return window_places(extent + m.before + m.after, kernel, stride, 0, dilation);
}

std::int64_t transposed_places(std::int64_t extent, std::int64_t kernel, std::int64_t stride, std::int64_t padding,
                               std::int64_t dilation, std::int64_t more) {
  const std::int64_t result = (extent - 1) * stride - 2 * padding + dilation * (kernel - 1) + more + 1;
  EG_CHECK(result > 0, ShapeError, "leaves nothing, with a padding of {}", padding);
  return result;
}

}  // namespace

Padding::Padding(std::string_view name) {
  EG_CHECK(name == "same" || name == "valid", ValueError, "padding '{}' is not known, expected 'same' or 'valid'",
           std::string(name));
  if (name == "valid") amount_ = Pair(0);
}

void describe(config::Fields& f, Conv2dOptions& o) { describe_convolution(f, o, 2); }
void describe(config::Fields& f, Conv1dOptions& o) { describe_convolution(f, o, 1); }
void describe(config::Fields& f, ConvTranspose2dOptions& o) { describe_transposed(f, o); }
void describe(config::Fields& f, ConvTranspose1dOptions& o) { describe_transposed(f, o); }

// ---- Conv2d.

Conv2d::Conv2d(Options options) : Layer(checked("Conv2d", options)) { init::linear_(weight, bias); }

Tensor Conv2d::forward(const Tensor& x) { return convolve(x, false); }

Tensor Conv2d::forward_relu(const Tensor& x) { return is_just<Conv2d>() ? convolve(x, true) : Tensor(); }

Tensor Conv2d::convolve(const Tensor& x, bool then_relu) const {
  const auto op = then_relu ? conv2d_relu : conv2d;
  const Options& o = options_;
  const Margins rows = margins(o.padding, true, o.kernel_size.rows, o.dilation.rows);
  const Margins columns = margins(o.padding, false, o.kernel_size.columns, o.dilation.columns);
  const eigengrad::Conv2dOptions how{.stride = o.stride, .padding = 0, .dilation = o.dilation, .groups = o.groups};
  if (is_plain(rows, o.padding_mode) && is_plain(columns, o.padding_mode)) {
    eigengrad::Conv2dOptions padded = how;
    padded.padding = {rows.before, columns.before};
    return op(x, weight, bias, padded);
  }
  return op(pad(x, {columns.before, columns.after, rows.before, rows.after}, o.padding_mode), weight, bias, how);
}

std::string Conv2d::extra_repr() const { return repr(options_); }

Shape Conv2d::infer(Options& o, const Shape& input) {
  check_channels_first(input, 2);
  infer_extent(o.in_channels, "in_channels", input[0]);
  return {o.out_channels, places(input[1], o.kernel_size.rows, o.stride.rows, o.padding, true, o.dilation.rows),
          places(input[2], o.kernel_size.columns, o.stride.columns, o.padding, false, o.dilation.columns)};
}

// ---- Conv1d.

Conv1d::Conv1d(Options options) : Layer(checked("Conv1d", options)) { init::linear_(weight, bias); }

Tensor Conv1d::forward(const Tensor& x) { return convolve(x, false); }

Tensor Conv1d::forward_relu(const Tensor& x) { return is_just<Conv1d>() ? convolve(x, true) : Tensor(); }

Tensor Conv1d::convolve(const Tensor& x, bool then_relu) const {
  const auto op = then_relu ? conv1d_relu : conv1d;
  const Options& o = options_;
  const Margins m = margins(o.padding, false, o.kernel_size, o.dilation);
  const bool plain = is_plain(m, o.padding_mode);
  const eigengrad::Conv1dOptions how{
      .stride = o.stride, .padding = plain ? m.before : 0, .dilation = o.dilation, .groups = o.groups};
  return op(plain ? x : pad(x, {m.before, m.after}, o.padding_mode), weight, bias, how);
}

std::string Conv1d::extra_repr() const { return repr(options_); }

Shape Conv1d::infer(Options& o, const Shape& input) {
  check_channels_first(input, 1);
  infer_extent(o.in_channels, "in_channels", input[0]);
  return {o.out_channels, places(input[1], o.kernel_size, o.stride, o.padding, false, o.dilation)};
}

// ---- Their transposes.

ConvTranspose2d::ConvTranspose2d(Options options) : Layer(checked_transposed("ConvTranspose2d", options)) {
  init::linear_(weight, bias);
}

Tensor ConvTranspose2d::forward(const Tensor& x) {
  const Options& o = options_;
  return conv_transpose2d(x, weight, bias, {o.stride, o.padding, o.output_padding, o.groups, o.dilation});
}

std::string ConvTranspose2d::extra_repr() const { return repr(options_); }

Shape ConvTranspose2d::infer(Options& o, const Shape& input) {
  check_channels_first(input, 2);
  infer_extent(o.in_channels, "in_channels", input[0]);
  return {o.out_channels,
          transposed_places(input[1], o.kernel_size.rows, o.stride.rows, o.padding.rows, o.dilation.rows,
                            o.output_padding.rows),
          transposed_places(input[2], o.kernel_size.columns, o.stride.columns, o.padding.columns, o.dilation.columns,
                            o.output_padding.columns)};
}

ConvTranspose1d::ConvTranspose1d(Options options) : Layer(checked_transposed("ConvTranspose1d", options)) {
  init::linear_(weight, bias);
}

Tensor ConvTranspose1d::forward(const Tensor& x) {
  const Options& o = options_;
  return conv_transpose1d(x, weight, bias, {o.stride, o.padding, o.output_padding, o.groups, o.dilation});
}

std::string ConvTranspose1d::extra_repr() const { return repr(options_); }

Shape ConvTranspose1d::infer(Options& o, const Shape& input) {
  check_channels_first(input, 1);
  infer_extent(o.in_channels, "in_channels", input[0]);
  return {o.out_channels,
          transposed_places(input[1], o.kernel_size, o.stride, o.padding, o.dilation, o.output_padding)};
}

}  // namespace eigengrad::nn
