// apply: runs an op and, when a gradient will be wanted, records it. The one way by which ops meet the graph.
//
// An op is a plain struct:
//
//   struct Mul {
//     static constexpr const char* kName = "mul";
//     static constexpr SaveMask kSaves[] = {input(1), input(0)};  // what the gradient of input 0, of input 1, reads
//     Tensor forward(TensorRefs x) const { ... }                  // raw kernels; nothing in here is recorded
//     Grads backward(const Saved& s, const Tensor& g) const {     // public ops, so that it can be differentiated again
//       return {s.needs(0) ? g * s.x(1) : Tensor(), s.needs(1) ? g * s.x(0) : Tensor()};
//     }
//   };
//   Tensor mul(const Tensor& a, const Tensor& b) { return apply(Mul{}, a, b); }
//
// `kSaves` may be one mask for all inputs. A gradient may have the broadcast shape: the engine sums it back. Optional:
// `Grads backward_fused(const Saved&, const Tensor& g) const`, raw kernels for when no graph of the gradient is built;
// `Attributes attributes() const`; `double flops(TensorRefs x, const Tensor& y) const`, where they are more than one
// for each element. An op with several outputs returns `Tensors` from forward, and its backward takes `TensorRefs g`,
// undefined where no gradient arrived. An op without `backward` is not differentiable, and its result never requires
// grad. Tensors of bfloat16 are widened before forward and backward see them, and results are rounded; an op that moves
// elements, whatever they are, says `static constexpr bool kMovesOnly = true` and gets them as they are.
// docs/adding-an-op.md has the whole story.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "eigengrad/core/arg.h"
#include "eigengrad/core/node.h"

namespace eigengrad {

/// The outputs of an op that has several.
using Tensors = Grads;

/// Which tensors a gradient reads: inputs by number, below 28, and outputs, of which those from the fourth on count as
/// one.
using SaveMask = std::uint32_t;
inline constexpr SaveMask kNothing = 0;                   ///< none
inline constexpr SaveMask kOutput = SaveMask{0xF} << 28;  ///< all outputs
inline constexpr SaveMask kInputs = ~kOutput;             ///< all inputs
/// Input i, output k.
constexpr SaveMask input(unsigned i) { return SaveMask{1} << i; }
constexpr SaveMask output(unsigned k) { return SaveMask{1} << (28 + (k < 3 ? k : 3)); }

class Saved;
namespace detail {
class Widening;
class WidenedRule;
}  // namespace detail

/// A node that keeps tensors for its gradient.
class RecordedNode : public Node {
 public:
  void release_saved() noexcept override;
  /// Links the outputs to the new node, which they then own, and keeps those, outside the graph, that a gradient reads.
  /// An output that is one of the inputs becomes a handle of its own, so that linking it leaves the input alone. Of an
  /// op on bfloat16, `widening` knows in which dtype it computed, and its outputs before they were rounded: the first
  /// is kept as rounded, for it is held anyway, the others (statistics, states) as they were.
  static void produce(RecordedNode* node, TensorRefs inputs, std::span<Tensor> outputs,
                      const detail::Widening* widening = nullptr);

 protected:
  friend class Saved;
  friend class detail::WidenedRule;
  struct Entry {
    std::int32_t index;  // input number, or -1 - k for output k
    std::uint32_t version;
    Tensor tensor;
  };

  // Makes the edges, and keeps the inputs that the gradients of `inputs` read.
  void connect(TensorRefs inputs, std::span<const SaveMask> saves);

  bool released_ = false;  // what was saved has been dropped
  std::uint32_t outputs_ = 0;
  Dtype computes_in_ = Dtype::BFloat16;  // of an op on bfloat16: float32 or float64; bfloat16 of all others

 private:
  const Entry& entry(std::int32_t index) const;
  // What was kept of an entry, as a gradient rule may use it: an output is linked to this node when a graph is built.
  Tensor linked(const Entry& entry) const;

  SmallVector<Entry, 2> saved_;
  SaveMask saved_outputs_ = kNothing;
};

/// What a gradient rule sees of the forward pass.
class Saved {
 public:
  /// Of a node.
  explicit Saved(RecordedNode& node, const detail::WidenedRule* widened = nullptr) : node_(node), widened_(widened) {}
  /// Whether a gradient of input i is wanted.
  bool needs(std::size_t i) const { return static_cast<bool>(node_.edges_[i].node); }
  /// The shape of input i.
  const Shape& shape(std::size_t i) const { return node_.edges_[i].shape; }
  /// The dtype in which input i came: float32, say, where the input is of bfloat16.
  Dtype dtype(std::size_t i) const;
  /// The number of inputs.
  std::size_t inputs() const { return node_.edges_.size(); }
  /// Input i, as the forward pass saw it. Throws GradError when it has been changed in place since.
  const Tensor& x(std::size_t i) const;
  /// Output k, likewise.
  Tensor y(std::size_t k = 0) const;

