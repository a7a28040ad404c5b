// Convolutions as layers.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "eigengrad/nn/layer.h"
#include "eigengrad/ops/rearrange.h"

namespace eigengrad::nn {

/// How wide a margin a convolution puts around its input: a number, one for each axis, "same" (the output has the
/// extents of the input; with an odd total the larger half stands behind) or "valid" (none).
class Padding {
 public:
  /// The same margin on both sides of each axis.
  Padding(Pair amount) : amount_(amount) {}  // NOLINT(google-explicit-constructor)
  /// The same margin on every side.
  template <std::integral Number>
  Padding(Number amount) : amount_(Pair(amount)) {}  // NOLINT(google-explicit-constructor)
  /// Margins above and below, left and right.
  Padding(std::int64_t rows, std::int64_t columns) : amount_(Pair(rows, columns)) {}
  /// Throws ValueError for another name.
  Padding(std::string_view name);                                 // NOLINT(google-explicit-constructor)
  Padding(const char* name) : Padding(std::string_view(name)) {}  // NOLINT(google-explicit-constructor)

  /// Whether it is "same".
  bool is_same() const { return !amount_; }
  /// The amounts, where they are not "same".
  const std::optional<Pair>& amount() const { return amount_; }
  friend bool operator==(const Padding&, const Padding&) = default;

 private:
  std::optional<Pair> amount_;
};

struct Conv2dOptions {
  std::int64_t in_channels = 0;   ///< channels of the input; 0 takes them from the layer before
  std::int64_t out_channels = 0;  ///< channels of the output
  Pair kernel_size = 0;           ///< extent of the window
  Pair stride = 1;                ///< by how much the window moves
  /// Margin on both sides: a number, or 'same' (as many elements as before) or 'valid'.
  Padding padding = 0;
  Pair dilation = 1;                         ///< distance between the taps of the kernel
  std::int64_t groups = 1;                   ///< channels in this many groups that do not see each other
  bool bias = true;                          ///< learn a bias that is added to the output
  PadMode padding_mode = PadMode::Constant;  ///< what stands in the margin
};
void describe(config::Fields& f, Conv2dOptions& o);

/// The options of one axis.
struct Conv1dOptions {
  std::int64_t in_channels = 0;   ///< channels of the input; 0 takes them from the layer before
  std::int64_t out_channels = 0;  ///< channels of the output
  std::int64_t kernel_size = 0;   ///< extent of the window
  std::int64_t stride = 1;        ///< by how much the window moves
  /// Margin on both sides: a number, or 'same' (as many elements as before) or 'valid'.
  Padding padding = 0;
  std::int64_t dilation = 1;                 ///< distance between the taps of the kernel
  std::int64_t groups = 1;                   ///< channels in this many groups that do not see each other
  bool bias = true;                          ///< learn a bias that is added to the output
  PadMode padding_mode = PadMode::Constant;  ///< what stands in the margin
};
void describe(config::Fields& f, Conv1dOptions& o);

/// x [N, in_channels, H, W], or without N, to [N, out_channels, H', W']; see conv2d(). Weight [out, in / groups, kh,
/// kw] and bias [out] begin uniform in ± 1/√(in / groups · kh · kw), as in PyTorch. Throws ValueError for options that
/// do not go together.
class Conv2d : public Layer<Conv2dOptions> {
 public:
  explicit Conv2d(Options options);
  Conv2d(std::int64_t in_channels, std::int64_t out_channels, Pair kernel_size, Pair stride = 1, Padding padding = 0)
      : Conv2d(Options{in_channels, out_channels, kernel_size, stride, padding}) {}
  Tensor forward(const Tensor& x) override;
  Tensor forward_relu(const Tensor& x) override;
  std::string extra_repr() const override;
  static Shape infer(Options& options, const Shape& input);

  Tensor& weight = param("weight", empty({options_.out_channels, options_.in_channels / options_.groups,
                                          options_.kernel_size.rows, options_.kernel_size.columns}));
  /// Undefined when there is none.
  Tensor& bias = param("bias", options_.bias ? empty({options_.out_channels}) : Tensor());

