// A graph of ONNX as it is being written. The numbers of fields are those of onnx.proto3.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "eigengrad/core/tensor.h"
#include "eigengrad/io/protobuf.h"

namespace eigengrad::io::onnx {

/// What flows from layer to layer: the name of a tensor in the file, and its shape without the batch axis.
struct Flow {
  std::string name;
  Shape shape;
  std::int64_t rank() const { return static_cast<std::int64_t>(shape.size()) + 1; }
};
using Flows = std::span<const Flow>;

inline constexpr std::int64_t kFloat = 1, kInt = 7;

/// The description of an input or output whose first axis is the batch, which stays open.
Message tensor_type(std::int64_t kind, const Shape& sample);

/// Attributes of a node.
class Attributes {
 public:
  Attributes& add(const char* name, std::int64_t value) { return finish(name, 2, Message().integer(3, value)); }
  Attributes& add(const char* name, double value) {
    return finish(name, 1, Message().number(2, static_cast<float>(value)));
  }
  Attributes& add(const char* name, const char* value) { return finish(name, 3, Message().bytes(4, value)); }
  Attributes& add(const char* name, const std::vector<std::int64_t>& values) {
    return finish(name, 7, Message().integers(8, values));
  }
  Attributes& add(const char* name, const std::vector<std::string>& values);
  /// A graph, which a node runs again and again.
  Attributes& add(const char* name, const Message& graph) { return finish(name, 5, Message().message(6, graph)); }
  const std::vector<Message>& all() const { return all_; }

 private:
  Attributes& finish(const char* name, std::int64_t kind, const Message& value) {
    all_.push_back(Message(value).bytes(1, name).integer(20, kind));
    return *this;
  }
  std::vector<Message> all_;
};

class Graph {
 public:
  explicit Graph(std::int64_t opset) : opset_(opset) {}

  std::int64_t opset() const { return opset_; }

  /// Adds a node, and gives the name of its output, or of each of several.
  std::string node(const char* type, const std::vector<std::string>& inputs, const Attributes& attributes = {}) {
    return nodes(type, inputs, 1, attributes)[0];
  }
  std::vector<std::string> nodes(const char* type, const std::vector<std::string>& inputs, int outputs,
                                 const Attributes& attributes = {});
  void identity(const std::string& input, const std::string& output);

  /// A graph within this one, whose inputs and outputs are of a batch and these extents: for nodes that run it. `write`
  /// gets the names of the inputs and gives those of the outputs. It may use what is outside; constants are kept there.
  Message body(const std::vector<Shape>& inputs, const std::vector<Shape>& outputs,
               const std::function<std::vector<std::string>(const std::vector<std::string>& inputs)>& write);

  /// A parameter or buffer under its own name; one that is shared is there once.
  std::string parameter(const Tensor& value);
  void set_name(const Tensor& value, const std::string& name) { names_.emplace(&value.impl(), name); }
  std::string constant(const Tensor& value) { return keep(new_name("constant"), value); }
  std::string constant(double value);
  std::string integers(const std::vector<std::int64_t>& values);

  /// The graph as a message, with a name, an input and an output. It is empty then.
  Message finish(const std::string& name, const Message& input, const Message& output);

 private:
  std::string new_name(const char* type);
  void add_node(const char* type, const std::string& name, const std::vector<std::string>& inputs,
                const std::vector<std::string>& outputs, const Attributes& attributes);
  std::string keep(const std::string& name, const Tensor& value);

  const std::int64_t opset_;
  int count_ = 0;
  Message nodes_, constants_;
  std::map<const TensorImpl*, std::string> names_;
  std::map<std::string, bool> kept_;
};

}  // namespace eigengrad::io::onnx
