// The loops of tiles.h for processors that multiply bfloat16, in builds for other machines.
#include "eigengrad/ops/kernels/tiles_impl.h"

namespace eigengrad::kernels {

const PairTiles& pair_tiles_avx512bf16();

const PairTiles& pair_tiles_avx512bf16() { return kPairTiles; }

}  // namespace eigengrad::kernels
