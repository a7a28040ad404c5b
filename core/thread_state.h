// What the running thread has switched: whether ops record a graph, who watches them, and in which module they run.
#pragma once

#include <cstdint>
#include <source_location>

namespace eigengrad {

class Tracer;

/// With what products and convolutions of float32 tensors multiply: BFloat16 keeps 8 bits of each factor's mantissa.
/// The sums, and all results, are float32.
enum class Precision : std::uint8_t { Float32, BFloat16 };

struct ThreadState {
  bool grad_enabled = true;
  Precision precision = Precision::Float32;
  Tracer* tracer = nullptr;
  std::uint32_t scope = 0;      // a ScopeId, see core/scope.h
  std::source_location site{};  // where the user's source called the op that runs, see core/arg.h
};

/// The calling thread's state.
inline thread_local constinit ThreadState thread_state;

/// Whether ops record the graph on this thread.
inline bool grad_enabled() { return thread_state.grad_enabled; }

/// While it lives, ops on this thread record no graph (GradMode(false), NoGrad) or record one (GradMode(true)).
class GradMode {
 public:
  /// `enabled`: whether ops record.
  explicit GradMode(bool enabled) : before_(thread_state.grad_enabled) { thread_state.grad_enabled = enabled; }
  ~GradMode() { thread_state.grad_enabled = before_; }
  GradMode(const GradMode&) = delete;
  GradMode& operator=(const GradMode&) = delete;

 private:
  const bool before_;
};

/// `const Autocast autocast;`: while it lives, linear, matmul and convolutions on this thread multiply in bfloat16, at
/// twice the speed where the processor has instructions for it; their gradients then do so as well, wherever backward()
/// is called. What is faster in float32 stays there: small products, and most convolutions of 3×3. Weights,
/// activations, sums, normalisation and losses stay float32, and float64 is not touched. (PyTorch's autocast also
/// stores what lies between in bfloat16; this is its set_float32_matmul_precision("medium").)
class Autocast {
 public:
  /// `precision`: with what to multiply.
  explicit Autocast(Precision precision = Precision::BFloat16) : before_(thread_state.precision) {
    thread_state.precision = precision;
  }
  ~Autocast() { thread_state.precision = before_; }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  const Precision before_;
};

/// `NoGrad no_grad;` evaluates without recording: for inference, and for changing parameters in place.
class NoGrad : public GradMode {
 public:
  NoGrad() : GradMode(false) {}
};

}  // namespace eigengrad
