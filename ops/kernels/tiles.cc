// The loops of tiles.h for the processors that the whole library is compiled for, and the choice between those and the
// ones of builds for other machines.
#include "eigengrad/ops/kernels/tiles.h"

#include "eigengrad/ops/kernels/tiles_impl.h"

namespace eigengrad::kernels {

#ifdef EIGENGRAD_MULTIVERSION
const Tiles<float>& float_tiles_avx2();
const Tiles<double>& double_tiles_avx2();
const Tiles<float>& float_tiles_avx512();
const Tiles<double>& double_tiles_avx512();

template <>
const Tiles<float>& tiles<float>() {
  static const Tiles<float>& best = __builtin_cpu_supports("x86-64-v4")   ? float_tiles_avx512()
                                    : __builtin_cpu_supports("x86-64-v3") ? float_tiles_avx2()
                                                                          : kTiles<float>;
  return best;
}
template <>
const Tiles<double>& tiles<double>() {
  static const Tiles<double>& best = __builtin_cpu_supports("x86-64-v4")   ? double_tiles_avx512()
                                     : __builtin_cpu_supports("x86-64-v3") ? double_tiles_avx2()
                                                                           : kTiles<double>;
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
#endif

}  // namespace eigengrad::kernels
