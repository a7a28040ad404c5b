// The tiles of processors with vectors of 64 bytes (AVX-512): their logic holds on every processor, where the compiler
// makes each vector of several.
#define EIGENGRAD_TILE_BYTES 64
#include "eigengrad/ops/kernels/tiles_impl.h"
#include "tests/ops/tiles_check.h"

namespace eigengrad::kernels {
namespace {

TEST(TilesWide, MultiplyFloat32) {
  EXPECT_EQ(kTiles<float>.width, 64);
  check_tiles(kTiles<float>);
}
TEST(TilesWide, MultiplyFloat64) {
  EXPECT_EQ(kTiles<double>.width, 32);
  check_tiles(kTiles<double>);
}
TEST(TilesWide, MultiplyPairsOfBFloat16) { check_pairs(kPairTiles); }

}  // namespace
}  // namespace eigengrad::kernels
