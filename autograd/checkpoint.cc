#include "eigengrad/autograd/checkpoint.h"

#include <cstring>
#include <optional>
#include <set>
#include <unordered_set>

#include "eigengrad/core/apply.h"
#include "eigengrad/core/arg.h"
#include "eigengrad/core/check.h"
#include "eigengrad/core/random.h"
#include "eigengrad/core/scope.h"
#include "eigengrad/ops/shape.h"

namespace eigengrad {
namespace {

using In = std::span<const Tensor>;

// Where the default generator stands.
struct RandomState {
  std::uint64_t seed = default_generator().seed();
  std::uint64_t offset = default_generator().offset();

  void restore() const {
    default_generator().set_seed(seed);
    default_generator().set_offset(offset);
  }
};

// While it lives, the default generator draws what it drew from that state on.
class Replay {
 public:
  explicit Replay(const RandomState& state) { state.restore(); }
  ~Replay() { before_.restore(); }
  Replay(const Replay&) = delete;
  Replay& operator=(const Replay&) = delete;

 private:
  const RandomState before_;
};

// In the manner of FNV-1a, by words of 64 bits: equal tensors have equal hashes, and others hardly ever.
std::uint64_t hash_of(const Tensor& x) {
  const Tensor row_major = contiguous(x.detach());
  const std::size_t bytes = static_cast<std::size_t>(x.numel()) * size_of(x.dtype());
  const std::byte* const data = row_major.raw<std::byte>();
  std::uint64_t hash = 14695981039346656037u;
  for (std::size_t i = 0; i < bytes; i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, data + i, std::min<std::size_t>(8, bytes - i));
    hash = (hash ^ word) * 1099511628211u;
    hash ^= hash >> 32;
  }
  return hash;
}

// What is remembered of an output, to know it again.
struct Fingerprint {
  Shape shape;
  Dtype dtype;
  bool requires_grad;
  std::uint64_t hash;

  explicit Fingerprint(const Tensor& y)
      : shape(y.shape()), dtype(y.dtype()), requires_grad(y.requires_grad()), hash(hash_of(y)) {}
  bool operator==(const Fingerprint&) const = default;
};

Edge edge_to(const Tensor& x) { return {x.impl().node, x.impl().slot, x.dtype(), x.shape()}; }

// Where the graph that was made since node `start` ends: at inputs, and at what else the function uses.
std::vector<Edge> boundary(In outputs, std::uint64_t start) {
  std::vector<Edge> result;
  std::set<std::pair<const Node*, std::uint32_t>> ends;
  std::unordered_set<const Node*> seen;
  std::vector<const Node*> inside;
  const auto note = [&](const Edge& edge) {
    const Node* const node = edge.node.get();
    if (!node) return;
    if (node->sequence() < start) {
      if (ends.emplace(node, edge.slot).second) result.push_back(edge);
    } else if (seen.insert(node).second) {
      inside.push_back(node);
    }
  };
  for (const Tensor& y : outputs) note(edge_to(y));
  for (std::size_t i = 0; i < inside.size(); ++i)
    for (const Edge& edge : inside[i]->edges()) note(edge);
  return result;
}

class Checkpoint final : public Node {
 public:
  Checkpoint(const TensorFunction& function, In inputs) : function_(function), inputs_(inputs.begin(), inputs.end()) {
    for (const Tensor& x : inputs_) versions_.push_back(x.version());
  }
  std::string_view name() const override { return "checkpoint"; }
  Grads backward(TensorRefs, bool) override { return {}; }  // the engine recomputes instead
  bool is_recomputed() const noexcept override { return true; }
  std::vector<Tensor> recompute() override;
  void release_saved() noexcept override {
    function_.reset();
    inputs_.clear();
  }
  // The outputs, behind this node instead of the graph that made them.
  std::vector<Tensor> run();

 private:
  void check_inputs() const;
  void check_outputs(In outputs) const;

