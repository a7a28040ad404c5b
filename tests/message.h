// What an exception says.
#pragma once

#include <string>

#include "eigengrad/core/error.h"

namespace eigengrad {

/// The message of the error that f throws.
template <class E = Error, class F>
std::string message_of(F f) {
  try {
    f();
  } catch (const E& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace eigengrad
