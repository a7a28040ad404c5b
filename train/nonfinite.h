// The search for where a NaN or an infinity came from.
#pragma once

#include <string>

#include "eigengrad/core/node.h"

namespace eigengrad::train {

/// Looks at every op and gradient while it lives, and remembers the first with a value that is not finite.
class NonFiniteFinder : public Tracer {
 public:
  NonFiniteFinder() : scope_(this) {}
  void on_op(std::string_view name, const Attributes& attributes, TensorRefs inputs, const Tensor& output) override;
  void on_grad(const Node& node, std::uint32_t slot, const Tensor& grad) override;

  bool found() const { return !finding_.empty(); }
  /// A sentence: which op, in which module, from which inputs.
  const std::string& finding() const { return finding_; }

 private:
  const TracerScope scope_;
  std::string finding_;
};

}  // namespace eigengrad::train
