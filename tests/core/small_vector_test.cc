#include "eigengrad/core/small_vector.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace eigengrad {
namespace {

// Counts the objects alive, and complains of the use of one that is not.
struct Counted {
  static inline int alive = 0;
  int value;
  const Counted* self;
  explicit Counted(int v = 0) : value(v), self(this) { ++alive; }
  Counted(const Counted& other) : value(other.value), self(this) { ++alive; }
  Counted(Counted&& other) noexcept : value(std::exchange(other.value, -1)), self(this) { ++alive; }
  Counted& operator=(const Counted& other) {
    EXPECT_EQ(self, this);
    value = other.value;
    return *this;
  }
  Counted& operator=(Counted&& other) noexcept {
    EXPECT_EQ(self, this);
    value = std::exchange(other.value, -1);
    return *this;
  }
  ~Counted() {
    EXPECT_EQ(self, this);
    --alive;
  }
  bool operator==(const Counted& other) const { return value == other.value; }
};

using Vector = SmallVector<Counted, 3>;

Vector numbered(int count) {
  Vector result;
  for (int i = 0; i < count; ++i) result.push_back(Counted(i));
  return result;
}

void expect_numbered(const Vector& vector, int count) {
  ASSERT_EQ(vector.size(), static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) EXPECT_EQ(vector[static_cast<std::size_t>(i)].value, i);
}

class SmallVectorOfSize : public testing::TestWithParam<int> {
 protected:
  void TearDown() override { EXPECT_EQ(Counted::alive, 0); }
};

// Inside the object, just full, on the heap, and grown more than once.
INSTANTIATE_TEST_SUITE_P(Sizes, SmallVectorOfSize, testing::Values(0, 1, 2, 3, 4, 7, 20));

TEST_P(SmallVectorOfSize, HoldsWhatWasPushed) { expect_numbered(numbered(GetParam()), GetParam()); }

TEST_P(SmallVectorOfSize, Copies) {
  const Vector original = numbered(GetParam());
  const Vector copy = original;
  expect_numbered(original, GetParam());
  expect_numbered(copy, GetParam());
  EXPECT_TRUE(copy == original);
}

TEST_P(SmallVectorOfSize, Moves) {
  Vector original = numbered(GetParam());
  Vector moved = std::move(original);
  expect_numbered(moved, GetParam());
  EXPECT_TRUE(original.empty());  // NOLINT(bugprone-use-after-move): empty, and of use again
  original.push_back(Counted(5));
  EXPECT_EQ(original.back().value, 5);
}

TEST_P(SmallVectorOfSize, AssignsOverAnySize) {
  for (const int size : {0, 2, 3, 9}) {
    Vector target = numbered(size), other = numbered(size);
    const Vector source = numbered(GetParam());
    target = source;
    expect_numbered(target, GetParam());
    other = numbered(GetParam());
    expect_numbered(other, GetParam());
  }
}

TEST_P(SmallVectorOfSize, AssignsToItself) {
  Vector vector = numbered(GetParam());
  Vector& alias = vector;
  vector = alias;
  expect_numbered(vector, GetParam());
  vector = std::move(alias);
  expect_numbered(vector, GetParam());
}

TEST_P(SmallVectorOfSize, InsertsAndErasesAnywhere) {
  const std::size_t size = static_cast<std::size_t>(GetParam());
  for (std::size_t at = 0; at <= size; ++at) {
    Vector vector = numbered(GetParam());
    vector.insert(at, Counted(99));
    ASSERT_EQ(vector.size(), size + 1);
    EXPECT_EQ(vector[at].value, 99);
    vector.erase(at);
    expect_numbered(vector, GetParam());
  }
}

TEST_P(SmallVectorOfSize, Resizes) {
  for (const std::size_t size : {0u, 2u, 3u, 4u, 30u}) {
    Vector vector = numbered(GetParam());
    vector.resize(size, Counted(7));
    ASSERT_EQ(vector.size(), size);
    for (std::size_t i = 0; i < size; ++i)
      EXPECT_EQ(vector[i].value, i < static_cast<std::size_t>(GetParam()) ? static_cast<int>(i) : 7);
  }
}

TEST_P(SmallVectorOfSize, PopsAndClears) {
  Vector vector = numbered(GetParam());
  if (!vector.empty()) {
    vector.pop_back();
    expect_numbered(vector, GetParam() - 1);
  }
  vector.clear();
  EXPECT_TRUE(vector.empty());
  vector.emplace_back(4);
  EXPECT_EQ(vector.front().value, 4);
}

// An element of the vector itself as the argument, while the vector grows.
TEST_P(SmallVectorOfSize, PushesItsOwnElement) {
  if (GetParam() == 0) return;
  Vector vector = numbered(GetParam());
  for (int i = 0; i < 10; ++i) vector.push_back(vector[0]);
  EXPECT_EQ(vector.back().value, 0);
}

TEST(SmallVector, HoldsTypesThatOnlyMove) {
  SmallVector<std::unique_ptr<std::string>, 1> vector;
  for (const char* text : {"a", "b", "c"}) vector.push_back(std::make_unique<std::string>(text));
  SmallVector<std::unique_ptr<std::string>, 1> moved = std::move(vector);
  EXPECT_EQ(*moved[2], "c");
}

TEST(SmallVector, ComparesSizesToo) {
  EXPECT_TRUE((SmallVector<int, 2>{1, 2}) == (SmallVector<int, 2>{1, 2}));
  EXPECT_FALSE((SmallVector<int, 2>{1, 2}) == (SmallVector<int, 2>{1, 2, 3}));
  EXPECT_FALSE((SmallVector<int, 2>{1, 2, 4}) == (SmallVector<int, 2>{1, 2, 3}));
}

}  // namespace
}  // namespace eigengrad
