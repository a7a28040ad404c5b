// The graph: a Node is made for every recorded op and points at the nodes of its inputs.
#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <source_location>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eigengrad/core/allocator.h"
#include "eigengrad/core/scope.h"
#include "eigengrad/core/tensor.h"

namespace eigengrad {

/// The gradients that a rule returns, one per input; undefined where there is none.
class Grads : public SmallVector<Tensor, 3> {
 public:
  Grads() = default;
  /// So many undefined gradients.
  explicit Grads(std::size_t count) : SmallVector(count) {}
  /// `return {g * b, g * a};`: what is made for it is moved, which an initializer list could not do.
  template <std::convertible_to<Tensor>... T>
  requires(sizeof...(T) > 0) Grads(T&&... grads)  // NOLINT(google-explicit-constructor)
      : SmallVector(std::in_place, std::forward<T>(grads)...) {}
};

/// Tensors that belong to somebody else: the inputs of an op, or the gradients that reach it.
class TensorRefs {
 public:
  /// `size` pointers to tensors that live at least as long.
  TensorRefs(const Tensor* const* tensors, std::size_t size) : tensors_(tensors), size_(size) {}
  std::size_t size() const { return size_; }
  const Tensor& operator[](std::size_t i) const { return *tensors_[i]; }

 private:
  const Tensor* const* tensors_;
  std::size_t size_;
};

/// One input of a node: where its gradient goes, and what the gradient has to look like.
struct Edge {
  Ref<Node> node;          ///< null when no gradient is wanted
  std::uint32_t slot = 0;  ///< which output of that node
  Dtype dtype = kFloat32;  ///< of the gradient
  Shape shape{};           ///< of the gradient
};

/// What an op prints of its attributes, in drawings and reports: ("axis", "1").
using Attributes = std::vector<std::pair<std::string, std::string>>;

namespace detail {
inline constinit std::atomic<std::int64_t> node_count{0};
}

/// An op that has run (or a Leaf). Nodes never own what they produced, so that a graph holds no cycle.
class Node : public RefCounted {
 public:
  /// The name of the op.
  virtual std::string_view name() const = 0;
  /// What it was called with besides tensors.
  virtual Attributes attributes() const { return {}; }
  /// The gradients of the inputs, given those of the outputs (undefined where none arrived). With `create_graph` the
  /// rule made of ops runs, else the fused one where there is one.
  virtual Grads backward(TensorRefs grads, bool create_graph) = 0;
  /// Whether the node stands for a graph that has not been kept. Then the engine calls recompute() instead of
  /// backward(), and walks on in what that returns.
  virtual bool is_recomputed() const noexcept { return false; }
  /// The outputs of that graph, one for each of the node's.
  virtual std::vector<Tensor> recompute() { return {}; }
  /// Drops the saved tensors.
  virtual void release_saved() noexcept {}

  /// Grows with creation, so that falling order is a reverse topological order. Leaves have 0.
  std::uint64_t sequence() const noexcept { return sequence_; }
  /// Whether it is a Leaf.
  bool is_leaf() const noexcept { return sequence_ == 0; }
  /// The module in which it was made.
  ScopeId scope() const noexcept { return scope_; }
  /// Where in the user's source the op was called; line 0 where that is not known.
  const std::source_location& site() const noexcept { return site_; }
  /// Its inputs.
  const SmallVector<Edge, 2>& edges() const noexcept { return edges_; }

  // ---- Hooks and retained gradients, by output.
  /// Has a hook called with the gradient of an output. Returns an id for remove_hook.
  std::uint64_t add_hook(std::uint32_t slot, GradHook hook);
  /// Takes a hook away, if it is there.
  void remove_hook(std::uint64_t id);
  /// Has the gradient of an output kept.
  void retain_grad(std::uint32_t slot);
  /// The kept gradient of an output; undefined where there is none.
  Tensor retained_grad(std::uint32_t slot) const;
  /// Replaces it.
  void set_retained_grad(std::uint32_t slot, const Tensor& grad);
  /// Whether there are any.
  bool has_hooks() const noexcept { return static_cast<bool>(extras_); }
  /// Runs the hooks of an output on its gradient, keeps it where that was asked for, and returns what goes on.
  Tensor run_hooks(std::uint32_t slot, Tensor grad);

