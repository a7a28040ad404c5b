#include "eigengrad/train/wording.h"

#include <gtest/gtest.h>

#include <cmath>

namespace eigengrad::train {
namespace {

TEST(Wording, OfNumbers) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1234567), "1\u202f234\u202f567");
  EXPECT_EQ(grouped(-1000), "−1\u202f000");
  EXPECT_EQ(abbreviated(999), "999");
  EXPECT_EQ(abbreviated(101770), "102 k");
  EXPECT_EQ(abbreviated(4.4148e7), "44.1 M");
  EXPECT_EQ(percent(0.9783), "97.83 %");
  EXPECT_EQ(percent(1), "100.0 %");
  EXPECT_EQ(shown("valid_f1", 0.5), "50.00 %");
  EXPECT_EQ(shown("loss", 0.123456), "0.1235");
  EXPECT_EQ(shown("accuracy", std::nan("")), "not finite");
}

TEST(Wording, OfTimes) {
  EXPECT_EQ(duration(0.00025), "250 µs");
  EXPECT_EQ(duration(0.0012), "1.2 ms");
  EXPECT_EQ(duration(0.35), "350 ms");
  EXPECT_EQ(duration(6.94), "6.9 s");
  EXPECT_EQ(duration(125), "2 min 5 s");
  EXPECT_EQ(duration(11520), "3 h 12 min");
}

TEST(Wording, OfNames) {
  EXPECT_EQ(title_of("valid_f1"), "validation F1");
  EXPECT_EQ(title_of("test_top5_accuracy"), "test top5 accuracy");
  EXPECT_EQ(title_of("lr"), "learning rate");
  EXPECT_EQ(capital("loss"), "Loss");
  EXPECT_EQ(capital(""), "");
}

}  // namespace
}  // namespace eigengrad::train
