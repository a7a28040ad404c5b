// Errors of what is made from a configuration, told where it stands there.
#pragma once

#include <string>

#include "eigengrad/config/diagnostics.h"
#include "eigengrad/core/error.h"

namespace eigengrad::config {

/// Runs f. What it throws is noted as a mistake at a place, and gives false.
template <class F>
bool noting(Diagnostics& diagnostics, const std::string& pointer, Position position, F f) {
  try {
    f();
    return true;
  } catch (const Error& error) {
    diagnostics.add(pointer, position, error.what());
    return false;
  }
}

}  // namespace eigengrad::config
