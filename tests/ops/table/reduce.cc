// The rows of ops/reduce.h. A row is a line.
#include <cmath>

#include "tests/ops/table/shapes.h"

namespace eigengrad::tests {
// clang-format off

OpFamily reduce_ops() {
  return {
    .differentiable = {
      {"sum", [](In x) { return sum(x[0]); }, {{{{2, 3}}, {{}}, {{0, 3}}, {{1, 4, 1}}}, {{401, 400}}}, of_bool(summed())},
      {"sum axis", [](In x) { return sum(x[0], {1}); }, kReduced, of_bool(summed())},
      {"sum keepdim", [](In x) { return sum(x[0], {0, -1}, true); }, kReduced, of_bool(summed())},
      {"mean", [](In x) { return mean(x[0]); }, {{{{2, 3}}, {{}}, {{1, 4, 1}}}, {{401, 400}}}, summed()},
      {"mean axis", [](In x) { return mean(x[0], {-1}); }, kReduced, summed()},
      {"mean keepdim", [](In x) { return mean(x[0], {0}, true); }, kFilled, summed()},
      {"var", [](In x) { return var(x[0]); }, {{{{2, 3}}, {{7}}}, {{401, 400}}}, summed(8)},
      {"var axis", [](In x) { return var(x[0], {0}, 0); }, kFilled, summed(8)},
      {"var keepdim", [](In x) { return var(x[0], {0}, 1, true); }, kFilled, summed(8)},
      {"std", [](In x) { return std(x[0]); }, {{{{2, 3}}, {{7}}}, {{401, 400}}}, named("var", summed(8))},
      {"std axis", [](In x) { return std(x[0], {0}, 0, true); }, kFilled, named("var", summed(8))},
      {"prod", [](In x) { return prod(x[0]); }, {{{{2, 3}}, {{}}, {{0, 3}}}, {}}, of_bool()},
      {"prod axis", [](In x) { return prod(x[0], {1}); }, {kReduced.small, {}}, of_bool()},
      {"prod keepdim", [](In x) { return prod(x[0], {-1, 0}, true); }, {kReduced.small, {}}, of_bool()},
      {"amax", [](In x) { return amax(x[0]); }, {{{{2, 3}}, {{}}}, {{401, 400}}}, of_bool()},
      {"amax axis", [](In x) { return amax(x[0], {-1}); }, kReduced, of_bool()},
      {"amax keepdim", [](In x) { return amax(x[0], {1, 0}, true); }, kFilled, of_bool()},
      {"amin", [](In x) { return amin(x[0]); }, {{{{2, 3}}, {{}}}, {{401, 400}}}, of_bool()},
      {"amin axis", [](In x) { return amin(x[0], {-1}, true); }, kReduced, of_bool()},
      {"max", [](In x) { return max(x[0]); }, {{{{2, 3}}, {{}}}, {}}, of_bool()},
      {"min", [](In x) { return min(x[0]); }, {{{{2, 3}}, {{}}}, {}}, of_bool()},
      {"logsumexp", [](In x) { return logsumexp(x[0]); }, {{{{2, 3}}, {{}}}, {{401, 400}}}, summed()},
      {"logsumexp axis", [](In x) { return logsumexp(x[0], {1}); }, kReduced, summed()},
      {"logsumexp keepdim", [](In x) { return logsumexp(x[0], {0, -1}, true); }, kFilled, summed()},
      {"sum_to", [](In x) { return sum_to(x[0], {3, 1}); }, {{{{2, 3, 2}}, {{3, 4}}, {{3, 1}}, {{0, 3, 1}}}, {{7, 3, 9000}}}, of_bool(named("sum", summed()))},
      {"norm", [](In x) { return norm(x[0]); }, {{{{2, 3}}, {{}}, {{0, 3}}}, {{401, 400}}}, summed()},
      {"norm axis", [](In x) { return norm(x[0], 2, {1}); }, kReduced, summed()},
      {"norm one", [](In x) { return norm(x[0], 1, {0}, true); }, kReduced, summed()},
      {"norm three", [](In x) { return norm(x[0], 3, {-1}); }, kReduced, summed(8)},
      {"norm half", [](In x) { return norm(x[0], 0.5); }, {{{{2, 3}}, {{4}}}, {}}, summed(8)},
      {"norm infinity", [](In x) { return norm(x[0], INFINITY, {-1}); }, {kFilled.small, {}}},
      {"norm smallest", [](In x) { return norm(x[0], -INFINITY, {0}); }, {kFilled.small, {}}},
      {"norm zero", [](In x) { return norm(x[0] * 1.0, 0, {0}) * sum(x[0]); }, {kFilled.small, {}}, of_bool(summed())},
    },
    .others = {
      {"argmax", [](In x) { return argmax(x[0], -1); }, kMatrices, of_bool()},
      {"argmax keepdim", [](In x) { return argmax(x[0], 0, true); }, kMatrices, of_bool()},
      {"argmin", [](In x) { return argmin(x[0], 0); }, kMatrices, of_bool()},
      {"argmin keepdim", [](In x) { return argmin(x[0], -1, true); }, kMatrices, of_bool()},
      {"any", [](In x) { return any(x[0] > 1, {0}); }, kReduced, of_bool()},
      {"any keepdim", [](In x) { return any(x[0] > 1, {}, true); }, kReduced, of_bool()},
      {"all", [](In x) { return all(x[0] > -1, {0}); }, kReduced, of_bool()},
      {"all keepdim", [](In x) { return all(x[0] > -1, {}, true); }, kReduced, of_bool()},
      {"count_nonzero", [](In x) { return count_nonzero(x[0] > 0.3); }, {{{{2, 3}}, {{}}, {{0, 3}}}, {}}, of_bool()},
      {"count_nonzero axis", [](In x) { return count_nonzero(x[0] > 0.3, {0}); }, {{{{2, 3}}, {{2, 3, 2}}}, {}}, of_bool()},
    },
    .bad_calls = {
    },
  };
}

}  // namespace eigengrad::tests
