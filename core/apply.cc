#include "eigengrad/core/apply.h"

#include "eigengrad/core/check.h"

namespace eigengrad {
namespace {

Tensor alias(const Tensor& x) {
  const TensorImpl& impl = x.impl();
  return Tensor(TensorImpl::create(impl.storage, impl.data, impl.shape, impl.strides, impl.dtype));
}

}  // namespace

void RecordedNode::connect(TensorRefs inputs, std::span<const SaveMask> saves) {
  SaveMask mask = kNothing;
  edges_.reserve(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const TensorImpl& impl = inputs[i].impl();
    edges_.emplace_back(impl.node, impl.slot, impl.dtype, impl.shape);
    if (impl.node) mask |= saves[saves.size() == 1 ? 0 : i];
  }
  saved_outputs_ = mask & kOutput;
  if ((mask & kInputs) == kNothing) return;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const bool wanted = i < 28 ? (mask & input(static_cast<unsigned>(i))) != 0 : (mask & kInputs) == kInputs;
    if (wanted) saved_.emplace_back(static_cast<std::int32_t>(i), inputs[i].version(), inputs[i]);
  }
}

void RecordedNode::produce(RecordedNode* node, TensorRefs inputs, std::span<Tensor> outputs,
                           const detail::Widening* widening) {
  Ref<Node> owner = Ref<Node>::adopt(node);
  if (widening) node->computes_in_ = widening->computes_in();
  node->outputs_ = static_cast<std::uint32_t>(outputs.size());
  for (std::uint32_t slot = 0; slot < outputs.size(); ++slot) {
    Tensor& output = outputs[slot];
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (output.is_same(inputs[i])) {
        output = alias(output);
        break;
      }
    if ((node->saved_outputs_ & eigengrad::output(slot)) != 0) {
      const Tensor& kept = widening && slot > 0 ? widening->computed(slot) : output;
      node->saved_.emplace_back(-1 - static_cast<std::int32_t>(slot), kept.version(), alias(kept));
    }
    if (!is_floating(output.dtype())) continue;
    output.impl().slot = slot;
    output.impl().node = slot + 1 == outputs.size() ? std::move(owner) : owner;
  }
}

void RecordedNode::release_saved() noexcept {
  released_ = released_ || !saved_.empty();
  saved_.clear();
}

const RecordedNode::Entry& RecordedNode::entry(std::int32_t index) const {
  for (const Entry& entry : saved_) {
    if (entry.index != index) continue;
    const std::uint32_t version = entry.tensor.version();
    EG_CHECK(
        version == entry.version, GradError,
        "[{}] {} {} of shape {} was changed in place after it had been saved for the gradient (version {}, expected "
        "{}): change it after backward(), or give the op a clone",
        name(), index < 0 ? "output" : "input", index < 0 ? -1 - index : index, entry.tensor.shape(), version,
        entry.version);
    return entry;
  }
  throw GradError(fmt::format("[{}] its gradient reads {} {}, which kSaves does not name", name(),
                              index < 0 ? "output" : "input", index < 0 ? -1 - index : index));
}

Tensor RecordedNode::linked(const Entry& entry) const {
  if (entry.index >= 0 || !grad_enabled()) return entry.tensor;
  Tensor output = alias(entry.tensor);
  output.impl().node = Ref<Node>::share(const_cast<RecordedNode*>(this));
  output.impl().slot = static_cast<std::uint32_t>(-1 - entry.index);
  return output;
}

Dtype Saved::dtype(std::size_t i) const {
  const Dtype dtype = node_.edges_[i].dtype;
  return widened_ && is_floating(dtype) ? widened_->computes_in() : dtype;
}

const Tensor& Saved::x(std::size_t i) const {
  const RecordedNode::Entry& entry = node_.entry(static_cast<std::int32_t>(i));
  return widened_ ? widened_->saved(entry) : entry.tensor;
}

Tensor Saved::y(std::size_t k) const {
  const RecordedNode::Entry& entry = node_.entry(-1 - static_cast<std::int32_t>(k));
  return widened_ ? widened_->saved(entry) : node_.linked(entry);
}

namespace detail {

void throw_undefined_input(const char* op, TensorRefs inputs) {
  std::size_t i = 0;
  while (inputs[i].defined()) ++i;
  throw ValueError(fmt::format("[{}] input {} is an undefined tensor", op, i));
}

void trace(const OpEvent& event) {
  Tracer* const tracer = thread_state.tracer;
  const InsideOp inside;
  tracer->on_op(event);
}

double usual_flops(TensorRefs inputs, const Tensor& output) {
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (inputs[i].impl().storage == output.impl().storage) return 0;
  const std::int64_t of_input = inputs.size() > 0 ? inputs[0].numel() : 0;
  return static_cast<double>(std::max(of_input, output.numel()));
}

}  // namespace detail
}  // namespace eigengrad
