// What a model is made of, in a table.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "eigengrad/nn/module.h"

namespace eigengrad::nn {

/// One module of a model.
struct SummaryRow {
  std::string name;             ///< its path; empty for the model itself
  std::string type;             ///< what kind of module it is
  std::int64_t depth = 0;       ///< how far below the model
  Shape input, output;          ///< of its last run; empty if it did not run
  bool ran = false;             ///< whether it did
  std::int64_t parameters = 0;  ///< elements, of the modules below it as well
  std::int64_t trainable = 0;   ///< those that require grad
  double flops = 0;             ///< of one forward pass, of the modules below it as well
};

/// The table of a model: a row for each module, the model itself first.
struct Summary {
  std::vector<SummaryRow> rows;  ///< in the order of the model
  /// Elements of all parameters.
  std::int64_t parameters() const { return rows[0].parameters; }
  /// Those that require grad.
  std::int64_t trainable() const { return rows[0].trainable; }
  /// Of one forward pass.
  double flops() const { return rows[0].flops; }
};

/// Runs the model once on an example, in eval mode and without recording a graph, and says what it saw. A
/// multiplication and an addition of a product, convolution or attention count as two operations, every other op as one
/// for each element. A parameter that several modules share counts in each of them, and once in the model.
Summary summary(Module& model, std::span<const Tensor> inputs);
Summary summary(Module& model, const Tensor& input);
/// The same on zeros of a shape, with its batch axis, and the dtype of the parameters.
Summary summary(Module& model, const Shape& input);

/// As text: names, output shapes, parameters, FLOPs.
std::string to_string(const Summary& summary);
std::ostream& operator<<(std::ostream& out, const Summary& summary);

}  // namespace eigengrad::nn
