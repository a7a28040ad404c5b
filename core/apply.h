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
// grad. docs/adding-an-op.md has the whole story.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
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

/// A node that keeps tensors for its gradient.
class RecordedNode : public Node {
 public:
  void release_saved() noexcept override;
  /// Links the outputs to the new node, which they then own, and keeps those, outside the graph, that a gradient reads.
  /// An output that is one of the inputs becomes a handle of its own, so that linking it leaves the input alone.
  static void produce(RecordedNode* node, TensorRefs inputs, std::span<Tensor> outputs);

 protected:
  friend class Saved;
  struct Entry {
    std::int32_t index;  // input number, or -1 - k for output k
    std::uint32_t version;
    Tensor tensor;
  };

  // Makes the edges, and keeps the inputs that the gradients of `inputs` read.
  void connect(TensorRefs inputs, std::span<const SaveMask> saves);

  bool released_ = false;  // what was saved has been dropped
  std::uint32_t outputs_ = 0;

 private:
  const Entry& entry(std::int32_t index) const;

  SmallVector<Entry, 2> saved_;
  SaveMask saved_outputs_ = kNothing;
};

/// What a gradient rule sees of the forward pass.
class Saved {
 public:
  /// Of a node.
  explicit Saved(RecordedNode& node) : node_(node) {}
  /// Whether a gradient of input i is wanted.
  bool needs(std::size_t i) const { return static_cast<bool>(node_.edges_[i].node); }
  /// The shape of input i.
  const Shape& shape(std::size_t i) const { return node_.edges_[i].shape; }
  /// The dtype of input i.
  Dtype dtype(std::size_t i) const { return node_.edges_[i].dtype; }
  /// The number of inputs.
  std::size_t inputs() const { return node_.edges_.size(); }
  /// Input i, as the forward pass saw it. Throws GradError when it has been changed in place since.
  const Tensor& x(std::size_t i) const;
  /// Output k, likewise.
  Tensor y(std::size_t k = 0) const;

 private:
  RecordedNode& node_;
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
    const Saved saved(*this);
    if constexpr (requires { &Op::backward_fused; })
      if (!create_graph) return run(grads, [&](const auto& g) { return op_.backward_fused(saved, g); });
    return run(grads, [&](const auto& g) { return op_.backward(saved, g); });
  }

 private:
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

inline void check_inputs(const char* op, TensorRefs inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (!inputs[i].defined()) [[unlikely]]
      throw_undefined_input(op, inputs);
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
void record(Op& op, TensorRefs inputs, std::span<Tensor> outputs) {
  if constexpr (Differentiable<Op>)
    if (thread_state.grad_enabled && any_requires_grad(inputs))
      RecordedNode::produce(new OpNode<Op>(std::move(op), inputs), inputs, outputs);
}

template <class Op>
[[gnu::noinline]] auto apply_traced(Op& op, TensorRefs inputs) {
  Tracer* const tracer = thread_state.tracer;
  tracer->before();
  auto result = run_forward(op, inputs);
  const std::span<Tensor> outputs = all_of(result);
  const Attributes attributes = attributes_of(op);
  double flops = flops_of(op, inputs, outputs);
  record(op, inputs, outputs);
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
  detail::check_inputs(Op::kName, inputs);
  if (thread_state.tracer) [[unlikely]]
    return detail::apply_traced(op, inputs);
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
