#include <algorithm>
#include <cstring>
#include <mutex>
#include <optional>
#include <queue>
#include <unordered_map>
#include <utility>

#include "eigengrad/autograd/autograd.h"
#include "eigengrad/core/check.h"
#include "eigengrad/core/scope.h"
#include "eigengrad/ops/arithmetic.h"
#include "eigengrad/ops/inplace.h"
#include "eigengrad/ops/reduce.h"
#include "eigengrad/ops/shape.h"

namespace eigengrad {
namespace {

// One walk over the graph. Nodes are taken from a heap by falling creation number, which is a reverse topological
// order: when a node comes up, every gradient that reaches it has arrived. So there is no recursion and no counting.
class Walk {
 public:
  explicit Walk(const GradOptions& options)
      : options_(options),
        run_(next_run()),
        mode_(options.create_graph),
        tracer_(thread_state.tracer),
        traced_(options.create_graph ? tracer_ : nullptr) {}

  // Only nodes that lead to one of `targets` will be walked, and the gradients that arrive there are kept for taking.
  void restrict_to(std::span<const Tensor> outputs, std::span<const Tensor> targets);
  void seed(const Tensor& output, Tensor grad) {
    newest_ = std::max(newest_, output.impl().node->sequence());
    start(output, std::move(grad));
  }
  void run();
  // What arrived at a target, undefined if nothing did.
  Tensor take(const Tensor& target);
  // Adds what arrived at the leaves to their grad().
  void accumulate_into_leaves();

 private:
  // What this walk knows of one node. It is found by the mark in the node; another walk, of another thread or of a
  // hook, may overwrite that. Then a full walk makes a second record, which is harmless: gradients are linear, so a
  // node may be walked with its gradient in two parts. A restricted walk has all its records in a map to fall back on.
  struct Record {
    Node* node;
    bool walk = true;     // leads to a target, or no targets were named
    bool target = false;  // its gradients are kept
    bool queued = false;
    SmallVector<Tensor, 1> grads;     // by output slot
    SmallVector<Tensor, 1> captured;  // what arrived in all, after hooks, for targets
  };

  // The nodes that wait to be walked, newest first. The newest of all stands outside the heap: in a chain, and wherever
  // each node walked brings newer ones than those that wait, nothing is ever sifted.
  class Ready {
   public:
    bool empty() const { return !newest_; }
    void push(std::uint64_t sequence, std::uint32_t record) {
      Entry entry{sequence, record};
      if (newest_) {
        if (*newest_ < entry) std::swap(*newest_, entry);
        others_.push(entry);
      } else {
        newest_ = entry;
      }
    }
    std::uint32_t pop() {
      const std::uint32_t record = newest_->second;
      newest_.reset();
      if (!others_.empty()) {
        newest_ = others_.top();
        others_.pop();
      }
      return record;
    }

   private:
    using Entry = std::pair<std::uint64_t, std::uint32_t>;  // creation number, record
    std::optional<Entry> newest_;
    std::priority_queue<Entry> others_;
  };

