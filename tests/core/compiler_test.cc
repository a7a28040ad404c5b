// What a compiler has got wrong.
#include <gtest/gtest.h>

#include <cstdint>

namespace eigengrad {
namespace {

struct Four {
  std::uint64_t a, b, c, d;
};

[[gnu::noinline]] std::uint64_t third(Four four) { return four.c; }

// gcc 12.0 to 12.2 copy the constant {5, 5, 0, 0} as {5, 5, 5, 5} unless told how (cmake/flags.cmake, GCC bug 108599).
TEST(Compiler, CopiesConstants) { EXPECT_EQ(third({5, 5, 0, 0}), 0u); }

}  // namespace
}  // namespace eigengrad
