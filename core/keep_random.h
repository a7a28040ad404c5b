// Random numbers that are drawn and not meant to count.
#pragma once

#include <cstdint>

#include "eigengrad/core/random.h"

namespace eigengrad {

/// Leaves the default generator where it was: what is drawn while it lives does not change the random numbers of a run.
class KeepRandom {
 public:
  KeepRandom() : offset_(default_generator().offset()) {}
  ~KeepRandom() { default_generator().set_offset(offset_); }
  KeepRandom(const KeepRandom&) = delete;
  KeepRandom& operator=(const KeepRandom&) = delete;

 private:
  const std::uint64_t offset_;
};

}  // namespace eigengrad
