// Names for places in a model: every graph node remembers the module path in which it was made.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "eigengrad/core/thread_state.h"

namespace eigengrad {

/// An interned path such as "encoder.fc1"; 0 is the empty path.
using ScopeId = std::uint32_t;

/// The id of `name` below `parent`: the same pair always has the same id. An empty name is the parent itself.
ScopeId scope_below(ScopeId parent, std::string_view name);
/// The path of an id, its parts joined by dots.
std::string scope_path(ScopeId id);

/// While it lives, ops on this thread belong to the scope.
class ScopeGuard {
 public:
  /// The scope of an id.
  explicit ScopeGuard(ScopeId id) : before_(thread_state.scope) { thread_state.scope = id; }
  /// The scope of a name below the present one.
  explicit ScopeGuard(std::string_view name) : ScopeGuard(scope_below(thread_state.scope, name)) {}
  ~ScopeGuard() { thread_state.scope = before_; }
  ScopeGuard(const ScopeGuard&) = delete;
  ScopeGuard& operator=(const ScopeGuard&) = delete;

 private:
  const ScopeId before_;
};

}  // namespace eigengrad
