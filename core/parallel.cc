#include "eigengrad/core/parallel.h"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <mutex>

#include "eigengrad/core/check.h"

namespace eigengrad {
namespace {

int threads_from_environment() {
  const char* text = std::getenv("EIGENGRAD_NUM_THREADS");
  const int wanted = text ? std::atoi(text) : 0;
  return wanted > 0 ? wanted : std::max(1, omp_get_num_procs());
}

std::atomic<int>& thread_setting() {
  static std::atomic<int> setting{threads_from_environment()};
  return setting;
}

}  // namespace

int num_threads() { return thread_setting().load(std::memory_order_relaxed); }

void set_num_threads(int threads) {
  EG_CHECK(threads >= 1, ValueError, "[set_num_threads] expected at least 1, found {}", threads);
  thread_setting().store(threads, std::memory_order_relaxed);
}

namespace detail {

void run_parallel(std::int64_t size, std::int64_t grain, LoopBody body, void* context) {
  grain = std::max<std::int64_t>(grain, 1);
  const std::int64_t pieces = size / grain + (size % grain != 0);
  const int threads = static_cast<int>(std::min<std::int64_t>(num_threads(), pieces));
  const auto run_piece = [&](std::int64_t piece) {
    const std::int64_t begin = piece * grain;
    body(context, begin, begin + std::min(grain, size - begin));
  };
  if (threads <= 1 || omp_in_parallel()) {
    for (std::int64_t piece = 0; piece < pieces; ++piece) run_piece(piece);
    return;
  }
  // An exception that left the region would end the process, so it is carried out by hand.
  std::exception_ptr error;
  std::mutex error_mutex;
#pragma omp parallel for num_threads(threads) schedule(static)
  for (std::int64_t piece = 0; piece < pieces; ++piece) {
    try {
      run_piece(piece);
    } catch (...) {
      const std::lock_guard lock(error_mutex);
      if (!error) error = std::current_exception();
    }
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace detail
}  // namespace eigengrad
