#include "eigengrad/core/dtype.h"

#include <gtest/gtest.h>

#include <limits>

namespace eigengrad {
namespace {

constexpr Dtype kTypes[] = {kBool, kInt64, kBFloat16, kFloat32, kFloat64};

TEST(Dtype, NamesAndSizes) {
  EXPECT_EQ(to_string(kBool), "bool");
  EXPECT_EQ(to_string(kInt64), "int64");
  EXPECT_EQ(to_string(kBFloat16), "bfloat16");
  EXPECT_EQ(to_string(kFloat32), "float32");
  EXPECT_EQ(to_string(kFloat64), "float64");
  EXPECT_EQ(size_of(kBool), sizeof(bool));
  EXPECT_EQ(size_of(kInt64), 8u);
  EXPECT_EQ(size_of(kBFloat16), 2u);
  EXPECT_EQ(size_of(kFloat32), 4u);
  EXPECT_EQ(size_of(kFloat64), 8u);
}

TEST(Dtype, FloatingAreThree) {
  EXPECT_TRUE(is_floating(kBFloat16) && is_floating(kFloat32) && is_floating(kFloat64));
  EXPECT_FALSE(is_floating(kBool) || is_floating(kInt64));
}

// torch.promote_types, row against column.
TEST(Dtype, PromotesAsPyTorchDoes) {
  const Dtype expected[5][5] = {{kBool, kInt64, kBFloat16, kFloat32, kFloat64},
                                {kInt64, kInt64, kBFloat16, kFloat32, kFloat64},
                                {kBFloat16, kBFloat16, kBFloat16, kFloat32, kFloat64},
                                {kFloat32, kFloat32, kFloat32, kFloat32, kFloat64},
                                {kFloat64, kFloat64, kFloat64, kFloat64, kFloat64}};
  for (int i = 0; i < 5; ++i)
    for (int j = 0; j < 5; ++j) EXPECT_EQ(promote_types(kTypes[i], kTypes[j]), expected[i][j]) << i << j;
}

TEST(Dtype, OfElements) {
  EXPECT_EQ(dtype_of<bool>, kBool);
  EXPECT_EQ(dtype_of<std::int64_t>, kInt64);
  EXPECT_EQ(dtype_of<BFloat16>, kBFloat16);
  EXPECT_EQ(dtype_of<float>, kFloat32);
  EXPECT_EQ(dtype_of<double>, kFloat64);
}

TEST(Scalar, HasTheTypeOfItsKind) {
  EXPECT_EQ(Scalar(true).dtype(), kBool);
  EXPECT_EQ(Scalar(3).dtype(), kInt64);
  EXPECT_EQ(Scalar(std::uint8_t{3}).dtype(), kInt64);
  EXPECT_EQ(Scalar(3.0f).dtype(), kFloat32);
  EXPECT_EQ(Scalar(3.0).dtype(), kFloat32);
}

TEST(Scalar, IsOutrankedByTensorsOfItsKind) {
  const Dtype by_bool[] = {kBool, kInt64, kBFloat16, kFloat32, kFloat64};
  const Dtype by_integer[] = {kInt64, kInt64, kBFloat16, kFloat32, kFloat64};
  const Dtype by_floating[] = {kFloat32, kFloat32, kBFloat16, kFloat32, kFloat64};
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(Scalar(false).promoted_with(kTypes[i]), by_bool[i]);
    EXPECT_EQ(Scalar(1).promoted_with(kTypes[i]), by_integer[i]);
    EXPECT_EQ(Scalar(1.5).promoted_with(kTypes[i]), by_floating[i]);
  }
}

TEST(Scalar, KeepsIntegersExactly) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(Scalar(kMax).to<std::int64_t>(), kMax);
  EXPECT_EQ(Scalar(2.75).to<double>(), 2.75);
  EXPECT_EQ(Scalar(true).to<double>(), 1.0);
}

}  // namespace
}  // namespace eigengrad
