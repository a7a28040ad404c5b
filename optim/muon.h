// Muon.
#pragma once

#include "eigengrad/optim/optimizer.h"

namespace eigengrad::optim {

/// By what the rate of a matrix of A rows and B columns is multiplied: √max(1, A/B), 0.2·√max(A, B), √(A/B).
enum class MuonRate { Original, MatchRmsAdamW, SpectralUnclamped };

struct MuonOptions {
  double lr = 1e-3;                                              ///< learning rate
  double weight_decay = 0.1;                                     ///< weight decay, apart from the gradient
  double momentum = 0.95;                                        ///< decay of the mean of the gradient
  bool nesterov = true;                                          ///< Nesterov's momentum
  std::vector<double> ns_coefficients{3.4445, -4.7750, 2.0315};  ///< a, b, c of the polynomial a·x + b·x³ + c·x⁵
  double eps = 1e-7;                                             ///< the least norm that is divided by
  std::int64_t ns_steps = 5;                                     ///< steps of that iteration
  MuonRate adjust_lr_fn = MuonRate::Original;  ///< how the learning rate depends on the shape of the matrix
};
void describe(config::Fields& f, MuonOptions& o);

/// Jordan et al. (2024), "Muon: an optimizer for hidden layers in neural networks", as in PyTorch: the momentum,
/// m ← momentum·m + (1 − momentum)·g, looked at a step ahead by Nesterov, is brought near to the closest matrix with
/// orthogonal rows or columns by ns_steps of Newton and Schulz, X ← a·X + (b·XXᵀ + c·(XXᵀ)²)·X from X / |X|, and
///   W ← (1 − lr·weight_decay)·W − lr·ratio·X
/// For matrices alone: Linear and the like; biases and embeddings are for another optimizer. The products are made in
/// the dtype of the parameter, and in bfloat16 under Autocast (PyTorch's are always in bfloat16). Throws ShapeError for
/// a parameter that is not a matrix. State: "momentum" (m).
class Muon final : public GroupedOptimizer<Muon, MuonOptions> {
 public:
  static constexpr const char* kName = "Muon";
  using GroupedOptimizer::GroupedOptimizer;

  static void check(const Options& o);
  static void check_parameter(const Tensor& parameter);
  static std::vector<StateEntry> state(const Options& o);
  static void update(const Options& o, Slot& slot, const Tensor& grad);
};

}  // namespace eigengrad::optim
