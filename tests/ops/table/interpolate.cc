// The rows of ops/interpolate.h. A row is a line.
#include "tests/ops/table/shapes.h"

namespace eigengrad::tests {

// clang-format off

OpFamily interpolate_ops() {
  return {
    .differentiable = {
      {"interpolate size", [](In x) { return interpolate(x[0], Shape{5}); }, {{{{2, 1, 3}}, {{1, 2, 7}}, {{0, 2, 3}}}, {}}},
      {"interpolate factor", [](In x) { return interpolate(x[0], 1.7); }, {{{{1, 2, 3, 4}}, {{2, 1, 5}}}, {}}},
      {"interpolate linear", [](In x) { return interpolate(x[0], Shape{5}, {InterpolateMode::Linear}); }, {{{{2, 1, 3}}, {{1, 2, 7}}, {{1, 1, 1}}}, {}}, summed()},
      {"interpolate linear corners", [](In x) { return interpolate(x[0], Shape{5}, {InterpolateMode::Linear, true}); }, {{{{2, 1, 3}}, {{1, 2, 7}}}, {}}, summed()},
      {"interpolate bilinear", [](In x) { return interpolate(x[0], Shape{5, 3}, {InterpolateMode::Bilinear}); }, {{{{2, 1, 3, 2}}, {{1, 2, 7, 4}}}, {{4, 4, 60, 70}}}, summed()},
      {"interpolate bilinear corners", [](In x) { return interpolate(x[0], Shape{5, 1}, {InterpolateMode::Bilinear, true}); }, {{{{2, 1, 3, 2}}, {{1, 2, 7, 4}}}, {}}, summed()},
      {"interpolate bilinear factor", [](In x) { return interpolate(x[0], 1.3, {InterpolateMode::Bilinear}); }, {{{{2, 1, 3, 4}}}, {}}, summed()},
    },
    .bad_calls = {
      {"interpolate", [] { interpolate(Tensor(), Shape{4}); }, "[interpolate] input 0 is an undefined tensor"},
      {"interpolate", [] { interpolate(Tensor(), 2.0); }, "[interpolate] input 0 is an undefined tensor"},
      {"interpolate", [] { interpolate(ones({2, 3}), Shape{4}); }, "[interpolate] expected an input [N, C, L] (nearest, linear) or [N, C, H, W] (nearest, bilinear), found shape [2, 3]"},
      {"interpolate", [] { interpolate(ones({1, 2, 3}), Shape{4, 4}); }, "[interpolate] expected 1 extents for an input of shape [1, 2, 3], found [4, 4]"},
      {"interpolate", [] { interpolate(ones({1, 2, 3}), Shape{0}); }, "[interpolate] axis 2 of 3 elements cannot have 0"},
      {"interpolate", [] { interpolate(ones({1, 2, 3}), 0.0); }, "[interpolate] the scale factor is 0, expected a finite number above 0"},
      {"interpolate", [] { interpolate(ones({1, 2, 3}), Shape{4}, {.align_corners = true}); }, "[interpolate] align_corners is not for nearest"},
      {"interpolate", [] { interpolate(ones({1, 2, 3}, kInt64), Shape{4}); }, "[interpolate] expected a float32 or float64 tensor, found int64"},
    },
  };
}

}  // namespace eigengrad::tests
