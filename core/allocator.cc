#include "eigengrad/core/allocator.h"

#include <malloc.h>
#include <sys/mman.h>

#include <array>
#include <cstdlib>
#include <limits>
#include <mutex>
#include <new>
#include <utility>

#include "eigengrad/core/allocation_recorder.h"

// Under the address sanitizer a reused block would hide a use after free, so nothing is cached.
#if defined(__SANITIZE_ADDRESS__)
#  define EIGENGRAD_CACHE_BLOCKS 0
#else
#  define EIGENGRAD_CACHE_BLOCKS 1
#endif

namespace eigengrad {
namespace {

using detail::FreeBlock;
using detail::SizeClass;
using detail::thread_memory;
using detail::ThreadMemory;

// What one thread may keep: enough for the activations of a training step of the usual laptop models.
constexpr std::int64_t kCacheLimit = EIGENGRAD_CACHE_BLOCKS ? std::int64_t{1} << 30 : 0;

// Large blocks lie in large pages, which spares the processor most of its looking up of addresses. The sanitizer is to
// see around every block.
constexpr std::size_t kLargePage = std::size_t{2} << 20;
constexpr bool is_mapped(std::size_t bytes) { return EIGENGRAD_CACHE_BLOCKS && bytes >= kLargePage; }

// A block that begins with a large page. Those pages are made large that `wanted` bytes will fill, so that no more
// memory is taken than is written. Systems that have none leave them small.
void* map_block(std::size_t bytes, std::size_t wanted) {
  const std::size_t room = bytes + kLargePage;
  void* const mapped = ::mmap(nullptr, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  auto* const begin = static_cast<std::byte*>(mapped);
  const std::size_t before = kLargePage - reinterpret_cast<std::uintptr_t>(mapped) % kLargePage;
  std::byte* const block = begin + before;
  ::munmap(begin, before);
  if (before < kLargePage) ::munmap(block + bytes, kLargePage - before);
  ::madvise(block, wanted / kLargePage * kLargePage, MADV_HUGEPAGE);
  return block;
}

void* system_allocate(std::size_t bytes, std::size_t wanted) {
  if (is_mapped(bytes)) return map_block(bytes, wanted);
  void* const block = std::aligned_alloc(kAlignment, bytes);
  if (!block) throw std::bad_alloc();
  return block;
}

void system_free(void* block, std::size_t bytes) noexcept {
  if (is_mapped(bytes))
    ::munmap(block, bytes);
  else
    std::free(block);
}

// glibc gives large blocks back to the kernel at once, and pays for it in page faults at the next step.
void keep_freed_pages() {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, -1);
  mallopt(M_TOP_PAD, 64 << 20);
}

// The counters of all threads: readers add up.
struct Registry {
  std::mutex mutex;
  std::array<ThreadMemory*, 1024> threads{};
  std::int64_t live = 0, blocks = 0;  // what threads that are gone had counted

