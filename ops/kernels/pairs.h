// Factors of products, rounded to bfloat16 and laid out two and two: see pair_tiles().
#pragma once

#include "eigengrad/ops/kernels/engine.h"
#include "eigengrad/ops/kernels/room.h"

namespace eigengrad::kernels {

/// The pairs of so many terms; the last one may have a 0 for its second.
constexpr std::int64_t pairs_of(std::int64_t terms) { return (terms + 1) / 2; }

/// For `outer` matrices [terms, inner] of float32, one after another, the matrices [pairs_of(terms), inner] of their
/// pairs. Runs on several threads.
void pair_terms(const float* from, std::int64_t outer, std::int64_t terms, std::int64_t inner, float* to);

/// The axis of a factor along which terms are summed: the columns of a left one, the rows of a right one.
enum class Terms { AreColumns, AreRows };

/// A copy of a factor in pairs, laid out as it was.
class PairedMatrix {
 public:
  PairedMatrix(const Matrix& m, Terms terms);
  const Matrix& matrix() const { return matrix_; }

 private:
  const RoomOf<float> room_;
  const Matrix matrix_;
};

}  // namespace eigengrad::kernels
