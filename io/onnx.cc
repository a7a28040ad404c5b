#include "eigengrad/io/onnx.h"

#include <utility>
#include <vector>

#include "eigengrad/core/check.h"
#include "eigengrad/io/file.h"
#include "eigengrad/io/onnx/rules.h"
#include "eigengrad/nn/build.h"

namespace eigengrad::io {
namespace onnx {

Exporter::Exporter(nn::Module& model, std::int64_t opset) : graph_(opset) {
  for (const auto& [name, value] : model.named_parameters()) graph_.set_name(value, name);
  for (const auto& [name, value] : model.named_buffers()) graph_.set_name(value, name);
}

Flow Exporter::run(nn::Module& module, Flows inputs) {
  if (typeid(module) == typeid(nn::Sequential)) {
    Flow flow = inputs[0];
    for (const auto& [name, child] : module.children()) flow = run(*child, {&flow, 1});
    return flow;
  }
  if (typeid(module) == typeid(nn::Residual)) {
    auto& residual = static_cast<nn::Residual&>(module);
    const Flow body = run(const_cast<nn::Sequential&>(residual.body()), inputs);
    const nn::Sequential* const shortcut = residual.shortcut();
    const Flow other = shortcut ? run(const_cast<nn::Sequential&>(*shortcut), inputs) : inputs[0];
    return {graph_.node("Add", {body.name, other.name}), body.shape};
  }
  if (typeid(module) == typeid(nn::Graph)) return run_graph(static_cast<const nn::Graph&>(module), inputs);
  return run_layer(module, inputs);
}

Flow Exporter::run_graph(const nn::Graph& graph, Flows inputs) {
  std::vector<Flow> flows(inputs.begin(), inputs.end());
  for (const nn::Graph::Step& step : graph.steps()) {
    std::vector<Flow> read;
    for (const std::size_t place : step.from) read.push_back(flows[place]);
    flows.push_back(run(*step.module, read));
  }
  return flows[graph.output()];
}

Flow Exporter::run_layer(nn::Module& module, Flows inputs) {
  const nn::LayerTable& table = nn::layers();
  for (std::size_t i = 0; i < table.entries().size(); ++i) {
    const nn::LayerFunctions& functions = table.functions({i, nullptr});
    const void* const options = functions.options_of(module);
    if (!options) continue;
    const Rule* const rule = rules().find(module);
    if (!rule) refuse(module, "it is not written yet in terms of ONNX's operators");
    std::vector<Shape> shapes;
    for (const Flow& input : inputs) shapes.push_back(input.shape);
    // The options are complete, so they stay as they are.
    return {(*rule)(*this, module, inputs), functions.infer(const_cast<void*>(options), shapes)};
  }
  throw ValueError(fmt::format("[to_onnx] the module {} is none that is known", module.type_name()));
}

}  // namespace onnx

namespace {

// Keeps a module in evaluation while it lives.
class Evaluating {
 public:
  explicit Evaluating(nn::Module& model) {
    for (const auto& [name, module] : model.named_modules()) modes_.emplace_back(module, module->is_training());
    model.eval();
  }
  ~Evaluating() {
    for (const auto& [module, training] : modes_) module->train(training);  // from the outside in
  }
  Evaluating(const Evaluating&) = delete;
  Evaluating& operator=(const Evaluating&) = delete;

 private:
  std::vector<std::pair<nn::Module*, bool>> modes_;
};

}  // namespace

std::string to_onnx(nn::Module& model, const Shape& input, const OnnxOptions& options) {
  EG_CHECK(options.opset >= 17 && options.opset <= 21, ValueError, "[to_onnx] the opset is {}, expected 17 to 21",
           options.opset);
  const Evaluating evaluating(model);
  onnx::Exporter exporter(model, options.opset);
  const onnx::Flow given{"input", input};
  const onnx::Flow output = exporter.run(model, {&given, 1});
  onnx::Graph& graph = exporter.graph();
  graph.identity(output.name, "output");
  const std::int64_t kind = exporter.reads_integers() ? onnx::kInt : onnx::kFloat;
  const Message whole =
      graph.finish("model", Message().bytes(1, "input").message(2, onnx::tensor_type(kind, input)),
                   Message().bytes(1, "output").message(2, onnx::tensor_type(onnx::kFloat, output.shape)));
  constexpr std::int64_t kIrVersion = 8;  // of the format of the file
  Message file;
  file.integer(1, kIrVersion).bytes(2, options.producer).message(7, whole);
  file.message(8, Message().integer(2, options.opset));
  EG_CHECK(file.text().size() < (std::size_t{1} << 31), ValueError,
           "[to_onnx] the model has {} bytes, but files of protocol buffers end at 2 GiB", file.text().size());
  return file.text();
}

void save_onnx(const std::string& path, nn::Module& model, const Shape& input, const OnnxOptions& options) {
  write_file(path, to_onnx(model, input, options));
}

}  // namespace eigengrad::io
