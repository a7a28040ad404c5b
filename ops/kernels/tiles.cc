// The loops of tiles.h for the processors that the whole library is compiled for, and the choice between those and the
// ones of builds for other machines.
#include "eigengrad/ops/kernels/tiles.h"

#include "eigengrad/ops/kernels/tiles_impl.h"

namespace eigengrad::kernels {

#ifdef EIGENGRAD_MULTIVERSION
const Tiles<float>& float_tiles_avx2();
const Tiles<double>& double_tiles_avx2();
const PairTiles& pair_tiles_avx2();
const Tiles<float>& float_tiles_avx512();
const Tiles<double>& double_tiles_avx512();
const PairTiles& pair_tiles_avx512();
const PairTiles& pair_tiles_avx512bf16();

namespace {

template <class Loops>
const Loops& best_of(const Loops& avx512, const Loops& avx2, const Loops& plain) {
  return __builtin_cpu_supports("x86-64-v4") ? avx512 : __builtin_cpu_supports("x86-64-v3") ? avx2 : plain;
}

}  // namespace

template <>
const Tiles<float>& tiles<float>() {
  static const Tiles<float>& best = best_of(float_tiles_avx512(), float_tiles_avx2(), kTiles<float>);
  return best;
}
template <>
const Tiles<double>& tiles<double>() {
  static const Tiles<double>& best = best_of(double_tiles_avx512(), double_tiles_avx2(), kTiles<double>);
  return best;
}
const PairTiles& pair_tiles() {
  static const PairTiles& best = __builtin_cpu_supports("x86-64-v4") && __builtin_cpu_supports("avx512bf16")
                                     ? pair_tiles_avx512bf16()
                                     : best_of(pair_tiles_avx512(), pair_tiles_avx2(), kPairTiles);
  return best;
}
#else
template <>
const Tiles<float>& tiles<float>() {
  return kTiles<float>;
}
template <>
const Tiles<double>& tiles<double>() {
  return kTiles<double>;
}
const PairTiles& pair_tiles() { return kPairTiles; }
#endif

}  // namespace eigengrad::kernels
