#include "eigengrad/core/node.h"

#include "eigengrad/core/check.h"

namespace eigengrad {
namespace {

std::atomic<std::uint64_t> next_sequence{1};
std::atomic<std::uint64_t> next_hook_id{1};

}  // namespace

struct Node::Extras {
  struct Hook {
    std::uint32_t slot;
    std::uint64_t id;
    GradHook call;
  };
  struct Retained {
    std::uint32_t slot;
    Tensor grad;
  };
  std::vector<Hook> hooks;
  std::vector<Retained> retained;
};

Node::Node()
    : scope_(thread_state.scope), sequence_(add_relaxed(next_sequence, std::uint64_t{1})), site_(thread_state.site) {}
Node::Node(LeafTag) : scope_(0), sequence_(0), site_() {}
Node::~Node() = default;

void Node::check_saved(bool kept) const {
  EG_CHECK(
      kept, GradError,
      "backward through [{}] a second time: what it had saved was freed by the first pass; pass retain_graph = true "
      "to the first",
      name());
}

void Tracer::on_rule(const Node&, std::span<const Tensor>) {}

std::int64_t live_nodes() { return detail::node_count.load(std::memory_order_relaxed); }

// Destroying a node releases its edges and saved tensors, which may end further nodes: those wait in a list, linked
// through themselves, instead of nesting, however long the chain.
void Node::destroy(Node* node) noexcept {
  static thread_local constinit bool ending = false;
  static thread_local constinit Node* waiting = nullptr;
  if (ending) {
    node->next_ended_ = std::exchange(waiting, node);
    return;
  }
  ending = true;
  delete node;
  while (waiting) {
    Node* const next = waiting;
    waiting = next->next_ended_;
    delete next;
  }
  ending = false;
}

std::uint64_t Node::add_hook(std::uint32_t slot, GradHook hook) {
  if (!extras_) extras_ = std::make_unique<Extras>();
  const std::uint64_t id = next_hook_id.fetch_add(1, std::memory_order_relaxed);
  extras_->hooks.push_back({slot, id, std::move(hook)});
  return id;
}

void Node::remove_hook(std::uint64_t id) {
  if (extras_) std::erase_if(extras_->hooks, [id](const Extras::Hook& hook) { return hook.id == id; });
}

void Node::retain_grad(std::uint32_t slot) {
  if (!extras_) extras_ = std::make_unique<Extras>();
  for (const Extras::Retained& entry : extras_->retained)
    if (entry.slot == slot) return;
  extras_->retained.push_back({slot, Tensor()});
}

Tensor Node::retained_grad(std::uint32_t slot) const {
  if (extras_)
    for (const Extras::Retained& entry : extras_->retained)
      if (entry.slot == slot) return entry.grad;
  return Tensor();
}

void Node::set_retained_grad(std::uint32_t slot, const Tensor& grad) {
  if (!extras_) return;
  for (Extras::Retained& entry : extras_->retained)
    if (entry.slot == slot) entry.grad = grad;
}

Tensor Node::run_hooks(std::uint32_t slot, Tensor grad) {
  if (!extras_) return grad;
  const std::vector<Extras::Hook> hooks = extras_->hooks;  // a hook may add or remove hooks
  for (const Extras::Hook& hook : hooks) {
    if (hook.slot != slot) continue;
    const std::uint32_t version = grad.version();
    Tensor replaced = hook.call(grad);
    // Other inputs of the op may be about to receive the same tensor.
    EG_CHECK(grad.version() == version, GradError,
             "a hook on the gradient of [{}] changed it in place: return a new tensor instead", name());
    if (!replaced.defined()) continue;
    EG_CHECK(replaced.shape() == grad.shape() && replaced.dtype() == grad.dtype(), GradError,
             "a hook on the gradient of [{}] returned {} {}, expected {} {}", name(), replaced.dtype(),
             replaced.shape(), grad.dtype(), grad.shape());
    grad = std::move(replaced);
  }
  set_retained_grad(slot, grad.detach());
  return grad;
}

}  // namespace eigengrad
