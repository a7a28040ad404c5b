// Pictures of the computational graph, with the value and the gradient at every node.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "eigengrad/core/node.h"

namespace eigengrad::io {

/// Records the ops that run on this thread while it lives, and the gradients that a backward() walked meanwhile. It
/// keeps every tensor that it has seen, so it is for drawing, not for long runs.
///
///   GraphTrace trace;
///   Tensor loss = ...;
///   loss.backward();
///   write_file("graph.dot", trace.to_dot());
class GraphTrace : public Tracer {
 public:
  GraphTrace() : scope_(this) {}

  /// What the drawing calls a tensor: a leaf, or the result of an op. Tensors without a name are numbered.
  void set_name(const Tensor& x, std::string name);

  struct DotOptions {
    std::int64_t max_elements = 6;  ///< larger tensors show their least, mean and largest element instead
    bool group_by_module = true;    ///< a frame around the ops of each module
    bool shapes = true;             ///< tell the shapes of tensors
    std::string title{};            ///< stands above the drawing
  };
  /// The graph in Graphviz's language, leaves on the left.
  std::string to_dot(const DotOptions& options) const;
  std::string to_dot() const { return to_dot(DotOptions()); }

  void on_op(const OpEvent& event) override;
  void on_grad(const Node& node, std::uint32_t slot, const Tensor& grad) override;

  /// The number of entries: ops and leaves that were seen.
  std::size_t size() const { return entries_.size(); }

 private:
  // Tensors of the graph are known by their node and output, others by their own address.
  using Key = std::pair<const void*, std::uint32_t>;
  struct Entry {
    std::string op;  // empty for a leaf
    Attributes attributes;
    ScopeId scope;
    Tensor value;
    Tensor grad;
    std::string name;
    std::vector<std::size_t> inputs;
  };

  static Key key_of(const Tensor& x);
  std::size_t entry_of(const Tensor& x);
  std::string node_text(std::size_t index, const DotOptions& options) const;

  const TracerScope scope_;
  std::vector<Entry> entries_;
  std::map<Key, std::size_t> index_;
};

/// Has Graphviz draw a DOT file as SVG. False when the `dot` program is not there; throws IoError when it fails.
bool render_svg(const std::string& dot_path, const std::string& svg_path);

}  // namespace eigengrad::io
