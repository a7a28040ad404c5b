// Splitting loops over threads. Pieces that results may depend on are chosen by the size of the work alone, never by the
// number of threads, so that results have the same bits whatever that number is.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "eigengrad/core/multiversion.h"

namespace eigengrad {

/// The number of threads that loops use: EIGENGRAD_NUM_THREADS, else the number of processors.
int num_threads();
/// Throws ValueError unless it is at least 1.
void set_num_threads(int threads);

namespace detail {

/// Where the i-th of so many equal parts of n begins.
inline std::int64_t part_begin(std::int64_t n, std::int64_t i, std::int64_t parts) {
  return n / parts * i + n % parts * i / parts;
}

/// How a loop of `size` iterations is cut: into pieces of `units` of `unit` iterations.
struct Cut {
  std::int64_t size, unit, units, pieces;

  std::int64_t begin(std::int64_t piece) const {
    return piece == pieces ? size : part_begin(units, piece, pieces) * unit;
  }
};

using LoopBody = void (*)(void* context, std::int64_t begin, std::int64_t end);
void run_parallel(const Cut& cut, LoopBody body, void* context);

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

template <class F>
void run_cut(const Cut& cut, F& f) {
  run_parallel(
      cut,
      [](void* context, std::int64_t begin, std::int64_t end) { run_piece(*static_cast<F*>(context), begin, end); },
      const_cast<void*>(static_cast<const void*>(&f)));
}

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
  const std::int64_t unit = std::max<std::int64_t>(grain, 1), pieces = size / unit + (size % unit != 0);
  detail::run_cut({size, unit, pieces, pieces}, f);
}

/// The same for loops whose results do not depend on where they are cut: into equal pieces of at most about `grain`
/// iterations, in a number that two, four and eight threads share evenly. Loops over the same data are then cut at the
/// same places, whatever it takes them to be worth a second thread, and every thread finds in its processor's caches
/// what it has made itself. Long pieces begin at multiples of 64, so those of elements at cache lines.
template <class F>
void parallel_evenly(std::int64_t size, std::int64_t grain, F&& f) {
  constexpr std::int64_t kEven = 8, kMost = 4096, kLong = 4096;
  if (size <= 0) return;
  if (size <= grain || num_threads() == 1) {
    detail::run_piece(f, 0, size);
    return;
  }
  const std::int64_t unit = grain < kLong ? 1 : 64, units = (size - 1) / unit + 1;
  const std::int64_t wanted = std::min((size - 1) / std::max<std::int64_t>(grain, 1) + 1, kMost);
  detail::run_cut({size, unit, units, std::min(units, (wanted + kEven - 1) / kEven * kEven)}, f);
}

/// Into how many pieces to cut work whose pieces have results of their own, which are joined in order: about `wanted`,
/// at least 1 and at most `most`, and shared evenly as well.
inline std::int64_t piece_count(std::int64_t wanted, std::int64_t most) {
  return static_cast<std::int64_t>(
      std::bit_floor(static_cast<std::uint64_t>(std::clamp<std::int64_t>(wanted, 1, most))));
}

}  // namespace eigengrad
