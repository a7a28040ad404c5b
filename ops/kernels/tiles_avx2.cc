// The loops of tiles.h for processors with AVX2, in builds for other machines.
#include "eigengrad/ops/kernels/tiles_impl.h"

namespace eigengrad::kernels {

const Tiles<float>& float_tiles_avx2();
const Tiles<double>& double_tiles_avx2();
const PairTiles& pair_tiles_avx2();

const Tiles<float>& float_tiles_avx2() { return kTiles<float>; }
const Tiles<double>& double_tiles_avx2() { return kTiles<double>; }
const PairTiles& pair_tiles_avx2() { return kPairTiles; }

}  // namespace eigengrad::kernels
