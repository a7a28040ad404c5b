// The rows of ops/decomposition.h. A row is a line.
#include <algorithm>
#include <cmath>

#include "tests/ops/table/shapes.h"

namespace eigengrad::tests {
namespace {

// x with 2, 5, 8, … added to its diagonals, which keeps singular values apart. Other dtypes stay as they are, for the
// op to complain about.
Tensor spread(const Tensor& x) {
  if (!is_floating(x.dtype())) return x;
  const std::int64_t rows = x.size(-2), columns = x.size(-1), n = std::max(rows, columns);
  return x + narrow(narrow(diag(arange(2, 2 + 3 * n, 3, x.dtype())), 0, 0, rows), 1, 0, columns);
}
// With values near 1, or their differences would be too coarse.
Tensor spread_near_one(const Tensor& x) { return is_floating(x.dtype()) ? spread(x) / 4 : x; }
Tensor positive_definite(const Tensor& x) { return is_floating(x.dtype()) ? spread(matmul(x, transpose(x))) : x; }
Tensor symmetric(const Tensor& x) { return is_floating(x.dtype()) ? spread_near_one((x + transpose(x)) / 2) : x; }
Tensor weights(const Tensor& s) { return arange(1, s.size(-1) + 1, 1, s.dtype()); }
Tensor weighted(const Tensor& columns, const Tensor& weight, const Tensor& rows) {
  return matmul(columns * unsqueeze(weight, -2), rows);
}

// What does not depend on the signs of singular vectors and eigenvectors.
Tensor weighted_svd(const Tensor& x) {
  const auto [u, s, vh] = svd(x);
  return weighted(u, s * weights(s), vh);
}
Tensor weighted_eigh(const Tensor& x) {
  const auto [values, vectors] = eigh(x);
  return weighted(vectors, values * weights(values), transpose(vectors));
}
Tensor weighted_projection(const Tensor& columns) { return weighted(columns, weights(columns), transpose(columns)); }
Tensor both(const QRResult& parts) { return together({parts.q, parts.r}); }

const std::vector<std::vector<Shape>> kSquare = {{{2, 2}},       {{3, 3}},    {{1, 1}}, {{2, 3, 3}},
                                                 {{2, 1, 2, 2}}, {{0, 2, 2}}, {{0, 0}}, {{2, 0, 0}}};
const std::vector<std::vector<Shape>> kAny = {{{3, 2}},    {{2, 3}},       {{3, 3}},    {{1, 3}}, {{2, 1}},
                                              {{2, 3, 2}}, {{2, 1, 2, 4}}, {{2, 0, 3}}, {{3, 0}}, {{0, 2, 3}}};
const std::vector<std::vector<Shape>> kSystems = {{{2, 2}, {2, 3}},    {{3, 3}, {3, 1}},          {{2, 2, 2}, {2, 1}},
                                                  {{2, 2}, {3, 2, 1}}, {{2, 1, 2, 2}, {3, 2, 2}}, {{0, 2, 2}, {2, 1}},
                                                  {{0, 0}, {0, 2}},    {{2, 2}, {2, 0}}};
const std::vector<std::vector<Shape>> kSystemsOnTheRight = {
    {{2, 2}, {3, 2}}, {{3, 3}, {2, 1, 3}}, {{2, 2, 2}, {1, 2}}, {{0, 0}, {2, 0}}};
const std::vector<Shape> kManySquare = {{70, 20, 20}}, kManyTall = {{50, 24, 18}},
                         kManySystems = {{70, 20, 20}, {20, 5}};

// Sums cancel, and errors grow with the condition of the matrices.
RowOptions well(double ulps = 64) { return {.domain = {{-1, 1}}, .ulps = ulps, .near_largest = true}; }

}  // namespace
   // clang-format off

OpFamily decomposition_ops() {
  return {
    .differentiable = {
      {"cholesky", [](In x) { return cholesky(positive_definite(x[0])); }, {kSquare, kManySquare}, well()},
      {"cholesky upper", [](In x) { return cholesky(positive_definite(x[0]), true); }, {kSquare, {}}, well()},
      {"solve", [](In x) { return solve(spread(x[0]), x[1]); }, {kSystems, kManySystems}, well()},
      {"solve vectors", [](In x) { return solve(spread(x[0]), x[1]); }, {{{{3, 3}, {3}}, {{2, 2, 2}, {2, 2}}, {{3, 2, 2}, {2}}, {{2, 1, 2, 2}, {2, 1, 2}}, {{0, 2, 2}, {0, 2}}}, {}}, well()},
      {"solve_triangular", [](In x) { return solve_triangular(spread(x[0]), x[1], false); }, {kSystems, kManySystems}, well()},
      {"solve_triangular upper", [](In x) { return solve_triangular(spread(x[0]), x[1], true); }, {kSystems, {}}, well()},
      {"solve_triangular right", [](In x) { return solve_triangular(spread(x[0]), x[1], true, false); }, {kSystemsOnTheRight, {}}, well()},
      {"solve_triangular unit", [](In x) { return solve_triangular(spread(x[0]), x[1], true, true, true); }, {kSystems, {}}, well()},
      {"solve_triangular unit right", [](In x) { return solve_triangular(spread(x[0]), x[1], false, false, true); }, {kSystemsOnTheRight, {}}, well()},
      {"inverse", [](In x) { return inverse(spread(x[0])); }, {kSquare, kManySquare}, well()},
      {"pinv", [](In x) { return pinv(spread(x[0])); }, {kAny, kManyTall}, well()},
      {"pinv low rank", [](In x) { return pinv(matmul(x[0], transpose(x[0])), 1e-6); }, {{{{3, 1}}, {{2, 3, 1}}}, {}}, named("matmul", {.domain = {{0.5, 2}}, .ulps = 64, .near_largest = true})},
      {"det", [](In x) { return det(spread_near_one(x[0])); }, {kSquare, kManySquare}, well()},
      {"slogdet", [](In x) { return slogdet(spread(x[0])).logabsdet; }, {kSquare, kManySquare}, well()},
      {"logdet", [](In x) { return logdet(spread(x[0])); }, {kSquare, {}}, well()},
      {"trace", [](In x) { return trace(x[0]); }, {kAny, {{401, 400}}}, of_bool(summed())},
      {"svd", [](In x) { return weighted_svd(spread(x[0])); }, {kAny, kManyTall}, well()},
      {"svd u", [](In x) { return weighted_projection(svd(spread(x[0])).u); }, {kAny, {}}, well()},
      {"svd vh", [](In x) { return weighted_projection(transpose(svd(spread(x[0])).vh)); }, {kAny, {}}, well()},
      {"svdvals", [](In x) { return svdvals(spread(x[0])); }, {kAny, {}}, well()},
      {"qr", [](In x) { return both(qr(spread(x[0]))); }, {kAny, kManyTall}, well()},
      {"qr q", [](In x) { return qr(spread(x[0])).q; }, {kAny, {}}, well()},
      {"qr r", [](In x) { return qr(spread(x[0])).r; }, {kAny, {}}, well()},
      {"eigh", [](In x) { return weighted_eigh(symmetric(x[0])); }, {kSquare, kManySquare}, well()},
      {"eigh vectors", [](In x) { return weighted_projection(eigh(symmetric(x[0])).vectors); }, {kSquare, {}}, well()},
      {"eigvalsh", [](In x) { return eigvalsh(symmetric(x[0])); }, {kSquare, {}}, well()},
      {"matrix_norm", [](In x) { return matrix_norm(spread(x[0])); }, {kAny, {{401, 400}}}, well()},
      {"matrix_norm nuclear", [](In x) { return matrix_norm(spread(x[0]), MatrixNorm::Nuclear); }, {kAny, {}}, well()},
      {"matrix_norm spectral", [](In x) { return matrix_norm(spread(x[0]), MatrixNorm::Spectral); }, {kAny, {}}, well()},
      {"matrix_norm one", [](In x) { return matrix_norm(spread(x[0]), MatrixNorm::One); }, {kAny, {{401, 400}}}, well()},
      {"matrix_norm infinity", [](In x) { return matrix_norm(spread(x[0]), MatrixNorm::Infinity); }, {kAny, {{401, 400}}}, well()},
    },
    .others = {
      {"slogdet sign", [](In x) { return slogdet(x[0]).sign; }, {kSquare, kManySquare}, {.domain = {{-3, 3}}}},
    },
    .bad_calls = {
      {"cholesky", [] { cholesky(zeros({2, 2}, kInt64)); }, "[cholesky] expected a float32 or float64 tensor, found int64"},
      {"cholesky", [] { cholesky(zeros({2, 3})); }, "[cholesky] expected square matrices, found shape [2, 3]"},
      {"cholesky", [] { cholesky(zeros({3})); }, "[cholesky] expected matrices, found shape [3]"},
      {"inverse", [] { inverse(zeros({2, 2}, kInt64)); }, "[inverse] expected a float32 or float64 tensor, found int64"},
      {"inverse", [] { inverse(zeros({2, 3})); }, "[inverse] expected square matrices, found shape [2, 3]"},
      {"inverse", [] { inverse(zeros({3})); }, "[inverse] expected matrices, found shape [3]"},
      {"det", [] { det(zeros({2, 2}, kInt64)); }, "[det] expected a float32 or float64 tensor, found int64"},
      {"det", [] { det(zeros({2, 3})); }, "[det] expected square matrices, found shape [2, 3]"},
      {"det", [] { det(zeros({3})); }, "[det] expected matrices, found shape [3]"},
      {"slogdet", [] { slogdet(zeros({2, 2}, kInt64)); }, "[slogdet] expected a float32 or float64 tensor, found int64"},
      {"slogdet", [] { slogdet(zeros({2, 3})); }, "[slogdet] expected square matrices, found shape [2, 3]"},
      {"slogdet", [] { slogdet(zeros({3})); }, "[slogdet] expected matrices, found shape [3]"},
      {"logdet", [] { logdet(zeros({2, 2}, kInt64)); }, "[logdet] expected a float32 or float64 tensor, found int64"},
      {"logdet", [] { logdet(zeros({2, 3})); }, "[logdet] expected square matrices, found shape [2, 3]"},
      {"logdet", [] { logdet(zeros({3})); }, "[logdet] expected matrices, found shape [3]"},
      {"eigh", [] { eigh(zeros({2, 2}, kInt64)); }, "[eigh] expected a float32 or float64 tensor, found int64"},
      {"eigh", [] { eigh(zeros({2, 3})); }, "[eigh] expected square matrices, found shape [2, 3]"},
      {"eigh", [] { eigh(zeros({3})); }, "[eigh] expected matrices, found shape [3]"},
      {"eigvalsh", [] { eigvalsh(zeros({2, 2}, kInt64)); }, "[eigvalsh] expected a float32 or float64 tensor, found int64"},
      {"eigvalsh", [] { eigvalsh(zeros({2, 3})); }, "[eigvalsh] expected square matrices, found shape [2, 3]"},
      {"eigvalsh", [] { eigvalsh(zeros({3})); }, "[eigvalsh] expected matrices, found shape [3]"},
      {"pinv", [] { pinv(zeros({2, 2}, kBool)); }, "[pinv] expected a float32 or float64 tensor, found bool"},
      {"pinv", [] { pinv(zeros({})); }, "[pinv] expected matrices, found shape []"},
      {"pinv", [] { pinv(ones({3}, kFloat64)); }, "[pinv] expected matrices, found shape [3]"},
      {"svd", [] { svd(zeros({2, 2}, kBool)); }, "[svd] expected a float32 or float64 tensor, found bool"},
      {"svd", [] { svd(zeros({})); }, "[svd] expected matrices, found shape []"},
      {"svd", [] { svd(ones({3}, kFloat64)); }, "[svd] expected matrices, found shape [3]"},
      {"svdvals", [] { svdvals(zeros({2, 2}, kBool)); }, "[svdvals] expected a float32 or float64 tensor, found bool"},
      {"svdvals", [] { svdvals(zeros({})); }, "[svdvals] expected matrices, found shape []"},
      {"svdvals", [] { svdvals(ones({3}, kFloat64)); }, "[svdvals] expected matrices, found shape [3]"},
      {"qr", [] { qr(zeros({2, 2}, kBool)); }, "[qr] expected a float32 or float64 tensor, found bool"},
      {"qr", [] { qr(zeros({})); }, "[qr] expected matrices, found shape []"},
      {"qr", [] { qr(ones({3}, kFloat64)); }, "[qr] expected matrices, found shape [3]"},
      {"matrix_norm", [] { matrix_norm(zeros({2, 2}, kBool)); }, "[matrix_norm] expected a float32 or float64 tensor, found bool"},
      {"matrix_norm", [] { matrix_norm(zeros({})); }, "[matrix_norm] expected matrices, found shape []"},
      {"matrix_norm", [] { matrix_norm(ones({3}, kFloat64)); }, "[matrix_norm] expected matrices, found shape [3]"},
      {"solve", [] { solve(zeros({2, 2}, kInt64), zeros({2, 1})); }, "[solve] expected a float32 or float64 tensor, found int64"},
      {"solve", [] { solve(eye(2), zeros({2, 1}, kFloat64)); }, "[solve] the right side is float64, expected the float32 of the matrices"},
      {"solve", [] { solve(zeros({2, 3}), zeros({2, 1})); }, "[solve] expected square matrices, found shape [2, 3]"},
      {"solve", [] { solve(eye(2), zeros({3, 2})); }, "[solve] matrices [2, 2] expect a right side of 2 rows, found shape [3, 2]"},
      {"solve", [] { solve(zeros({3, 2, 2}), zeros({2, 2, 1})); }, "[solve] "},
      {"solve_triangular", [] { solve_triangular(zeros({2, 2}, kInt64), zeros({2, 1}), true); }, "[solve_triangular] expected a float32 or float64 tensor, found int64"},
      {"solve_triangular", [] { solve_triangular(eye(2), zeros({2, 1}, kFloat64), true); }, "[solve_triangular] the right side is float64, expected the float32 of the matrices"},
      {"solve_triangular", [] { solve_triangular(zeros({2, 3}), zeros({2, 1}), true); }, "[solve_triangular] expected square matrices, found shape [2, 3]"},
      {"solve_triangular", [] { solve_triangular(eye(2), zeros({3, 2}), true); }, "[solve_triangular] matrices [2, 2] expect a right side of 2 rows, found shape [3, 2]"},
      {"solve_triangular", [] { solve_triangular(zeros({3, 2, 2}), zeros({2, 2, 1}), true); }, "[solve_triangular] "},
      {"solve_triangular", [] { solve_triangular(eye(2), zeros({2}), true); }, "[solve_triangular] matrices [2, 2] expect a right side of 2 rows, found shape [2]"},
      {"solve_triangular", [] { solve_triangular(eye(2), zeros({2, 3}), true, false); }, "[solve_triangular] "},
      {"cholesky", [] { cholesky(-eye(2)); }, "[cholesky] the matrix is not positive definite"},
      {"cholesky", [] { cholesky(full({2, 2}, std::nan(""))); }, "[cholesky] the matrix is not positive definite"},
      {"cholesky", [] { cholesky(stack({eye(2), -eye(2), -eye(2)})); }, "[cholesky] matrix [1] of the batch is not positive definite"},
      {"solve", [] { solve(ones({2, 2}), zeros({2})); }, "[solve] the matrix is singular"},
      {"solve", [] { solve(zeros({2, 3, 2, 2}), zeros({2, 1})); }, "[solve] matrix [0, 0] of the batch is singular"},
      {"solve_triangular", [] { solve_triangular(tril(ones({2, 2})), ones({2, 1}), true); solve_triangular(tril(ones({2, 2}), -1), ones({2, 1}), false); }, "[solve_triangular] the matrix has a zero on the diagonal"},
      {"inverse", [] { inverse(stack({eye(2), zeros({2, 2})})); }, "[inverse] matrix [1] of the batch is singular"},
      {"pinv", [] { pinv(eye(2), -1); }, "[pinv] found an rtol of -1, expected 0 or more"},
      {"pinv", [] { pinv(full({2, 2}, std::nan(""))); }, "[pinv] the matrix has elements that are not finite"},
      {"svd", [] { svd(full({2, 2}, std::nan(""))); }, "[svd] the matrix has elements that are not finite"},
      {"svdvals", [] { svdvals(full({2, 2}, std::nan(""))); }, "[svd] the matrix has elements that are not finite"},
      {"eigh", [] { eigh(full({2, 2}, std::nan(""))); }, "[eigh] the matrix has elements that are not finite"},
      {"eigvalsh", [] { eigvalsh(full({2, 2}, std::nan(""))); }, "[eigh] the matrix has elements that are not finite"},
      {"matrix_norm", [] { matrix_norm(full({2, 2}, std::nan("")), MatrixNorm::Nuclear); }, "[svd] the matrix has elements that are not finite"},
      {"trace", [] { trace(zeros({})); }, "[trace] expected matrices, found shape []"},
      {"trace", [] { trace(zeros({3})); }, "[trace] expected matrices, found shape [3]"},
      {"trace", [] { trace(zeros({0}, kInt64)); }, "[trace] expected matrices, found shape [0]"},
    },
  };
}

}  // namespace eigengrad::tests
