#include "eigengrad/core/parallel.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <new>
#include <thread>

#include "eigengrad/core/check.h"

namespace eigengrad {
namespace {

// How long a thread that has run out of work looks for more before it sleeps: about the serial part of a training step.
constexpr auto kSpin = std::chrono::microseconds(200);

int processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof set, &set) == 0 ? std::max(1, CPU_COUNT(&set)) : 1;
}

int threads_from_environment() {
  const char* text = std::getenv("EIGENGRAD_NUM_THREADS");
  const int wanted = text ? std::atoi(text) : 0;
  return wanted > 0 ? wanted : processors();
}

std::atomic<int>& thread_setting() {
  static std::atomic<int> setting{threads_from_environment()};
  return setting;
}

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

using Clock = std::chrono::steady_clock;

// Set on every thread that is running a piece: loops inside it stay on the thread.
thread_local bool inside_loop = false;

// A loop cut into pieces. Every thread begins with a part of its own, the same in loops of the same size, and helps the
// others when it has done that. Helping has a price: what another processor has written may take ten times as long to
// come as what is in a thread's own caches, and what it takes over here is missing there in the next loop. So a thread
// that is done waits a little for those that are nearly done.
struct Loop {
  // A part's next piece, and where it ends, in a cache line of its own.
  struct alignas(64) Part {
    std::atomic<std::int64_t> next;
    std::int64_t end;
    // Looked at before a piece is taken: others may have taken all, and need the line no more.
    bool has_pieces() const { return next.load(std::memory_order_relaxed) < end; }
  };
  static constexpr int kMostParts = 64;
  static constexpr auto kLeastPatience = std::chrono::microseconds(2);

  const detail::Cut cut;
  const detail::LoopBody body;
  void* const context;
  int part_count = 0;
  alignas(Part) std::byte room[sizeof(Part) * kMostParts];  // left as it is but for the parts that there are
  std::mutex error_mutex;
  std::exception_ptr error;

  Loop(const detail::Cut& of, detail::LoopBody with, void* in) : cut(of), body(with), context(in) {}

  void share_out(int threads) {
    part_count = std::min(threads, kMostParts);
    for (int k = 0; k < part_count; ++k)
      ::new (&part(k))
          Part{detail::part_begin(cut.pieces, k, part_count), detail::part_begin(cut.pieces, k + 1, part_count)};
  }
  Part& part(int k) { return reinterpret_cast<Part*>(room)[k]; }
  void run_piece(std::int64_t piece) const { body(context, cut.begin(piece), cut.begin(piece + 1)); }

  // `thread` is the number of the one that calls.
  void take_pieces(int thread) {
    inside_loop = true;
    const auto begin = Clock::now();
    Part& own = part(thread % part_count);
    take_part(own);
    const auto end = Clock::now(), patience = end + kLeastPatience + (end - begin) / 4;
    for (int k = 1; k < part_count; ++k) {
      Part& other = part((thread + k) % part_count);
      while (other.has_pieces() && Clock::now() < patience) relax();
      take_part(other);
    }
    inside_loop = false;
  }
  void take_part(Part& part) {
    while (part.has_pieces()) {
      const std::int64_t piece = part.next.fetch_add(1, std::memory_order_relaxed);
      if (piece >= part.end) return;
      try {
        run_piece(piece);
      } catch (...) {
        const std::lock_guard lock(error_mutex);
        if (!error) error = std::current_exception();
      }
    }
  }
};

// Threads that help whoever opens a loop. The opener takes pieces as well, and waits at the end only for helpers that
// have begun: one that the system has put aside, because other programs are busy, holds nobody up.
class Pool {
 public:
  // Runs the loop with the help of `helpers` threads. False, with nothing done, when another thread has the pool.
  bool run(Loop& loop, int helpers) {
    const std::unique_lock owner(owner_, std::try_to_lock);
    if (!owner) return false;
    while (threads_ < helpers) {
      std::thread([this, number = threads_ + 1] { help(number); }).detach();
      ++threads_;
    }
    loop_ = &loop;
    left_.store(0, std::memory_order_relaxed);
    const std::uint64_t number = ((gate_.load(std::memory_order_relaxed) >> kNumberShift) + 1) << kNumberShift;
    gate_.store(number | static_cast<std::uint64_t>(helpers) << kPlacesShift | kOpen, std::memory_order_seq_cst);
    if (sleepers_.load(std::memory_order_seq_cst) > 0) {
      alarm_.fetch_add(1, std::memory_order_release);
      alarm_.notify_all();
    }
    loop.take_pieces(0);
    const std::uint64_t entered = gate_.fetch_and(~kOpen, std::memory_order_acq_rel) & kEnteredMask;
    for (int looks = 0; left_.load(std::memory_order_acquire) != entered; ++looks) {
      if (looks < 2000)
        relax();
      else
        std::this_thread::yield();
    }
    return true;
  }