  // ---- For the engine: a mark by which one walk finds its own record of this node without hashing.
  std::atomic<std::uint64_t> engine_mark{0};  ///< which walk has been here, and where its record is

  /// Frees the node and what it alone holds, without recursion: chains of millions of nodes end here.
  static void destroy(Node* node) noexcept;
  /// From the allocator, counted.
  static void* operator new(std::size_t bytes) {
    void* block = allocate(bytes);
    add_relaxed(detail::node_count, std::int64_t{1});
    return block;
  }
  /// To the allocator.
  static void operator delete(void* block, std::size_t bytes) noexcept {
    add_relaxed(detail::node_count, std::int64_t{-1});
    deallocate(block, bytes);
  }

 protected:
  Node();
  struct LeafTag {};
  /// Of a Leaf.
  explicit Node(LeafTag);
  virtual ~Node();

  /// Throws GradError for a second walk, unless what the node saved for the first has been kept.
  void check_saved(bool kept) const;

  SmallVector<Edge, 2> edges_;  ///< one for each input

 private:
  struct Extras;

  const ScopeId scope_;
  const std::uint64_t sequence_;
  const std::source_location site_;
  std::unique_ptr<Extras> extras_;
  Node* next_ended_;  // while it waits to be freed
};

/// The node of a tensor that collects its gradient. It does not own that tensor.
class Leaf final : public Node {
 public:
  Leaf() : Node(LeafTag{}) {}
  /// "leaf".
  std::string_view name() const override { return "leaf"; }
  Grads backward(TensorRefs, bool) override { return {}; }

  /// The accumulated gradient; undefined when there is none.
  const Tensor& grad() const { return grad_; }
  /// The same to change.
  Tensor& mutable_grad() { return grad_; }

 private:
  Tensor grad_;
};

/// An op that has given an output.
struct OpEvent {
  std::string_view name;         ///< of the op
  const Attributes& attributes;  ///< what it was called with besides tensors
  TensorRefs inputs;             ///< the tensors that it was called with
  const Tensor& output;          ///< the tensor that it gave
  double flops;                  ///< floating point operations; of an op with several outputs, all with the first
  std::size_t output_index = 0;  ///< which of several outputs it is
};

/// Watches ops and gradients as they happen: drawing, the search for a non-finite value, profiling. One per thread;
/// it sees the ops that users call, not those inside an op.
class Tracer {
 public:
  virtual ~Tracer() = default;
  /// An op, a gradient rule or a named part of the program begins; what it gives is told by on_op, on_rule, on_part.
  virtual void before() {}
  /// An op has given `output`; one call for each output.
  virtual void on_op(const OpEvent& event) = 0;
  /// The sum of what reached an output of `node`.
  virtual void on_grad(const Node& node, std::uint32_t slot, const Tensor& grad) = 0;
  /// The gradient rule of `node` has given `results`, one for each input.
  virtual void on_rule(const Node& node, std::span<const Tensor> results);
  /// A part of the program that is no op has ended.
  virtual void on_part(std::string_view /*name*/) {}
};

/// `const TracedPart part("optimizer");`: a part of the program for whoever watches.
class TracedPart {
 public:
  /// `name` must live as long as the part.
  explicit TracedPart(std::string_view name) : name_(name), tracer_(thread_state.tracer) {
    if (tracer_) tracer_->before();
  }
  ~TracedPart() {
    if (tracer_ && tracer_ == thread_state.tracer) tracer_->on_part(name_);
  }
  TracedPart(const TracedPart&) = delete;
  TracedPart& operator=(const TracedPart&) = delete;

 private:
  const std::string_view name_;
  Tracer* const tracer_;
};

/// Makes `tracer` the thread's tracer while it lives; null silences tracing.
class TracerScope {
 public:
  /// `tracer` must live as long; null for none.
  explicit TracerScope(Tracer* tracer) : before_(thread_state.tracer) { thread_state.tracer = tracer; }
  ~TracerScope() { thread_state.tracer = before_; }
  TracerScope(const TracerScope&) = delete;
  TracerScope& operator=(const TracerScope&) = delete;

 private:
  Tracer* const before_;
};

/// The number of graph nodes alive in the process, leaves included: for tests of leaks.
std::int64_t live_nodes();

}  // namespace eigengrad
