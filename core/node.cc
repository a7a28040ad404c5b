#include "eigengrad/core/node.h"

#include "eigengrad/core/allocator.h"
#include "eigengrad/core/check.h"

namespace eigengrad {
namespace {

std::atomic<std::uint64_t> next_sequence{1};
std::atomic<std::uint64_t> next_hook_id{1};
std::atomic<std::int64_t> node_count{0};

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
    : sequence_(next_sequence.fetch_add(1, std::memory_order_relaxed)),
      scope_(thread_state.scope),
      site_(thread_state.site) {}
Node::Node(LeafTag) : sequence_(0), scope_(0), site_() {}
Node::~Node() = default;

void Node::check_saved(bool kept) const {
  EG_CHECK(
      kept, GradError,
      "backward through [{}] a second time: what it had saved was freed by the first pass; pass retain_graph = true "
      "to the first",
      name());
}

void Tracer::on_rule(const Node&, std::span<const Tensor>) {}

void* Node::operator new(std::size_t bytes) {
  void* block = allocate(bytes);
  node_count.fetch_add(1, std::memory_order_relaxed);
  return block;
}

void Node::operator delete(void* block, std::size_t bytes) noexcept {
  node_count.fetch_sub(1, std::memory_order_relaxed);
  deallocate(block, bytes);
}

std::int64_t live_nodes() { return node_count.load(std::memory_order_relaxed); }

// Destroying a node releases its edges and saved tensors, which may end further nodes: those wait in a list instead of
// nesting, however long the chain.
void Node::destroy(Node* node) noexcept {
  static thread_local std::vector<Node*>* waiting = nullptr;
  if (waiting) {
    waiting->push_back(node);
    return;
  }
  std::vector<Node*> list;
  waiting = &list;
  delete node;
  while (!list.empty()) {
    Node* next = list.back();
    list.pop_back();
    delete next;
  }
  waiting = nullptr;
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