  std::optional<TensorFunction> function_;  // none once released
  std::vector<Tensor> inputs_;
  std::vector<std::uint32_t> versions_;
  const RandomState random_;
  const Precision precision_ = thread_state.precision;
  std::vector<Fingerprint> fingerprints_;
};

std::vector<Tensor> Checkpoint::run() {
  std::vector<Tensor> outputs = (*function_)(inputs_);
  for (std::size_t i = 0; i < outputs.size(); ++i)
    EG_CHECK(outputs[i].defined(), ValueError, "[checkpoint] output {} of the function is an undefined tensor", i);
  for (Edge& edge : boundary(outputs, sequence())) edges_.push_back(std::move(edge));
  if (edges_.empty()) return outputs;
  for (std::uint32_t slot = 0; slot < outputs.size(); ++slot) {
    Tensor& y = outputs[slot];
    fingerprints_.emplace_back(y);
    if (!y.requires_grad()) continue;
    const Tensor inner = std::exchange(y, y.detach());
    y.impl().node = Ref<Node>::share(this);
    y.impl().slot = slot;
    const Tensor* const input = &inner;
    if (thread_state.tracer) {
      thread_state.tracer->before();
      detail::trace({name(), Attributes(), TensorRefs(&input, 1), y, 0});
    }
  }
  return outputs;
}

void Checkpoint::check_inputs() const {
  check_saved(function_.has_value());
  for (std::size_t i = 0; i < inputs_.size(); ++i)
    EG_CHECK(inputs_[i].version() == versions_[i], GradError,
             "[checkpoint] input {} of shape {} was changed in place before the function could run again (version {}, "
             "expected {}): change it after backward(), or give the function a clone",
             i, inputs_[i].shape(), inputs_[i].version(), versions_[i]);
}

void Checkpoint::check_outputs(In outputs) const {
  EG_CHECK(outputs.size() == fingerprints_.size(), GradError,
           "[checkpoint] the function returned {} tensors on its second run, and {} on the first", outputs.size(),
           fingerprints_.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Tensor& y = outputs[i];
    EG_CHECK(y.defined() && Fingerprint(y) == fingerprints_[i], GradError,
             "[checkpoint] output {} of shape {} is another on the function's second run: it must not use what has "
             "changed since the first, nor random numbers that are not from the default generator",
             i, fingerprints_[i].shape);
  }
  const std::vector<Edge> ends = boundary(outputs, sequence());
  const auto same = [](const Edge& a, const Edge& b) { return a.node == b.node && a.slot == b.slot; };
  EG_CHECK(
      std::equal(ends.begin(), ends.end(), edges_.begin(), edges_.end(), same), GradError,
      "[checkpoint] the function uses other tensors that require grad on its second run: such tensors must be made "
      "outside of it");
}

std::vector<Tensor> Checkpoint::recompute() {
  check_inputs();
  const GradMode recording(true);
  const ScopeGuard in_scope(scope());
  const CallSiteGuard called_there(site());
  const Replay replay(random_);
  const Autocast as_before(precision_);
  std::vector<Tensor> outputs = (*function_)(inputs_);
  check_outputs(outputs);
  return outputs;
}

}  // namespace

std::vector<Tensor> checkpoint(const TensorFunction& function, In inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i)
    EG_CHECK(inputs[i].defined(), ValueError, "[checkpoint] input {} is an undefined tensor", i);
  if (!grad_enabled()) return function(inputs);
  return Ref<Checkpoint>::adopt(new Checkpoint(function, inputs))->run();
}

std::vector<Tensor> checkpoint(const TensorFunction& function, std::initializer_list<Tensor> inputs) {
  return checkpoint(function, In(inputs.begin(), inputs.size()));
}

Tensor checkpoint(const TensorFunction& function, const Tensor& input) {
  const std::vector<Tensor> outputs = checkpoint(function, In(&input, 1));
  EG_CHECK(outputs.size() == 1, GradError,
           "[checkpoint] the function returned {} tensors, expected one: give the input as a list", outputs.size());
  return outputs[0];
}

}  // namespace eigengrad
