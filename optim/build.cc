#include "eigengrad/optim/build.h"

#include "eigengrad/config/noting.h"
#include "eigengrad/core/check.h"
#include "eigengrad/optim/adagrad.h"
#include "eigengrad/optim/adam.h"
#include "eigengrad/optim/combined.h"
#include "eigengrad/optim/filter.h"
#include "eigengrad/optim/lbfgs.h"
#include "eigengrad/optim/lion.h"
#include "eigengrad/optim/muon.h"
#include "eigengrad/optim/rmsprop.h"
#include "eigengrad/optim/sgd.h"

namespace eigengrad::optim {
namespace {

using config::Diagnostics;
using config::Value;

// Parameters with options of their own.
template <class Options>
struct GroupConfig {
  ParameterFilter parameters;
  Options options;
  std::string pointer;
  config::Position position;
};

template <class Options>
void describe(config::Fields& f, GroupConfig<Options>& group) {
  group.parameters.describe(f, {.help = "patterns of the names of its parameters", .required = true});
  describe(f, group.options);
}

// A row of the table: the options of an optimizer, and which parameters it changes.
template <class O>
struct OptimizerConfig {
  using Options = typename O::Options;
  Options options;
  ParameterFilter parameters;
  std::vector<GroupConfig<Options>> groups;
};

template <class O>
void read_groups(OptimizerConfig<O>& o, const Value& list, const std::string& pointer, Diagnostics& diagnostics) {
  if (!list.as_array())
    return diagnostics.add(pointer, list.position(), fmt::format("found {}, expected an array", list.description()));
  for (std::size_t i = 0; i < list.as_array()->size(); ++i) {
    const Value& value = (*list.as_array())[i];
    GroupConfig<typename O::Options> group{{}, o.options, config::pointer_to(pointer, i), value.position()};
    config::read_options(value, group.pointer, diagnostics, group);
    o.groups.push_back(std::move(group));
  }
}

template <class O>
void describe(config::Fields& f, OptimizerConfig<O>& o) {
  describe(f, o.options);
  o.parameters.describe(f, {.help = "patterns of the names of the parameters that it changes; all, unless given"});
  if constexpr (!requires { typename O::OneGroup; })
    f.custom(
        "groups",
        {.read = [&o](const Value& list, const std::string& pointer,
                      Diagnostics& diagnostics) { read_groups(o, list, pointer, diagnostics); },
         .write =
             [&o] {
               Value list = Value::array();
               for (const auto& group : o.groups) list.push_back(config::write_options(group));
               return list;
             },
         .schema =
             [] {
               Value schema = Value::object();
               schema.set("type", "array");
               schema.set("items", config::schema_of<GroupConfig<typename O::Options>>());
               return schema;
             }},
        {.help = "parameters with options of their own: objects with \"parameters\" and any of the options above"});
}

std::vector<Tensor> tensors(const NamedParameters& parameters) {
  std::vector<Tensor> all;
  for (const auto& [name, parameter] : parameters) all.push_back(parameter);
  return all;
}

template <class O>
std::unique_ptr<Optimizer> make(NamedParameters& rest, const config::Configured& row, Diagnostics& diagnostics) {
  const auto& o = row.as<OptimizerConfig<O>>();
  NamedParameters mine = o.parameters.take(rest, diagnostics);
  std::vector<std::vector<Tensor>> groups;
  for (const auto& group : o.groups) groups.push_back(tensors(group.parameters.take(mine, diagnostics)));
  std::unique_ptr<O> optimizer;
  config::noting(diagnostics, row.pointer, row.position,
                 [&] { optimizer = std::make_unique<O>(tensors(mine), o.options); });
  if constexpr (!requires { typename O::OneGroup; })
    for (std::size_t i = 0; optimizer && i < groups.size(); ++i)
      config::noting(diagnostics, o.groups[i].pointer, o.groups[i].position,
                     [&] { optimizer->add_group(groups[i], o.groups[i].options); });
  return optimizer;
}

template <class O>
void add_optimizer(OptimizerTable& table, std::string help) {
  table.add<OptimizerConfig<O>>(O::kName, std::move(help), {make<O>});
}

OptimizerTable make_optimizers() {
  OptimizerTable table("optimizer");
  add_optimizer<SGD>(table, "stochastic gradient descent, with momentum");
  add_optimizer<Adam>(table, "adaptive moments");
  add_optimizer<AdamW>(table, "adaptive moments with decoupled weight decay");
  add_optimizer<NAdam>(table, "adaptive moments with Nesterov's momentum");
  add_optimizer<RMSprop>(table, "steps divided by the root of the mean square of gradients");
  add_optimizer<Adagrad>(table, "steps divided by the root of the sum of the squares of gradients");
  add_optimizer<Adadelta>(table, "steps of the size of the steps before");
  add_optimizer<Lion>(table, "the sign of the momentum");
  add_optimizer<Muon>(table, "momentum made orthogonal, for matrices alone; combine it with another for the rest");
  add_optimizer<LBFGS>(table, "a quasi-Newton method, for costs that are the same at every step: whole batches");
  return table;
}

}  // namespace

const OptimizerTable& optimizers() {
  static const OptimizerTable table = make_optimizers();
  return table;
}

std::unique_ptr<Optimizer> build_optimizer(const config::ConfiguredRows& rows, NamedParameters parameters,
                                           Diagnostics& diagnostics) {
  const std::size_t mistakes = diagnostics.size();
  std::vector<std::unique_ptr<Optimizer>> parts;
  for (const auto& row : rows) parts.push_back(optimizers().functions(*row).make(parameters, *row, diagnostics));
  for (const auto& [name, parameter] : parameters)
    diagnostics.add(
        rows.back()->pointer, rows.back()->position,
        fmt::format("no optimizer changes the parameter {}: leave out \"parameters\" here to take the rest", name));
  if (diagnostics.size() != mistakes) return nullptr;
  if (parts.size() == 1) return std::move(parts[0]);
  std::unique_ptr<Optimizer> all;
  config::noting(diagnostics, rows[0]->pointer, rows[0]->position,
                 [&] { all = std::make_unique<CombinedOptimizer>(std::move(parts)); });
  return all;
}

}  // namespace eigengrad::optim
