// Splitting loops over threads. The pieces depend on the size of the work alone, never on the number of threads, so
// that results have the same bits whatever that number is.
#pragma once

#include <cstdint>
#include <type_traits>

#include "eigengrad/core/multiversion.h"

namespace eigengrad {

/// The number of threads that loops use: EIGENGRAD_NUM_THREADS, else the number of processors.
int num_threads();
/// Throws ValueError unless it is at least 1.
void set_num_threads(int threads);

namespace detail {
using LoopBody = void (*)(void* context, std::int64_t begin, std::int64_t end);
void run_parallel(std::int64_t size, std::int64_t grain, LoopBody body, void* context);

#if defined(EIGENGRAD_MULTIVERSION)
template <class F>
void run_piece(F& f, std::int64_t begin, std::int64_t end) {
  run_multiversioned([&] { f(begin, end); });
}
#else
template <class F>
EG_MULTIVERSION void run_piece(F& f, std::int64_t begin, std::int64_t end) {
  f(begin, end);
}
#endif
}  // namespace detail

/// Calls f(begin, end) for consecutive pieces of [0, size) of `grain` iterations each, on several threads when there is
/// more than one piece. Nested calls run on the calling thread. An exception thrown by f is rethrown here.
template <class F>
void parallel_for(std::int64_t size, std::int64_t grain, F&& f) {
  if (size <= 0) return;
  if (size <= grain) {
    detail::run_piece(f, 0, size);
    return;
  }
  using Body = std::remove_reference_t<F>;
  detail::run_parallel(
      size, grain,
      [](void* context, std::int64_t begin, std::int64_t end) {
        detail::run_piece(*static_cast<Body*>(context), begin, end);
      },
      const_cast<void*>(static_cast<const void*>(&f)));
}

}  // namespace eigengrad