 private:
  RecordedNode& node_;
  const detail::WidenedRule* const widened_;
};

/// An op of several outputs.
template <class Op>
concept MultiOutput = requires(Op& op, TensorRefs x) {
  { op.forward(x) } -> std::same_as<Tensors>;
};
/// An op with a gradient rule.
template <class Op>
concept Differentiable = requires {
  &Op::backward;
};

namespace detail {

/// The inputs of an op among which bfloat16 may be: widened to the dtype in which the op computes. Results are rounded,
/// unless an input with axes is float32 or float64, in which case they are of the wider type (as promotion has it).
/// Defined in ops/bfloat16.cc.
class Widening {
 public:
  explicit Widening(TensorRefs inputs);
  TensorRefs inputs() const { return {pointers_.data(), pointers_.size()}; }
  /// Rounds what was computed, and keeps it.
  void narrow(std::span<Tensor> outputs);

  Dtype computes_in() const { return computes_in_; }
  /// Output k, before it was rounded.
  const Tensor& computed(std::size_t k) const { return computed_[k]; }

 private:
  Dtype computes_in_ = kFloat32;
  bool rounds_ = true;
  SmallVector<Tensor, 4> widened_;
  SmallVector<const Tensor*, 4> pointers_;
  SmallVector<Tensor, 4> computed_;
};

/// What the gradient rule of such an op is given, widened by differentiable ops, and how its results are rounded.
class WidenedRule {
 public:
  WidenedRule(const RecordedNode& node, TensorRefs grads);
  TensorRefs grads() const { return {pointers_.data(), pointers_.size()}; }
  void narrow(Grads& grads) const;

  Dtype computes_in() const { return node_.computes_in_; }
  const Tensor& saved(const RecordedNode::Entry& entry) const {
    return saved_[static_cast<std::size_t>(&entry - node_.saved_.data())];
  }

 private:
  const RecordedNode& node_;
  SmallVector<Tensor, 4> saved_, grads_;
  SmallVector<const Tensor*, 4> pointers_;
};

template <class Op>
inline constexpr bool kMovesOnly = requires {
  requires Op::kMovesOnly;
};

template <class Op>
constexpr std::span<const SaveMask> saves() {
  if constexpr (std::is_array_v<decltype(Op::kSaves)>)
    return Op::kSaves;
  else
    return {&Op::kSaves, 1};
}

template <class Op>
class OpNode final : public RecordedNode {
 public:
  OpNode(Op&& op, TensorRefs inputs) : op_(std::move(op)) { connect(inputs, saves<Op>()); }
  std::string_view name() const override { return Op::kName; }
  Attributes attributes() const override {
    if constexpr (requires { op_.attributes(); })
      return op_.attributes();
    else
      return {};
  }
  Grads backward(TensorRefs grads, bool create_graph) override {
    check_saved(!released_);
    if (computes_in_ != Dtype::BFloat16) [[unlikely]]
      return widened_backward(grads, create_graph);
    return results(Saved(*this), grads, create_graph);
  }

 private:
  [[gnu::noinline]] Grads widened_backward(TensorRefs grads, bool create_graph) {
    const WidenedRule widened(*this, grads);
    Grads result = results(Saved(*this, &widened), widened.grads(), create_graph);
    widened.narrow(result);
    return result;
  }
  Grads results(const Saved& saved, TensorRefs grads, bool create_graph) {
    if constexpr (requires { &Op::backward_fused; })
      if (!create_graph) return run(grads, [&](const auto& g) { return op_.backward_fused(saved, g); });
    return run(grads, [&](const auto& g) { return op_.backward(saved, g); });
  }
  template <class Rule>
  Grads run(TensorRefs grads, Rule rule) {
    if constexpr (MultiOutput<Op>) {
      const Tensor none;  // for the outputs behind the last that a gradient reached
      SmallVector<const Tensor*, 4> all;
      for (std::size_t i = 0; i < outputs_; ++i) all.push_back(i < grads.size() ? &grads[i] : &none);
      return rule(TensorRefs(all.data(), all.size()));
    } else {
      return rule(grads[0]);
    }
  }

  Op op_;
};

/// While an op computes, nothing that it calls is recorded or traced, and where it was called is not forgotten.
class InsideOp {
 public:
  InsideOp()
      : grad_enabled_(std::exchange(thread_state.grad_enabled, false)),
        tracer_(std::exchange(thread_state.tracer, nullptr)),
        site_(thread_state.site) {}
  ~InsideOp() {
    thread_state.grad_enabled = grad_enabled_;
    thread_state.tracer = tracer_;
    thread_state.site = site_;
  }
  InsideOp(const InsideOp&) = delete;
  InsideOp& operator=(const InsideOp&) = delete;

