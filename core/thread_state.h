// What the running thread has switched: whether ops record a graph, who watches them, and in which module they run.
#pragma once

#include <cstdint>
#include <source_location>

namespace eigengrad {

class Tracer;

struct ThreadState {
  bool grad_enabled = true;
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
  explicit GradMode(bool enabled) : before_(thread_state.grad_enabled) { thread_state.grad_enabled = enabled; }
  ~GradMode() { thread_state.grad_enabled = before_; }
  GradMode(const GradMode&) = delete;
  GradMode& operator=(const GradMode&) = delete;

 private:
  const bool before_;
};

/// `NoGrad no_grad;` evaluates without recording: for inference, and for changing parameters in place.
class NoGrad : public GradMode {
 public:
  NoGrad() : GradMode(false) {}
};

}  // namespace eigengrad
