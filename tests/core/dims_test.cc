#include "eigengrad/core/dims.h"

#include <gtest/gtest.h>

#include <limits>

#include "eigengrad/core/error.h"

namespace eigengrad {
namespace {

TEST(Dims, PrintsAsAList) {
  EXPECT_EQ(to_string(Dims{}), "[]");
  EXPECT_EQ(to_string(Dims{2, -1, 3}), "[2, -1, 3]");
  EXPECT_EQ((Dims{2, 3}).rank(), 2);
}

TEST(Dims, CountsElements) {
  EXPECT_EQ(checked_numel({}), 1);
  EXPECT_EQ(checked_numel({2, 3, 4}), 24);
  EXPECT_EQ(checked_numel({2, 0, 4}), 0);
  EXPECT_EQ(checked_numel({std::numeric_limits<std::int64_t>::max()}), std::numeric_limits<std::int64_t>::max());
}

TEST(Dims, RefusesImpossibleShapes) {
  EXPECT_THROW(checked_numel({2, -1}), ShapeError);
  EXPECT_THROW(checked_numel({0, -1}), ShapeError);
  EXPECT_THROW(checked_numel({4194305, 4194305, 211106198978564}), ShapeError);  // the product wraps to a small number
  EXPECT_THROW(checked_numel({std::int64_t{1} << 32, std::int64_t{1} << 31}), ShapeError);
  EXPECT_THROW(checked_numel({0, std::int64_t{1} << 62, 4}), ShapeError);  // empty, but its strides would overflow
}

TEST(Dims, RowMajorStrides) {
  EXPECT_EQ(contiguous_strides({2, 3, 4}), (Strides{12, 4, 1}));
  EXPECT_EQ(contiguous_strides({}), Strides{});
  EXPECT_EQ(contiguous_strides({5}), Strides{1});
}

TEST(Dims, PositionOfAnElement) {
  EXPECT_EQ(position_of(0, {2, 3}), (Dims{0, 0}));
  EXPECT_EQ(position_of(3, {2, 3}), (Dims{1, 0}));
  EXPECT_EQ(position_of(23, {2, 3, 4}), (Dims{1, 2, 3}));
  EXPECT_EQ(position_of(0, {}), Dims{});
}

TEST(Dims, NormalizesAxes) {
  EXPECT_EQ(normalize_axis("op", 1, 3), 1);
  EXPECT_EQ(normalize_axis("op", -1, 3), 2);
  EXPECT_EQ(normalize_axis("op", -3, 3), 0);
  EXPECT_EQ(normalize_axis("op", -1, 0), 0);
  EXPECT_EQ(normalize_axis("op", 0, 0), 0);
  EXPECT_THROW(normalize_axis("op", 3, 3), IndexError);
  EXPECT_THROW(normalize_axis("op", -4, 3), IndexError);
  EXPECT_THROW(normalize_axis("op", 1, 0), IndexError);
  try {
    normalize_axis("blur", 7, 3);
    FAIL();
  } catch (const IndexError& error) {
    EXPECT_EQ(std::string(error.what()), "[blur] axis 7 is out of range for a tensor of 3 axes: expected -3 to 2");
  }
}

TEST(Dims, Broadcast) {
  EXPECT_EQ(broadcast_shapes("op", {2, 1, 3}, {4, 1}), (Shape{2, 4, 3}));
  EXPECT_EQ(broadcast_shapes("op", {}, {2, 3}), (Shape{2, 3}));
  EXPECT_EQ(broadcast_shapes("op", {0}, {1}), Shape{0});
  EXPECT_EQ(broadcast_shapes("op", {1}, {0}), Shape{0});
  EXPECT_EQ(broadcast_shapes("op", {1, 1}, {1}), (Shape{1, 1}));
  EXPECT_THROW(broadcast_shapes("op", {2}, {3}), ShapeError);
  EXPECT_THROW(broadcast_shapes("op", {0}, {2}), ShapeError);
  EXPECT_THROW(broadcast_shapes("op", {2, 3}, {2}), ShapeError);
}

TEST(Dims, BroadcastsTo) {
  EXPECT_TRUE(broadcasts_to({3}, {2, 3}));
  EXPECT_TRUE(broadcasts_to({2, 1}, {2, 3}));
  EXPECT_TRUE(broadcasts_to({}, {}));
  EXPECT_TRUE(broadcasts_to({1}, {0}));
  EXPECT_FALSE(broadcasts_to({2, 3}, {3}));
  EXPECT_FALSE(broadcasts_to({2}, {2, 3}));
  EXPECT_FALSE(broadcasts_to({2, 3}, {2, 1}));
  EXPECT_FALSE(broadcasts_to({1, 3}, {3}));
}

}  // namespace
}  // namespace eigengrad
