// The search for where a NaN or an infinity came from.
#pragma once

#include <string>

#include "eigengrad/core/error.h"
#include "eigengrad/core/node.h"

namespace eigengrad {

/// A value or a gradient that is not finite, found by DetectAnomaly.
class NonFiniteError : public Error {
 public:
  using Error::Error;
};

/// Looks at the results of every op and every gradient rule of this thread while it lives, and keeps the first finding:
/// a NaN, or an infinity that an op makes of inputs that have none. Infinities that are handed on, as those of a mask,
/// count only if nothing worse is found.
///
/// It reads all of them, and so slows everything down; ops are only looked at by the innermost tracer.
class AnomalyFinder : public Tracer {
 public:
  AnomalyFinder() : scope_(this) {}
  void on_op(const OpEvent& event) override;
  void on_grad(const Node& node, std::uint32_t slot, const Tensor& grad) override;
  void on_rule(const Node& node, std::span<const Tensor> results) override;

  /// Whether there was one.
  bool found() const { return !finding_.empty(); }
  /// Which op gave what value where, of what inputs, and where in the source and in which module it was called.
  const std::string& finding() const { return found() ? finding_ : handed_on_; }

 protected:
  /// Called with the finding.
  virtual void report(std::string finding) { finding_ = std::move(finding); }

 private:
  const TracerScope scope_;
  std::string finding_, handed_on_;
};

/// `const DetectAnomaly guard;`: while it lives, the first value or gradient on this thread that is not finite throws
/// NonFiniteError, as AnomalyFinder describes it:
///
///   [log] gave -inf at [2] of shape [3] (1 of 3 values is not finite), of finite inputs of shapes [3]; called at
///   net.cc:12 in module 'encoder'
class DetectAnomaly : public AnomalyFinder {
 protected:
  void report(std::string finding) override { throw NonFiniteError(finding); }
};

}  // namespace eigengrad