 private:
  Tensor convolve(const Tensor& x, bool then_relu) const;
};

/// The same for x [N, in_channels, L].
class Conv1d : public Layer<Conv1dOptions> {
 public:
  explicit Conv1d(Options options);
  Conv1d(std::int64_t in_channels, std::int64_t out_channels, std::int64_t kernel_size, std::int64_t stride = 1,
         Padding padding = 0)
      : Conv1d(Options{in_channels, out_channels, kernel_size, stride, padding}) {}
  Tensor forward(const Tensor& x) override;
  Tensor forward_relu(const Tensor& x) override;
  std::string extra_repr() const override;
  static Shape infer(Options& options, const Shape& input);

  Tensor& weight =
      param("weight", empty({options_.out_channels, options_.in_channels / options_.groups, options_.kernel_size}));
  Tensor& bias = param("bias", options_.bias ? empty({options_.out_channels}) : Tensor());

 private:
  Tensor convolve(const Tensor& x, bool then_relu) const;
};

struct ConvTranspose2dOptions {
  std::int64_t in_channels = 0;   ///< channels of the input; 0 takes them from the layer before
  std::int64_t out_channels = 0;  ///< channels of the output
  Pair kernel_size = 0;           ///< extent of the window
  Pair stride = 1;                ///< by how much the window moves
  Pair padding = 0;               ///< by how much the output is smaller on both sides
  Pair output_padding = 0;        ///< elements more at the end of the output
  std::int64_t groups = 1;        ///< channels in this many groups that do not see each other
  bool bias = true;               ///< learn a bias that is added to the output
  Pair dilation = 1;              ///< distance between the taps of the kernel
};
void describe(config::Fields& f, ConvTranspose2dOptions& o);

struct ConvTranspose1dOptions {
  std::int64_t in_channels = 0;     ///< channels of the input; 0 takes them from the layer before
  std::int64_t out_channels = 0;    ///< channels of the output
  std::int64_t kernel_size = 0;     ///< extent of the window
  std::int64_t stride = 1;          ///< by how much the window moves
  std::int64_t padding = 0;         ///< by how much the output is smaller on both sides
  std::int64_t output_padding = 0;  ///< elements more at the end of the output
  std::int64_t groups = 1;          ///< channels in this many groups that do not see each other
  bool bias = true;                 ///< learn a bias that is added to the output
  std::int64_t dilation = 1;        ///< distance between the taps of the kernel
};
void describe(config::Fields& f, ConvTranspose1dOptions& o);

/// The transpose of Conv2d; see conv_transpose2d(). Weight [in, out / groups, kh, kw] and bias [out] begin uniform in
/// ± 1/√(out / groups · kh · kw), as in PyTorch.
class ConvTranspose2d : public Layer<ConvTranspose2dOptions> {
 public:
  explicit ConvTranspose2d(Options options);
  ConvTranspose2d(std::int64_t in_channels, std::int64_t out_channels, Pair kernel_size, Pair stride = 1,
                  Pair padding = 0)
      : ConvTranspose2d(Options{in_channels, out_channels, kernel_size, stride, padding}) {}
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;
  static Shape infer(Options& options, const Shape& input);

  Tensor& weight = param("weight", empty({options_.in_channels, options_.out_channels / options_.groups,
                                          options_.kernel_size.rows, options_.kernel_size.columns}));
  Tensor& bias = param("bias", options_.bias ? empty({options_.out_channels}) : Tensor());
};

/// The same for x [N, in_channels, L].
class ConvTranspose1d : public Layer<ConvTranspose1dOptions> {
 public:
  explicit ConvTranspose1d(Options options);
  ConvTranspose1d(std::int64_t in_channels, std::int64_t out_channels, std::int64_t kernel_size,
                  std::int64_t stride = 1, std::int64_t padding = 0)
      : ConvTranspose1d(Options{in_channels, out_channels, kernel_size, stride, padding}) {}
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;
  static Shape infer(Options& options, const Shape& input);

  Tensor& weight =
      param("weight", empty({options_.in_channels, options_.out_channels / options_.groups, options_.kernel_size}));
  Tensor& bias = param("bias", options_.bias ? empty({options_.out_channels}) : Tensor());
};

}  // namespace eigengrad::nn
