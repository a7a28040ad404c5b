// The tiles that this processor uses.
#include "tests/ops/tiles_check.h"

namespace eigengrad::kernels {
namespace {

TEST(Tiles, MultiplyFloat32) { check_tiles(tiles<float>()); }
TEST(Tiles, MultiplyFloat64) { check_tiles(tiles<double>()); }
TEST(Tiles, MultiplyPairsOfBFloat16) { check_pairs(pair_tiles()); }

}  // namespace
}  // namespace eigengrad::kernels
