// Loops compiled for several kinds of processor, of which the one that runs chooses: for builds that are to run on
// others than the one they are made on.
#pragma once

#if defined(EIGENGRAD_MULTIVERSION)
#  include <exception>
#endif

/// Before a function: with all that it calls inlined, it is compiled for AVX-512, for AVX2 and for every processor of
/// the kind. Set by the build when it does not compile for this machine alone (EIGENGRAD_NATIVE).
#if defined(EIGENGRAD_MULTIVERSION)
#  define EG_MULTIVERSION \
    [[gnu::noinline, gnu::flatten, gnu::target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")]]
#else
#  define EG_MULTIVERSION [[gnu::noinline]]
#endif

namespace eigengrad::detail {

/// f(), compiled so. gcc 12 takes a call of such a function for one that throws nothing, and an exception would end the
/// process: it is carried past the call.
#if defined(EIGENGRAD_MULTIVERSION)
template <class F>
EG_MULTIVERSION void run_caught(const F& f, std::exception_ptr& error) noexcept {
  try {
    f();
  } catch (...) {
    error = std::current_exception();
  }
}
template <class F>
void run_multiversioned(const F& f) {
  std::exception_ptr error;
  run_caught(f, error);
  if (error) std::rethrow_exception(error);
}
#endif

}  // namespace eigengrad::detail