 private:
  // The gate in one word: how many helpers have entered (15 bits), whether it is open, how many may (16), the loop's
  // number.
  static constexpr std::uint64_t kEnteredMask = (1 << 15) - 1, kOpen = 1 << 15;
  static constexpr int kPlacesShift = 16, kNumberShift = 32;

  // Whether this thread may join the loop behind the gate, which is not the one it was in before.
  bool enter(std::uint64_t& last) {
    std::uint64_t gate = gate_.load(std::memory_order_acquire);
    while ((gate & kOpen) && gate >> kNumberShift != last) {
      if ((gate & kEnteredMask) >= (gate >> kPlacesShift & 0xffff)) return false;
      if (gate_.compare_exchange_weak(gate, gate + 1, std::memory_order_acq_rel)) {
        last = gate >> kNumberShift;
        return true;
      }
    }
    return false;
  }

  [[noreturn]] void help(int number) {
    for (std::uint64_t last = 0;;) {
      wait_and_enter(last);
      loop_->take_pieces(number);
      left_.fetch_add(1, std::memory_order_release);
    }
  }

  void wait_and_enter(std::uint64_t& last) {
    auto until = Clock::now() + kSpin;
    for (int looks = 1;; ++looks) {
      if (enter(last)) return;
      relax();
      if (looks % 64 != 0 || Clock::now() < until) continue;
      // Whoever opens the gate after sleepers_ has counted this thread rings; if it was opened before, enter() sees it.
      const std::uint32_t heard = alarm_.load(std::memory_order_acquire);
      sleepers_.fetch_add(1, std::memory_order_seq_cst);
      const bool entered = enter(last);
      if (!entered) alarm_.wait(heard, std::memory_order_acquire);
      sleepers_.fetch_sub(1, std::memory_order_seq_cst);
      if (entered) return;
      until = Clock::now() + kSpin;
    }
  }

  std::mutex owner_;  // guards threads_ and loop_
  int threads_ = 0;
  Loop* loop_ = nullptr;
  alignas(64) std::atomic<std::uint64_t> gate_{0};
  alignas(64) std::atomic<std::uint64_t> left_{0};
  std::atomic<int> sleepers_{0};
  std::atomic<std::uint32_t> alarm_{0};
};

// Never destroyed: its threads run until the program ends. After a fork the child has none of them, and begins a new
// pool.
std::atomic<Pool*> pool{nullptr};

Pool& the_pool() {
  static const bool ready = [] {
    pool.store(new Pool);
    pthread_atfork(nullptr, nullptr, [] { pool.store(new Pool); });
    return true;
  }();
  static_cast<void>(ready);
  return *pool.load(std::memory_order_acquire);
}

}  // namespace

int num_threads() { return thread_setting().load(std::memory_order_relaxed); }

void set_num_threads(int threads) {
  EG_CHECK(threads >= 1 && threads <= 1024, ValueError, "[set_num_threads] expected 1 to 1024, found {}", threads);
  thread_setting().store(threads, std::memory_order_relaxed);
}

namespace detail {

void run_parallel(const Cut& cut, LoopBody body, void* context) {
  Loop loop(cut, body, context);
  const int threads = static_cast<int>(std::min<std::int64_t>(num_threads(), cut.pieces));
  if (threads > 1 && !inside_loop) loop.share_out(threads);
  if (threads > 1 && !inside_loop && the_pool().run(loop, threads - 1)) {
    if (loop.error) std::rethrow_exception(loop.error);
    return;
  }
  for (std::int64_t piece = 0; piece < cut.pieces; ++piece) loop.run_piece(piece);
}

}  // namespace detail
}  // namespace eigengrad
