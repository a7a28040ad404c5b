#include "eigengrad/core/allocation_recorder.h"

#include <gtest/gtest.h>

#include "eigengrad/core/allocator.h"
#include "eigengrad/core/tensor.h"

namespace eigengrad {
namespace {

TEST(AllocationRecorder, SeesEveryBlockOfTheThread) {
  deallocate(allocate(5000), 5000);  // one that is kept and would be handed out again unseen
  AllocationRecorder recorder;
  void* const first = allocate(5000);
  void* const second = allocate(100);
  deallocate(first, 5000);
  void* const third = allocate(5000);
  deallocate(third, 5000);
  deallocate(second, 100);
  std::vector<std::int64_t> bytes;
  for (const AllocationEvent& event : recorder.events()) bytes.push_back(event.bytes);
  EXPECT_EQ(bytes, (std::vector<std::int64_t>{5000, 100, -5000, 5000, -5000, -100}));
  EXPECT_EQ(recorder.events()[0].block, recorder.events()[2].block);
  EXPECT_EQ(recorder.events()[1].block, recorder.events()[5].block);
}

TEST(AllocationRecorder, EndsWhereItEnds) {
  {
    const AllocationRecorder recorder;
    zeros({1000});
    EXPECT_EQ(recorder.events().size(), 2u);
  }
  if (cache_limit() == 0) GTEST_SKIP() << "nothing is kept in this build";
  const std::int64_t before = memory_stats().cached_bytes;
  deallocate(allocate(1 << 20), 1 << 20);
  EXPECT_GE(memory_stats().cached_bytes, before + (1 << 20)) << "blocks are kept again";
}

TEST(AllocationRecorder, RefusesWhatIsTooMuch) {
  const AllocationRecorder recorder(1 << 20);
  EXPECT_THROW(zeros({1 << 20}), MemoryError);
  const Tensor half = zeros({1 << 17});
  EXPECT_THROW(zeros({1 << 18}), MemoryError);
  EXPECT_NO_THROW(zeros({1 << 16}));
}

}  // namespace
}  // namespace eigengrad
