#include "eigengrad/io/graph.h"

#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cmath>

#include "eigengrad/core/check.h"
#include "eigengrad/ops/comparison.h"
#include "eigengrad/ops/reduce.h"
#include "eigengrad/ops/type.h"

extern char** environ;

namespace eigengrad::io {
namespace {

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      default: result += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return result;
}

// The sign that a reader knows, where there is one.
std::string symbol(const std::string& op) {
  static const std::map<std::string, std::string> signs{{"add", "+"}, {"sub", "−"},    {"mul", "×"},
                                                        {"div", "÷"}, {"matmul", "@"}, {"neg", "−"}};
  const auto sign = signs.find(op);
  return sign == signs.end() ? op : sign->second + "  (" + op + ")";
}

std::string number(double value) {
  if (std::isnan(value)) return "nan";  // whatever its sign
  std::string text = fmt::format("{:.4g}", value);
  return text == "-0" ? "0" : text;
}

bool has_nonfinite(const Tensor& x) { return x.numel() > 0 && !all(isfinite(x)).item<bool>(); }

// A few numbers in full; of more, the range.
std::string summary(const Tensor& x, std::int64_t max_elements) {
  if (x.numel() == 0) return "empty";
  const std::vector<double> values = to(x.detach(), kFloat64).to_vector<double>();
  if (x.numel() == 1) return number(values[0]);
  if (x.numel() <= max_elements) {
    std::string text = "[";
    for (std::size_t i = 0; i < values.size(); ++i) text += (i ? ", " : "") + number(values[i]);
    return text + "]";
  }
  double least = values[0], largest = values[0], total = 0;
  for (const double value : values) {
    least = std::min(least, value);
    largest = std::max(largest, value);
    total += value;
  }
  return number(least) + " … " + number(largest) + ", mean " + number(total / static_cast<double>(values.size()));
}

std::string row(const char* label, const std::string& text, const char* color) {
  return fmt::format(
      R"(<tr><td align="left"><font color="#6b7280">{}</font></td><td align="left"><font color="{}"><b>{}</b></font></td></tr>)",
      label, color, escaped(text));
}

constexpr const char* kValueColor = "#15803d";
constexpr const char* kGradColor = "#1d4ed8";
constexpr const char* kAlarmColor = "#dc2626";

}  // namespace

GraphTrace::Key GraphTrace::key_of(const Tensor& x) {
  const TensorImpl& impl = x.impl();
  return impl.node ? Key{impl.node.get(), impl.slot} : Key{&impl, 0};
}

std::size_t GraphTrace::entry_of(const Tensor& x) {
  const auto [found, is_new] = index_.try_emplace(key_of(x), entries_.size());
  if (is_new) entries_.push_back({"", {}, 0, x, {}, "", {}});
  return found->second;
}

void GraphTrace::set_name(const Tensor& x, std::string name) { entries_[entry_of(x)].name = std::move(name); }

void GraphTrace::on_op(const OpEvent& event) {
  std::vector<std::size_t> from;
  for (std::size_t i = 0; i < event.inputs.size(); ++i) from.push_back(entry_of(event.inputs[i]));
  Entry& entry = entries_[entry_of(event.output)];
  entry.op = event.name;
  entry.attributes = event.attributes;
  entry.scope = thread_state.scope;
  entry.inputs = std::move(from);
}

void GraphTrace::on_grad(const Node& node, std::uint32_t slot, const Tensor& grad) {
  const auto found = index_.find(Key{&node, slot});
  if (found != index_.end()) entries_[found->second].grad = grad;
}

std::string GraphTrace::node_text(std::size_t index, const DotOptions& options) const {
  const Entry& entry = entries_[index];
  const bool leaf = entry.op.empty();
  const bool trained = leaf && entry.value.requires_grad();
  std::string title = leaf ? (entry.name.empty() ? "constant" : entry.name) : symbol(entry.op);
  if (!leaf && !entry.name.empty()) title = entry.name + "  =  " + title;
  const bool alarm = has_nonfinite(entry.value) || (entry.grad.defined() && has_nonfinite(entry.grad));
  const char* header = alarm ? "#fecaca" : trained ? "#fde68a" : leaf ? "#e5e7eb" : "#dbeafe";
  std::string html = fmt::format(
      R"(<<table border="1" cellborder="0" cellspacing="0" cellpadding="3" color="#9ca3af" bgcolor="white" style="rounded">)"
      R"(<tr><td colspan="2" bgcolor="{}"><b>{}</b></td></tr>)",
      header, escaped(title));
  for (const auto& [key, value] : entry.attributes)
    if (key != "shape") html += row(key.c_str(), value, "#374151");
  if (options.shapes && entry.value.dim() > 0) html += row("shape", to_string(entry.value.shape()), "#374151");
  html += row("value", summary(entry.value, options.max_elements), alarm ? kAlarmColor : kValueColor);
  if (entry.grad.defined())
    html += row("grad", summary(entry.grad, options.max_elements), alarm ? kAlarmColor : kGradColor);
  return fmt::format("  n{} [label={}</table>>];\n", index, html);
}

std::string GraphTrace::to_dot(const DotOptions& options) const {
  const TracerScope silent(nullptr);
  const NoGrad no_grad;
  std::string dot =
      "digraph eigengrad {\n  rankdir=LR;\n  bgcolor=\"white\";\n  fontname=\"Helvetica\";\n"
      "  node [shape=plaintext, fontname=\"Helvetica\", fontsize=12];\n  edge [color=\"#6b7280\", arrowsize=0.7];\n";
  if (!options.title.empty()) dot += fmt::format("  label=<{}>; labelloc=t; fontsize=16;\n", escaped(options.title));
  std::map<ScopeId, std::string> groups;
  for (std::size_t i = 0; i < entries_.size(); ++i)
    groups[options.group_by_module ? entries_[i].scope : 0] += node_text(i, options);
  for (const auto& [scope, nodes] : groups) {
    if (scope == 0) {
      dot += nodes;
    } else {
      dot += fmt::format(
          "  subgraph cluster_{} {{\n  label=<<b>{}</b>>; color=\"#93c5fd\"; style=rounded; labeljust=l;\n{}  }}\n",
          scope, escaped(scope_path(scope)), nodes);
    }
  }
  for (std::size_t i = 0; i < entries_.size(); ++i)
    for (const std::size_t from : entries_[i].inputs) dot += fmt::format("  n{} -> n{};\n", from, i);
  return dot + "}\n";
}

bool render_svg(const std::string& dot_path, const std::string& svg_path) {
  const char* arguments[] = {"dot", "-Tsvg", "-o", svg_path.c_str(), dot_path.c_str(), nullptr};
  pid_t child = 0;
  if (posix_spawnp(&child, "dot", nullptr, nullptr, const_cast<char**>(arguments), environ) != 0) return false;
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127) return false;
  EG_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, IoError, "the program dot could not draw {}", dot_path);
  return true;
}

}  // namespace eigengrad::io
