// Layers that change the shape, and layers that join several tensors.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "eigengrad/nn/layer.h"
#include "eigengrad/ops/interpolate.h"
#include "eigengrad/ops/rearrange.h"

namespace eigengrad::nn {

struct FlattenOptions {
  std::int64_t start_dim = 1;  ///< first axis to flatten
  std::int64_t end_dim = -1;   ///< last axis to flatten
};
void describe(config::Fields& f, FlattenOptions& o);

/// Axes start_dim to end_dim made one; by default all but the batch axis.
class Flatten : public Layer<FlattenOptions> {
 public:
  using Layer::Layer;
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;
  static Shape infer(Options& options, const Shape& input);
};

struct UnflattenOptions {
  std::int64_t dim = 1;      ///< the axis to cut
  Shape unflattened_size{};  ///< its new axes; one extent may be -1
};
void describe(config::Fields& f, UnflattenOptions& o);

/// The axis `dim` cut into axes of the extents `unflattened_size`, of which one may be -1.
class Unflatten : public Layer<UnflattenOptions> {
 public:
  using Layer::Layer;
  Unflatten(std::int64_t dim, Shape sizes) : Layer(Options{dim, std::move(sizes)}) {}
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;
  static Shape infer(Options& options, const Shape& input);
};

struct PermuteOptions {
  Dims dims{};  ///< the axes in their new order; the first is 0, the batch
};
void describe(config::Fields& f, PermuteOptions& o);

/// The axes in another order: {0, 2, 1} makes [N, L, E] out of [N, E, L].
class Permute : public Layer<PermuteOptions> {
 public:
  using Layer::Layer;
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;
  static Shape infer(Options& options, const Shape& input);
};

struct SelectOptions {
  std::int64_t dim = 1;     ///< the axis that goes
  std::int64_t index = -1;  ///< the place along it that stays; -1 is the last
};
void describe(config::Fields& f, SelectOptions& o);

/// One place of an axis, which goes: by default the last step of sequences [N, L, ..].
class Select : public Layer<SelectOptions> {
 public:
  using Layer::Layer;
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;
  static Shape infer(Options& options, const Shape& input);
};

struct UpsampleOptions {
  Dims size{};                                      ///< the new extents; empty: by the factor
  std::optional<double> scale_factor{};             ///< by which every extent grows
  InterpolateMode mode = InterpolateMode::Nearest;  ///< what stands between the elements
  bool align_corners = false;                       ///< the corner elements stay at the corners; not for Nearest
};
void describe(config::Fields& f, UpsampleOptions& o);

/// x [N, C, L] or [N, C, H, W] with other extents: the nearest element, or linear interpolation; see interpolate().
/// Throws ValueError unless either a size or a factor is given.
class Upsample : public Layer<UpsampleOptions> {
 public:
  explicit Upsample(Options options);
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;
  static Shape infer(Options& options, const Shape& input);
};

struct PadOptions {
  Dims padding{};  ///< left, right (, top, bottom), or one number for all
};
void describe(config::Fields& f, PadOptions& o);

/// What the padding layers have in common: margins of the last one or two axes, as pad() takes them. Throws ValueError
/// unless there is one margin, or one for each side.
class PadLayer : public Layer<PadOptions> {
 public:
  Tensor forward(const Tensor& x) override { return pad(x, options_.padding, mode_); }
  std::string extra_repr() const override;

 protected:
  /// `name` is what messages call the layer, which pads the last `axes` axes.
  PadLayer(const char* name, std::size_t axes, PadMode mode, Options options);
  /// The shape with its margins.
  static Shape infer_padded(const Options& options, const Shape& input, std::size_t axes);

 private:
  PadMode mode_;
};

/// Zeros around sequences [.., L].
class ZeroPad1d : public PadLayer {
 public:
  explicit ZeroPad1d(Options options) : PadLayer("ZeroPad1d", 1, PadMode::Constant, std::move(options)) {}
  static Shape infer(Options& options, const Shape& input) { return infer_padded(options, input, 1); }
};

/// Zeros around images [.., H, W].
class ZeroPad2d : public PadLayer {
 public:
  explicit ZeroPad2d(Options options) : PadLayer("ZeroPad2d", 2, PadMode::Constant, std::move(options)) {}
  static Shape infer(Options& options, const Shape& input) { return infer_padded(options, input, 2); }
};

/// Images mirrored at their edges, which are not repeated.
class ReflectionPad2d : public PadLayer {
 public:
  explicit ReflectionPad2d(Options options) : PadLayer("ReflectionPad2d", 2, PadMode::Reflect, std::move(options)) {}
  static Shape infer(Options& options, const Shape& input) { return infer_padded(options, input, 2); }
};

/// The pixels of the edges repeated.
class ReplicationPad2d : public PadLayer {
 public:
  explicit ReplicationPad2d(Options options)
      : PadLayer("ReplicationPad2d", 2, PadMode::Replicate, std::move(options)) {}
  static Shape infer(Options& options, const Shape& input) { return infer_padded(options, input, 2); }
};

/// The sum of tensors of one shape: a skip connection in a Graph.
class Add : public Layer<> {
 public:
  using Layer::Layer;
  Tensor forward_all(std::span<const Tensor> inputs) override;
  static Shape infer(Options& options, std::span<const Shape> inputs);
};

/// The product of tensors of one shape, element by element: a gate.
class Multiply : public Layer<> {
 public:
  using Layer::Layer;
  Tensor forward_all(std::span<const Tensor> inputs) override;
  static Shape infer(Options& options, std::span<const Shape> inputs);
};

struct ConcatOptions {
  std::int64_t dim = 1;  ///< the axis along which the inputs are joined
};
void describe(config::Fields& f, ConcatOptions& o);

/// Tensors joined along an axis.
class Concat : public Layer<ConcatOptions> {
 public:
  using Layer::Layer;
  Tensor forward_all(std::span<const Tensor> inputs) override;
  std::string extra_repr() const override;
  static Shape infer(Options& options, std::span<const Shape> inputs);
};

}  // namespace eigengrad::nn