  template <class F>
  void for_each(F f) {
    for (ThreadMemory* memory : threads)
      if (memory) f(*memory);
  }
};

// Never destroyed: tensors with static storage may be freed after every other global.
Registry& registry() {
  static Registry* const instance = [] {
    keep_freed_pages();
    return new Registry;
  }();
  return *instance;
}

// The size of a class, as size_class tells it.
constexpr std::size_t class_bytes(std::size_t index) {
  constexpr std::size_t kSteps = detail::kLargestBySteps / kAlignment;
  if (index < kSteps) return (index + 1) * kAlignment;
  return ((index - kSteps) % 4 + 5) << ((index - kSteps) / 4 + 7);
}
static_assert([] {
  for (std::size_t i = 0; i < detail::kSizeClasses; ++i)
    if (detail::size_class(class_bytes(i)).index != i || detail::size_class(class_bytes(i)).bytes != class_bytes(i))
      return false;
  return true;
}());

void free_kept(ThreadMemory& memory) noexcept {
  for (std::size_t i = 0; i < memory.free.size(); ++i)
    for (FreeBlock*& head = memory.free[i]; head;) system_free(std::exchange(head, head->next), class_bytes(i));
  memory.held.set(memory.live.get());
}

thread_local constinit AllocationRecorder* recorder = nullptr;

// Set when the thread's memory has been given back: blocks freed later, by other thread-local objects, go to the
// system.
thread_local constinit bool thread_ended = false;

// Makes the thread known, and takes leave of it when it ends.
class Membership {
 public:
  Membership() {
    Registry& all = registry();
    const std::lock_guard lock(all.mutex);
    for (ThreadMemory*& place : all.threads)
      if (!place) {
        place = &thread_memory;
        break;
      }
    thread_memory.limit = kCacheLimit;
  }
  ~Membership() {
    ThreadMemory& memory = thread_memory;
    free_kept(memory);
    memory.limit = 0;
    thread_ended = true;
    Registry& all = registry();
    const std::lock_guard lock(all.mutex);
    all.live += memory.live.get();
    all.blocks += memory.given.get() - memory.returned.get();
    for (ThreadMemory*& place : all.threads)
      if (place == &memory) place = nullptr;
  }
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;
};

// Whether the thread counts for itself: it has not ended.
bool is_member() {
  if (thread_ended) return false;
  static thread_local const Membership membership;
  return true;
}

void count_for_others(std::int64_t bytes, std::int64_t blocks) {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  all.live += bytes;
  all.blocks += blocks;
}

}  // namespace

void* detail::allocate_slowly(std::size_t bytes) {
  if (bytes > std::numeric_limits<std::size_t>::max() / 2) throw std::bad_alloc();  // or rounding up would wrap to 0
  const auto size = static_cast<std::int64_t>(size_class(bytes).bytes);
  const bool member = is_member();
  if (recorder && !recorder->has_room(static_cast<std::int64_t>(bytes))) throw std::bad_alloc();
  void* block = system_allocate(static_cast<std::size_t>(size), bytes);
  if (recorder) recorder->note(block, static_cast<std::int64_t>(bytes));
  if (!member) {
    count_for_others(size, 1);
    return block;
  }
  ThreadMemory& memory = thread_memory;
  memory.given.add(1);
  memory.held.add(size);
  memory.live.add(size);
  if (memory.live.get() > memory.peak.get()) memory.peak.set(memory.live.get());
  return block;
}

// Also the way of a thread's first block: it may turn out that it is to be kept.
void detail::deallocate_slowly(void* block, std::size_t bytes) noexcept {
  const SizeClass size_class = detail::size_class(bytes);
  const auto size = static_cast<std::int64_t>(size_class.bytes);
  if (recorder) recorder->note(block, -static_cast<std::int64_t>(bytes));
  if (!is_member()) {
    count_for_others(-size, -1);
    system_free(block, size_class.bytes);
    return;
  }
  ThreadMemory& memory = thread_memory;
  memory.returned.add(1);
  memory.live.add(-size);
  if (memory.held.get() - memory.live.get() <= memory.limit) {
    memory.free[size_class.index] = ::new (block) FreeBlock{memory.free[size_class.index]};
    return;
  }
  memory.held.add(-size);
  system_free(block, size_class.bytes);
}

MemoryStats memory_stats() {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  MemoryStats total{.live_bytes = all.live, .live_blocks = all.blocks};
  all.for_each([&](const ThreadMemory& memory) {
    total.live_bytes += memory.live.get();
    total.live_blocks += memory.given.get() - memory.returned.get();
    total.peak_bytes += memory.peak.get();
    total.cached_bytes += memory.held.get() - memory.live.get();
  });
  return total;
}

std::int64_t allocation_count() noexcept { return thread_memory.given.get(); }

void reset_peak_memory() {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  all.for_each([](ThreadMemory& memory) { memory.peak.set(memory.live.get()); });
}

void release_cached_memory() noexcept { free_kept(thread_memory); }

std::int64_t cache_limit() { return kCacheLimit; }

// With nothing to hand out and no room to keep anything, every block goes the slow way, where it is seen.
AllocationRecorder::AllocationRecorder(std::int64_t most) : most_(most) {
  is_member();
  free_kept(thread_memory);
  limit_before_ = std::exchange(thread_memory.limit, std::numeric_limits<std::int64_t>::min() / 2);
  recorder = this;
}

AllocationRecorder::~AllocationRecorder() {
  recorder = nullptr;
  thread_memory.limit = limit_before_;
}

void AllocationRecorder::note(const void* block, std::int64_t bytes) {
  live_ += bytes;
  events_.push_back({block, bytes});
}

}  // namespace eigengrad
