// Handwritten-looking digits drawn by the program, for machines with neither MNIST nor a network.
#pragma once

#include <cstdint>

#include "eigengrad/data/image.h"

namespace eigengrad::data {

struct DigitsOptions {
  std::int64_t count = 10000;  ///< samples, 0 to 10,000,000
  /// Of the generator.
  std::uint64_t seed = 0;  ///< seed
  std::int64_t first = 0;  ///< number of the first sample: ranges that do not overlap share no sample
  Normalization normalization{0.1307, 0.3081};  ///< of the levels in [0, 1]
};

/// Grey images of 28×28 with the digits 0 to 9. Each digit has one or more shapes made of strokes (lines, and
/// Catmull-Rom curves through points); every sample moves the points a little, then slants, scales, turns and shifts
/// the whole, and draws it with a pen of random thickness and softness, over faint noise. Sample i depends on (seed, i)
/// alone. Throws ValueError for a negative count.
DatasetPtr digits(const DigitsOptions& options);

}  // namespace eigengrad::data
