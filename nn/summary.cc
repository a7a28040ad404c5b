#include "eigengrad/nn/summary.h"

#include <algorithm>
#include <map>
#include <ostream>

#include "eigengrad/core/check.h"
#include "eigengrad/core/node.h"

namespace eigengrad::nn {
namespace {

bool is_below(const std::string& path, const std::string& ancestor) {
  return ancestor.empty() || path == ancestor ||
         (path.size() > ancestor.size() && path.starts_with(ancestor) && path[ancestor.size()] == '.');
}

// Adds up the operations of each module path.
class FlopCounter : public Tracer {
 public:
  void on_op(const OpEvent& event) override {
    if (event.flops > 0) flops_[scope_path(thread_state.scope)] += event.flops;
  }
  void on_grad(const Node&, std::uint32_t, const Tensor&) override {}
  double below(const std::string& path) const {
    double sum = 0;
    for (const auto& [where, flops] : flops_)
      if (is_below(where, path)) sum += flops;
    return sum;
  }

 private:
  std::map<std::string, double> flops_;
};

// Hooks on all modules of a model that note the shapes; it leaves the model as it was, modes included.
class ShapeWatch {
 public:
  ShapeWatch(const Named<Module*>& modules, std::vector<SummaryRow>& rows) : modules_(modules) {
    for (std::size_t i = 0; i < modules.size(); ++i) {
      training_.push_back(modules[i].second->is_training());
      hooks_.push_back(modules[i].second->register_forward_hook(
          [&row = rows[i]](Module&, std::span<const Tensor> inputs, const Tensor& output) {
            row.ran = true;
            row.output = output.shape();
            if (!inputs.empty() && inputs[0].defined()) row.input = inputs[0].shape();
            return Tensor();
          }));
    }
    modules[0].second->eval();
  }
  ~ShapeWatch() {
    for (std::size_t i = 0; i < modules_.size(); ++i) {
      modules_[i].second->remove_hook(hooks_[i]);
      modules_[i].second->train(training_[i]);  // from the outside in
    }
  }
  ShapeWatch(const ShapeWatch&) = delete;
  ShapeWatch& operator=(const ShapeWatch&) = delete;

 private:
  const Named<Module*>& modules_;
  std::vector<bool> training_;
  std::vector<std::uint64_t> hooks_;
};

SummaryRow row_of(const std::string& name, const Module& module) {
  SummaryRow row;
  row.name = name;
  row.type = module.type_name();
  row.depth = name.empty() ? 0 : 1 + std::count(name.begin(), name.end(), '.');
  for (const Tensor& parameter : module.parameters()) {
    row.parameters += parameter.numel();
    if (parameter.requires_grad()) row.trainable += parameter.numel();
  }
  return row;
}

// 1234567 as "1,234,567".
std::string grouped(double number) {
  std::string text = fmt::format("{:.0f}", number);
  for (auto place = static_cast<std::ptrdiff_t>(text.size()) - 3; place > 0; place -= 3)
    text.insert(static_cast<std::size_t>(place), ",");
  return text;
}

std::string last_part(const std::string& path) { return path.substr(path.rfind('.') + 1); }

using Line = std::vector<std::string>;

Line line_of(const SummaryRow& row) {
  const std::string indent(static_cast<std::size_t>(2 * row.depth), ' ');
  const std::string name = row.name.empty() ? row.type : fmt::format("{} ({})", last_part(row.name), row.type);
  return {indent + name, row.ran ? to_string(row.output) : "not run",
          row.parameters == 0 ? "-" : grouped(static_cast<double>(row.parameters)),
          row.flops == 0 ? "-" : grouped(row.flops)};
}

}  // namespace

Summary summary(Module& model, std::span<const Tensor> inputs) {
  Summary result;
  const Named<Module*> modules = model.named_modules();
  for (const auto& [name, module] : modules) result.rows.push_back(row_of(name, *module));
  FlopCounter counter;
  {
    const ShapeWatch watch(modules, result.rows);
    const NoGrad no_grad;
    const ScopeGuard root{ScopeId{0}};
    const TracerScope tracing(&counter);
    model.call(inputs);
  }
  for (SummaryRow& row : result.rows) row.flops = counter.below(row.name);
  return result;
}

Summary summary(Module& model, const Tensor& input) { return summary(model, {&input, 1}); }

Summary summary(Module& model, const Shape& input) {
  const std::vector<Tensor> parameters = model.parameters();
  return summary(model, zeros(input, parameters.empty() ? kFloat32 : parameters[0].dtype()));
}

std::string to_string(const Summary& summary) {
  std::vector<Line> lines{{"module", "output", "parameters", "FLOPs"}};
  for (const SummaryRow& row : summary.rows) lines.push_back(line_of(row));
  std::size_t width[4] = {};
  for (const Line& line : lines)
    for (std::size_t i = 0; i < 4; ++i) width[i] = std::max(width[i], line[i].size());
  const std::string rule(width[0] + width[1] + width[2] + width[3] + 6, '-');
  std::string text;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const Line& line = lines[i];
    text += fmt::format("{:<{}}  {:<{}}  {:>{}}  {:>{}}\n", line[0], width[0], line[1], width[1], line[2], width[2],
                        line[3], width[3]);
    if (i == 0) text += rule + "\n";
  }
  return text + rule +
         fmt::format("\n{} parameters, {} of them trainable; {} FLOPs of a forward pass\n",
                     grouped(static_cast<double>(summary.parameters())),
                     grouped(static_cast<double>(summary.trainable())), grouped(summary.flops()));
}

std::ostream& operator<<(std::ostream& out, const Summary& s) { return out << to_string(s); }

}  // namespace eigengrad::nn