 private:
  const bool grad_enabled_;
  Tracer* const tracer_;
  const std::source_location site_;
};

[[noreturn]] void throw_undefined_input(const char* op, TensorRefs inputs);
void trace(const OpEvent& event);
// One for each element of the output or of the first input, whichever has more; none for a view.
double usual_flops(TensorRefs inputs, const Tensor& output);

/// Checks that all are defined. Returns whether one is of bfloat16.
inline bool check_inputs(const char* op, TensorRefs inputs) {
  bool narrow = false;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const TensorImpl* const impl = inputs[i].ref().get();
    if (!impl) [[unlikely]]
      throw_undefined_input(op, inputs);
    narrow |= impl->dtype == Dtype::BFloat16;
  }
  return narrow;
}

inline bool any_requires_grad(TensorRefs inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (inputs[i].requires_grad()) return true;
  return false;
}

template <class Op>
Attributes attributes_of(const Op& op) {
  if constexpr (requires { op.attributes(); })
    return op.attributes();
  else
    return {};
}

template <class Op>
double flops_of(const Op& op, TensorRefs inputs, std::span<const Tensor> outputs) {
  if (outputs.empty()) return 0;
  if constexpr (requires { op.flops(inputs, outputs[0]); })
    return op.flops(inputs, outputs[0]);
  else
    return usual_flops(inputs, outputs[0]);
}

template <class Op>
auto run_forward(Op& op, TensorRefs inputs) {
  const InsideOp inside;
  return op.forward(inputs);
}

inline std::span<Tensor> all_of(Tensor& result) { return {&result, 1}; }
inline std::span<Tensor> all_of(Tensors& results) { return {results.data(), results.size()}; }

template <class Op>
void record(Op& op, TensorRefs inputs, std::span<Tensor> outputs, const Widening* widening = nullptr) {
  if constexpr (Differentiable<Op>)
    if (thread_state.grad_enabled && any_requires_grad(inputs))
      RecordedNode::produce(new OpNode<Op>(std::move(op), inputs), inputs, outputs, widening);
}

template <class Op>
auto run_forward(Op& op, Widening& widening) {
  auto result = run_forward(op, widening.inputs());
  widening.narrow(all_of(result));
  return result;
}

template <class Op>
[[gnu::noinline]] auto apply_widened(Op& op, TensorRefs inputs) {
  Widening widening(inputs);
  auto result = run_forward(op, widening);
  record(op, inputs, all_of(result), &widening);
  return result;
}

template <class Op>
[[gnu::noinline]] auto apply_traced(Op& op, TensorRefs inputs, bool widens) {
  Tracer* const tracer = thread_state.tracer;
  tracer->before();
  std::optional<Widening> widening;
  if (widens) widening.emplace(inputs);
  auto result = widening ? run_forward(op, *widening) : run_forward(op, inputs);
  const std::span<Tensor> outputs = all_of(result);
  const Attributes attributes = attributes_of(op);
  double flops = flops_of(op, inputs, outputs);
  record(op, inputs, outputs, widening ? &*widening : nullptr);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    trace({Op::kName, attributes, inputs, outputs[i], flops, i});
    flops = 0;
  }
  return result;
}

}  // namespace detail

/// Runs `op` on a list of inputs.
template <class Op>
auto apply_list(Op op, TensorRefs inputs) {
  const bool widens = detail::check_inputs(Op::kName, inputs) && !detail::kMovesOnly<Op>;
  if (thread_state.tracer) [[unlikely]]
    return detail::apply_traced(op, inputs, widens);
  if (widens) [[unlikely]]
    return detail::apply_widened(op, inputs);
  auto result = detail::run_forward(op, inputs);
  detail::record(op, inputs, detail::all_of(result));
  return result;
}

/// Runs `op` on the given inputs: `apply(Mul{}, a, b)`.
template <class Op, std::convertible_to<const Tensor&>... Inputs>
auto apply(Op op, const Inputs&... inputs) {
  const std::array<const Tensor*, sizeof...(Inputs)> pointers{&static_cast<const Tensor&>(inputs)...};
  return apply_list(std::move(op), TensorRefs(pointers.data(), pointers.size()));
}

/// Runs `op` on any number of inputs.
template <class Op>
auto apply(Op op, std::span<const Tensor> inputs) {
  SmallVector<const Tensor*, 8> pointers;
  for (const Tensor& x : inputs) pointers.push_back(&x);
  return apply_list(std::move(op), TensorRefs(pointers.data(), pointers.size()));
}

}  // namespace eigengrad
