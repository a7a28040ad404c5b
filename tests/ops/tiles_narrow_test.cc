// The tiles of processors with vectors of 16 bytes, which a build for any machine falls back on.
#define EIGENGRAD_TILE_BYTES 16
#include "eigengrad/ops/kernels/tiles_impl.h"
#include "tests/ops/tiles_check.h"

namespace eigengrad::kernels {
namespace {

TEST(TilesNarrow, MultiplyFloat32) {
  EXPECT_EQ(kTiles<float>.width, 8);
  check_tiles(kTiles<float>);
}
TEST(TilesNarrow, MultiplyFloat64) {
  EXPECT_EQ(kTiles<double>.width, 4);
  check_tiles(kTiles<double>);
}
TEST(TilesNarrow, MultiplyPairsOfBFloat16) { check_pairs(kPairTiles); }

}  // namespace
}  // namespace eigengrad::kernels