  static std::uint64_t next_run() {
    static constinit std::atomic<std::uint32_t> counter{1};
    return std::uint64_t{add_relaxed(counter, std::uint32_t{1})} << 32;
  }
  std::uint32_t record_of(Node* node);
  std::uint32_t find(const Node* node) const;
  void start(const Tensor& output, Tensor&& grad);
  std::size_t discover(std::span<const Tensor> outputs);
  void find_ways_to_targets(std::size_t first);
  void add(const Ref<Node>& node, std::uint32_t slot, Tensor&& grad);
  void accumulate(Tensor& sum, Tensor&& grad) const;
  void visit(std::uint32_t index);
  void note_arrival(Record& record) const;
  Grads rule_results(Node& node, const SmallVector<Tensor, 1>& grads) const;
  void enter(Node& node, SmallVector<Tensor, 1> grads);
  // Graphs that are recomputed during the walk are newer than all others, and nobody else will walk them.
  bool keeps(const Node& node) const {
    return options_.create_graph || (options_.retain_graph && node.sequence() <= newest_);
  }
  void fit(const Node& node, std::size_t input, Tensor& grad) const;

  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  const GradOptions options_;
  const std::uint64_t run_;
  const GradMode mode_;  // rules run with recording on exactly under create_graph
  Tracer* const tracer_;
  const TracerScope traced_;         // likewise the ops in them are traced
  SmallVector<Ref<Node>, 1> roots_;  // keep the graph alive though a hook may drop the last tensor that does
  std::uint64_t newest_ = 0;         // the creation number of the newest node of the graph
  bool restricted_ = false;
  std::unordered_map<const Node*, std::uint32_t> discovered_;
  SmallVector<Record, 8> records_;
  SmallVector<std::uint32_t, 8> leaves_;  // those of them that belong to leaves
  SmallVector<std::uint32_t, 8> unused_;  // those whose node has been walked: a long chain needs but two
  Ready ready_;
};

std::uint32_t Walk::find(const Node* node) const {
  const std::uint64_t mark = node->engine_mark.load(std::memory_order_relaxed);
  const auto index = static_cast<std::uint32_t>(mark);
  const bool mine = (mark >> 32 << 32) == run_ && index < records_.size() && records_[index].node == node;
  if (mine || !restricted_) return mine ? index : kNone;
  const auto entry = discovered_.find(node);
  return entry == discovered_.end() ? kNone : entry->second;
}

std::uint32_t Walk::record_of(Node* node) {
  std::uint32_t index = find(node);
  if (index != kNone) return index;
  if (unused_.empty()) {
    index = static_cast<std::uint32_t>(records_.size());
    records_.emplace_back(node);
  } else {
    index = unused_.back();
    unused_.pop_back();
    records_[index].node = node;
  }
  if (node->is_leaf()) leaves_.push_back(index);
  node->engine_mark.store(run_ | index, std::memory_order_relaxed);
  return index;
}

void Walk::start(const Tensor& output, Tensor&& grad) {
  roots_.push_back(output.impl().node);
  add(output.impl().node, output.impl().slot, std::move(grad));
}

// Every node below the outputs that has no record yet gets one, lowest creation number first. Returns the first of
// these.
std::size_t Walk::discover(std::span<const Tensor> outputs) {
  std::vector<Node*> found;
  const auto note = [&](const Ref<Node>& node) {
    if (node && discovered_.emplace(node.get(), kNone).second) found.push_back(node.get());
  };
  for (const Tensor& output : outputs) note(output.impl().node);
  for (std::size_t i = 0; i < found.size(); ++i)
    for (const Edge& edge : found[i]->edges()) note(edge.node);
  std::stable_sort(found.begin(), found.end(),
                   [](const Node* a, const Node* b) { return a->sequence() < b->sequence(); });
  const std::size_t first = records_.size();
  for (Node* node : found) discovered_[node] = record_of(node);
  restricted_ = true;
  return first;
}

// Inputs come before the node that uses them, so one pass upwards settles which nodes lead to a target.
void Walk::find_ways_to_targets(std::size_t first) {
  for (std::size_t i = first; i < records_.size(); ++i) {
    Record& record = records_[i];
    record.walk = false;
    for (const Edge& edge : record.node->edges()) {
      if (!edge.node) continue;
      const std::uint32_t index = find(edge.node.get());
      if (index != kNone && (records_[index].walk || records_[index].target)) record.walk = true;
    }
  }
}

void Walk::restrict_to(std::span<const Tensor> outputs, std::span<const Tensor> targets) {
  discover(outputs);
  for (const Tensor& target : targets)
    if (const std::uint32_t index = find(target.impl().node.get()); index != kNone) records_[index].target = true;
  find_ways_to_targets(0);
}

void Walk::accumulate(Tensor& sum, Tensor&& grad) const {
  if (!sum.defined()) {
    sum = std::move(grad);
  } else if (!options_.create_graph && sum.is_sole_owner() && sum.is_contiguous()) {
    add_(sum, grad);
  } else {
    sum = sum + grad;
  }
}

void Walk::add(const Ref<Node>& node, std::uint32_t slot, Tensor&& grad) {
  std::uint32_t index = find(node.get());
  if (index == kNone) {
    if (restricted_) return;
    index = record_of(node.get());
  }
  Record& record = records_[index];
  if (!record.walk && !record.target) return;
  if (record.grads.size() == slot) {
    record.grads.push_back(std::move(grad));
  } else {
    if (record.grads.size() < slot) record.grads.resize(slot + 1);
    accumulate(record.grads[slot], std::move(grad));
  }
  if (record.queued) return;
  record.queued = true;
  // A leaf is complete only when the whole walk is.
  if (!node->is_leaf()) ready_.push(node->sequence(), index);
}

// Brings a gradient to the shape of the input that it belongs to, or says which op returned something else.
void Walk::fit(const Node& node, std::size_t input, Tensor& grad) const {
  const Edge& edge = node.edges()[input];
  EG_CHECK(grad.dtype() == edge.dtype, GradError, "the gradient of [{}] for input {} is {}, expected {}", node.name(),
           input, grad.dtype(), edge.dtype);
  if (grad.shape() == edge.shape) return;
  EG_CHECK(broadcasts_to(edge.shape, grad.shape()), GradError,
           "the gradient of [{}] for input {} has shape {}, which does not sum to the input's {}", node.name(), input,
           grad.shape(), edge.shape);
  grad = sum_to(grad, edge.shape);
}

void Walk::visit(std::uint32_t index) {
  Record& record = records_[index];
  Node* const node = record.node;
  record.queued = false;
  if (tracer_ || node->has_hooks()) note_arrival(record);
  if (record.target) record.captured = record.grads;
  if (!record.walk) return record.grads.clear();
  if (node->is_recomputed()) return enter(*node, std::exchange(record.grads, {}));
  Grads results = rule_results(*node, record.grads);
  record.grads.clear();  // so that a gradient handed on may be added to in place
  if (!restricted_) {
    record.node = nullptr;
    unused_.push_back(index);
  }
  if (!keeps(*node)) node->release_saved();
  const std::span<const Edge> edges = node->edges();
  const std::span<Tensor> grads(results.data(), results.size());
  for (std::size_t i = 0; i < edges.size(); ++i) {
    if (!edges[i].node || !grads[i].defined()) continue;
    fit(*node, i, grads[i]);
    add(edges[i].node, edges[i].slot, std::move(grads[i]));
  }
}

void Walk::note_arrival(Record& record) const {
  for (std::uint32_t slot = 0; slot < record.grads.size(); ++slot) {
    if (!record.grads[slot].defined()) continue;
    record.grads[slot] = record.node->run_hooks(slot, std::move(record.grads[slot]));
    if (tracer_) tracer_->on_grad(*record.node, slot, record.grads[slot]);
  }
}

// What the gradient rule of a node makes of the gradients that reached it.
Grads Walk::rule_results(Node& node, const SmallVector<Tensor, 1>& grads) const {
  SmallVector<const Tensor*, 2> pointers;
  for (const Tensor& grad : grads) pointers.push_back(&grad);
  if (tracer_) tracer_->before();
  Grads results = [&] {
    const ScopeGuard in_scope(node.scope());  // what a rule records belongs where the op does
    const CallSiteGuard called_there(node.site());
    return node.backward(TensorRefs(pointers.data(), pointers.size()), options_.create_graph);
  }();
  EG_CHECK(results.size() == node.edges().size(), GradError,
           "the gradient of [{}] has {} parts, expected {}: one per input", node.name(), results.size(),
           node.edges().size());
  if (tracer_) tracer_->on_rule(node, {results.data(), results.size()});
  return results;
}

// The graph that a node stands for is made again. It is newer than all that waits, so it is walked next, in the order
// in which it would have been walked had it been kept: sums have the same bits.
void Walk::enter(Node& node, SmallVector<Tensor, 1> grads) {
  const std::vector<Tensor> outputs = node.recompute();
  if (!keeps(node)) node.release_saved();
  for (std::size_t slot = 0; slot < grads.size(); ++slot) {
    if (!grads[slot].defined()) continue;
    if (restricted_) find_ways_to_targets(discover({&outputs[slot], 1}));
    start(outputs[slot], std::move(grads[slot]));
  }
}

void Walk::run() {
  while (!ready_.empty()) visit(ready_.pop());
  for (std::size_t i = 0; i < leaves_.size(); ++i) {
    Record& record = records_[leaves_[i]];
    if (record.grads.empty()) continue;
    if (tracer_ || record.node->has_hooks()) note_arrival(record);
    if (record.target) record.captured = record.grads;
  }
}

Tensor Walk::take(const Tensor& target) {
  const std::uint32_t index = find(target.impl().node.get());
  if (index == kNone) return Tensor();
  const auto& captured = records_[index].captured;
  return target.impl().slot < captured.size() ? captured[target.impl().slot] : Tensor();
}

Tensor row_major_copy(const Tensor& x) {
  if (!x.is_contiguous()) return contiguous(x);
  const Tensor copy = empty(x.shape(), x.dtype());
  std::memcpy(copy.impl().data, x.impl().data, static_cast<std::size_t>(x.numel()) * size_of(x.dtype()));
  return copy;
}

void Walk::accumulate_into_leaves() {
  // Threads may walk graphs of their own that meet in shared parameters.
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  for (const std::uint32_t index : leaves_) {
    Record& record = records_[index];
    if (record.grads.empty()) continue;
    Tensor grad = std::move(record.grads[0]);
    Tensor& sum = static_cast<Leaf*>(record.node)->mutable_grad();
    if (sum.defined()) {
      accumulate(sum, std::move(grad));
    } else {
      // Gradients may share memory with one another (a + b hands one tensor to both) or with a caller's.
      // Users read them by data(), and optimizers walk them beside the parameter: they are row-major.
      sum = grad.is_contiguous() && grad.is_sole_owner() ? std::move(grad) : row_major_copy(grad);
    }
  }
}

Tensor starting_grad(const char* function, const Tensor& output, const Tensor& grad) {
  EG_CHECK(
      output.requires_grad(), GradError,
      "[{}] the output of shape {} depends on nothing that requires grad: call set_requires_grad() on an input, and do "
      "not compute under NoGrad or on detached tensors",
      function, output.shape());
  if (!grad.defined()) {
    EG_CHECK(output.numel() == 1, GradError,
             "[{}] the output has shape {}, not one element: reduce it, or give the gradient to start from", function,
             output.shape());
    return ones_like(output);
  }
  EG_CHECK(grad.shape() == output.shape(), ShapeError,
           "[{}] the gradient to start from has shape {}, expected the output's {}", function, grad.shape(),
           output.shape());
  EG_CHECK(grad.dtype() == output.dtype(), DtypeError,
           "[{}] the gradient to start from is {}, expected the output's {}", function, grad.dtype(), output.dtype());
  return grad;
}

void seed(Walk& walk, const char* function, std::span<const Tensor> outputs, std::span<const Tensor> grads) {
  EG_CHECK(grads.empty() || grads.size() == outputs.size(), GradError, "[{}] {} gradients to start from for {} outputs",
           function, grads.size(), outputs.size());
  for (std::size_t i = 0; i < outputs.size(); ++i)
    walk.seed(outputs[i], starting_grad(function, outputs[i], grads.empty() ? Tensor() : grads[i]));
}

}  // namespace

void backward(std::span<const Tensor> outputs, std::span<const Tensor> grad_outputs, const BackwardOptions& options) {
  Walk walk({.create_graph = false, .retain_graph = options.retain_graph});
  seed(walk, "backward", outputs, grad_outputs);
  walk.run();
  walk.accumulate_into_leaves();
}

void Tensor::backward(const Tensor& grad, const BackwardOptions& options) const {
  eigengrad::backward(std::span(this, 1), std::span(&grad, 1), options);
}

std::vector<Tensor> grad(std::span<const Tensor> outputs, std::span<const Tensor> inputs,
                         std::span<const Tensor> grad_outputs, const GradOptions& options) {
  for (std::size_t i = 0; i < inputs.size(); ++i)
    EG_CHECK(inputs[i].requires_grad(), GradError, "[grad] input {} of shape {} does not require grad", i,
             inputs[i].shape());
  Walk walk(options);
  walk.restrict_to(outputs, inputs);
  seed(walk, "grad", outputs, grad_outputs);
  walk.run();
  std::vector<Tensor> result;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    result.push_back(walk.take(inputs[i]));
    EG_CHECK(options.allow_unused || result.back().defined(), GradError,
             "[grad] the outputs do not depend on input {} of shape {}: pass allow_unused = true to get an undefined "
             "gradient",
             i, inputs[i].shape());
  }
  return result;
}

std::vector<Tensor> grad(const Tensor& output, std::span<const Tensor> inputs, const GradOptions& options) {
  return grad(std::span(&output, 1), inputs, {}, options);
}

std::vector<Tensor> grad(const Tensor& output, std::initializer_list<Tensor> inputs, const GradOptions& options) {
  return grad(output, std::span(inputs.begin(), inputs.size()), options);
}

}  // namespace eigengrad
