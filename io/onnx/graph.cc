#include "eigengrad/io/onnx/graph.h"

#include <utility>

#include "eigengrad/core/check.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad::io::onnx {

Message tensor_type(std::int64_t kind, const Shape& sample) {
  Message shape;
  shape.message(1, Message().bytes(2, "batch"));
  for (const std::int64_t extent : sample) shape.message(1, Message().integer(1, extent));
  return Message().message(1, Message().integer(1, kind).message(2, shape));
}

Attributes& Attributes::add(const char* name, const std::vector<std::string>& values) {
  Message message;
  for (const std::string& value : values) message.bytes(9, value);
  return finish(name, 8, message);
}

std::vector<std::string> Graph::nodes(const char* type, const std::vector<std::string>& inputs, int outputs,
                                      const Attributes& attributes) {
  const std::string name = new_name(type);
  std::vector<std::string> names;
  for (int i = 0; i < outputs; ++i) names.push_back(i == 0 ? name : fmt::format("{}_{}", name, i));
  add_node(type, name, inputs, names, attributes);
  return names;
}

void Graph::identity(const std::string& input, const std::string& output) {
  add_node("Identity", output, {input}, {output}, {});
}

Message Graph::body(const std::vector<Shape>& inputs, const std::vector<Shape>& outputs,
                    const std::function<std::vector<std::string>(const std::vector<std::string>&)>& write) {
  const auto described = [](const std::string& name, const Shape& shape) {
    return Message().bytes(1, name).message(2, tensor_type(kFloat, shape));
  };
  std::vector<std::string> names;
  for (std::size_t i = 0; i < inputs.size(); ++i) names.push_back(new_name("inner"));
  const Message outer = std::exchange(nodes_, {});
  const std::vector<std::string> results = write(names);
  Message graph;
  graph.bytes(2, new_name("body"));
  for (std::size_t i = 0; i < inputs.size(); ++i) graph.message(11, described(names[i], inputs[i]));
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const std::string name = new_name("outer");
    identity(results[i], name);
    graph.message(12, described(name, outputs[i]));
  }
  graph.append(std::exchange(nodes_, outer));
  return graph;
}

std::string Graph::parameter(const Tensor& value) {
  const auto found = names_.find(&value.impl());
  return found == names_.end() ? constant(value) : keep(found->second, value);
}

std::string Graph::constant(double value) { return constant(full({}, value, kFloat32)); }

std::string Graph::integers(const std::vector<std::int64_t>& values) {
  return constant(tensor(values, {static_cast<std::int64_t>(values.size())}));
}

Message Graph::finish(const std::string& name, const Message& input, const Message& output) {
  Message graph = std::exchange(constants_, {});
  graph.append(std::exchange(nodes_, {})).bytes(2, name).message(11, input).message(12, output);
  return graph;
}

std::string Graph::new_name(const char* type) { return fmt::format("{}_{}", type, ++count_); }

void Graph::add_node(const char* type, const std::string& name, const std::vector<std::string>& inputs,
                     const std::vector<std::string>& outputs, const Attributes& attributes) {
  Message node;
  for (const std::string& input : inputs) node.bytes(1, input);
  for (const std::string& output : outputs) node.bytes(2, output);
  node.bytes(3, name).bytes(4, type);
  for (const Message& attribute : attributes.all()) node.message(5, attribute);
  nodes_.message(1, node);
}

std::string Graph::keep(const std::string& name, const Tensor& value) {
  if (!kept_.emplace(name, true).second) return name;
  EG_CHECK(value.dtype() == kFloat32 || value.dtype() == kInt64, DtypeError,
           "[to_onnx] {} is {}, expected a model of float32", name, value.dtype());
  const Tensor dense = contiguous(value.detach());
  const std::size_t bytes = static_cast<std::size_t>(dense.numel()) * size_of(dense.dtype());
  Message tensor;
  tensor.integers(1, std::vector<std::int64_t>(dense.shape().begin(), dense.shape().end()));
  tensor.integer(2, value.dtype() == kInt64 ? kInt : kFloat).bytes(8, name);
  tensor.bytes(9, {dense.raw<char>(), bytes});
  constants_.message(5, tensor);
  return name;
}

}  // namespace eigengrad::io::onnx
