// How layers are written in ONNX's operators: a table of rules, filled family by family.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <typeindex>
#include <typeinfo>
#include <utility>
#include <vector>

#include "eigengrad/io/onnx/graph.h"
#include "eigengrad/nn/nn.h"

namespace eigengrad::io::onnx {

/// Follows a model and writes its graph.
class Exporter {
 public:
  Exporter(nn::Module& model, std::int64_t opset);

  Graph& graph() { return graph_; }
  bool reads_integers() const { return reads_integers_; }
  void read_integers() { reads_integers_ = true; }

  /// What a module makes of its inputs.
  Flow run(nn::Module& module, Flows inputs);

 private:
  Flow run_graph(const nn::Graph& graph, Flows inputs);
  Flow run_layer(nn::Module& module, Flows inputs);

  Graph graph_;
  bool reads_integers_ = false;
};

/// Writes a layer, and gives the name of its output.
using Rule = std::function<std::string(Exporter&, nn::Module&, Flows)>;

class Rules {
 public:
  template <class L>
  void add(Rule rule) {
    rules_.emplace(typeid(L), std::move(rule));
  }
  /// With a function of the graph, the layer and its inputs.
  template <class L, class F>
  void write(F f) {
    add<L>([f](Exporter& e, nn::Module& module, Flows x) { return f(e.graph(), static_cast<const L&>(module), x); });
  }
  const Rule* find(const nn::Module& module) const {
    const auto found = rules_.find(typeid(module));
    return found == rules_.end() ? nullptr : &found->second;
  }

 private:
  std::map<std::type_index, Rule> rules_;
};

/// One rule for each layer that ONNX can express.
const Rules& rules();

// ---- The families.

void add_activations(Rules& rules);     // activations.cc
void add_linear(Rules& rules);          // linear.cc
void add_windows(Rules& rules);         // windows.cc: convolutions, pooling
void add_normalisations(Rules& rules);  // normalisation.cc
void add_recurrent(Rules& rules);       // recurrent.cc
void add_attention(Rules& rules);       // attention.cc
void add_shapes(Rules& rules);          // shapes.cc

// ---- What they share.

/// Throws ValueError, naming a layer that ONNX cannot express.
[[noreturn]] void refuse(const nn::Module& module, const std::string& why);

/// The axis of a batch, as it counts from the front.
std::int64_t axis_of(const Flow& x, std::int64_t axis);
std::string times(Graph& g, const std::string& x, double factor);
std::string gelu(Graph& g, const std::string& x, bool tanh_form);
std::string transposed(Graph& g, const std::string& x, std::vector<std::int64_t> order);
std::string reshaped(Graph& g, const std::string& x, std::vector<std::int64_t> shape);
/// The same with the batch axis as it is.
std::string with_shape(Graph& g, const std::string& x, const Shape& sample);
/// The mean or maximum ("ReduceMean", "ReduceMax") over some axes, which stay, with one element.
std::string reduced(Graph& g, const char* type, const std::string& x, const std::vector<std::int64_t>& axes);
/// x·Wᵀ + b on the last axis; w and b are names, b empty where there is none.
std::string linear(Graph& g, const std::string& x, const std::string& w, const std::string& b);
std::string linear(Graph& g, const std::string& x, const nn::Linear& layer);
std::string parameter_or_none(Graph& g, const Tensor& value);
std::string layer_norm(Graph& g, const std::string& x, const nn::LayerNorm& layer);
/// With margins before and after the last axes; `mode` as ONNX calls it.
std::string padded(Exporter& e, nn::Module& module, const Flow& x, const std::vector<std::int64_t>& before,
                   const std::vector<std::int64_t>& after, const char* mode);

}  // namespace eigengrad::io::onnx
