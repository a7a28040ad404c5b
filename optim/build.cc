#include "eigengrad/optim/build.h"

#include "eigengrad/optim/adam.h"
#include "eigengrad/optim/sgd.h"

namespace eigengrad::optim {
namespace {

template <class O, class Options>
void add_optimizer(OptimizerTable& table, std::string name, std::string help) {
  table.add<Options>(std::move(name), std::move(help),
                     {[](const std::vector<Tensor>& parameters, const void* options) -> std::unique_ptr<Optimizer> {
                       return std::make_unique<O>(parameters, *static_cast<const Options*>(options));
                     }});
}

OptimizerTable make_optimizers() {
  OptimizerTable table("optimizer");
  add_optimizer<SGD, SGDOptions>(table, "SGD", "stochastic gradient descent, with momentum");
  add_optimizer<Adam, AdamOptions>(table, "Adam", "adaptive moments");
  add_optimizer<AdamW, AdamWOptions>(table, "AdamW", "adaptive moments with decoupled weight decay");
  return table;
}

}  // namespace

const OptimizerTable& optimizers() {
  static const OptimizerTable table = make_optimizers();
  return table;
}

}  // namespace eigengrad::optim
