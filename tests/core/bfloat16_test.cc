#include "eigengrad/core/bfloat16.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "eigengrad/core/random.h"
#include "eigengrad/core/tensor.h"
#include "tests/expect_error.h"

namespace eigengrad {
namespace {

BFloat16 of_bits(int bits) {
  BFloat16 x;
  x.bits = static_cast<std::uint16_t>(bits);
  return x;
}

TEST(BFloat16, EveryNumberComesBack) {
  for (int bits = 0; bits < 1 << 16; ++bits) {
    const float wide = of_bits(bits);
    if (std::isnan(wide))
      EXPECT_TRUE(std::isnan(static_cast<float>(BFloat16(wide)))) << bits;
    else
      EXPECT_EQ(BFloat16(wide).bits, bits);
  }
}

// Half way between two neighbours goes to the even one, the rest to the nearest.
TEST(BFloat16, RoundsToTheNearest) {
  for (int bits = 0x0000; bits < 0x7F7F; ++bits) {
    const double low = of_bits(bits), high = of_bits(bits + 1);
    const auto middle = static_cast<float>((low + high) / 2);
    EXPECT_EQ(BFloat16(middle).bits, bits % 2 == 0 ? bits : bits + 1);
    EXPECT_EQ(BFloat16(std::nextafter(middle, 0.0F)).bits, bits);
    EXPECT_EQ(BFloat16(std::nextafter(middle, 3.4e38F)).bits, bits + 1);
    EXPECT_EQ(BFloat16(-middle).bits, (bits % 2 == 0 ? bits : bits + 1) | 0x8000);
  }
}

TEST(BFloat16, KnowsInfinitiesAndNaN) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(static_cast<float>(BFloat16(infinity)), infinity);
  EXPECT_EQ(static_cast<float>(BFloat16(-infinity)), -infinity);
  EXPECT_EQ(static_cast<float>(BFloat16(3.4e38F)), infinity);  // beyond the largest, 3.39e38
  EXPECT_EQ(static_cast<float>(BFloat16(1e300)), infinity);
  EXPECT_TRUE(std::isnan(static_cast<float>(BFloat16(std::bit_cast<float>(0x7F800001U)))));
}

TEST(BFloat16, TensorsAreMadeReadAndPrinted) {
  const Tensor x = full({2, 2}, 0.1, kBFloat16);
  EXPECT_EQ(x.dtype(), kBFloat16);
  EXPECT_EQ(x.data<BFloat16>()[3].bits, 0x3DCD);
  EXPECT_EQ(x.to_vector<BFloat16>()[0].bits, 0x3DCD);
  EXPECT_EQ(full({}, 0.1, kBFloat16).item(), 0.10009765625);
  EXPECT_EQ(to_string(x), "tensor([[0.1001, 0.1001],\n        [0.1001, 0.1001]], dtype=bfloat16)");
  EXPECT_EQ(eye(2, kBFloat16).data<BFloat16>()[3].bits, 0x3F80);
  EXPECT_EQ(arange(0, 3, 1, kBFloat16).data<BFloat16>()[2].bits, 0x4000);
  EXPECT_EQ(linspace(0, 1, 3, kBFloat16).data<BFloat16>()[1].bits, 0x3F00);
  expect_error<DtypeError>([&] { (void)x.data<float>(); }, "[data] the tensor is bfloat16, expected float32");
}

TEST(BFloat16, RandomNumbersStayBelowTheirLimit) {
  Generator generator(1);
  for (const auto& [low, high] : {std::pair{0.0, 1.0}, {-1.0, 0.0}, {-3.0, -1.5}, {0.996, 0.997}}) {
    Tensor x = empty({20000}, kBFloat16);
    fill_uniform(x, low, high, generator);
    double sum = 0;
    for (const float value : x.to_vector<BFloat16>()) {
      ASSERT_LT(value, high);
      ASSERT_GE(value, low - 0x1p-9);
      sum += value;
    }
    EXPECT_NEAR(sum / 20000, (low + high) / 2, 0.02);
  }
  double square = 0;
  for (const float value : randn({20000}, kBFloat16, generator).to_vector<BFloat16>())
    square += static_cast<double>(value) * static_cast<double>(value);
  EXPECT_NEAR(square / 20000, 1, 0.05);
}

}  // namespace
}  // namespace eigengrad
