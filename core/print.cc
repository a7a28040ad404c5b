// Tensors as text. The look is PyTorch's (torch/_tensor_str.py): one format for all elements, with four decimals, or
// none when all are whole, or scientific when they span too much; long tensors show three elements at either end of an
// axis.
#include <cmath>
#include <limits>
#include <ostream>

#include "eigengrad/core/check.h"
#include "eigengrad/core/dispatch.h"
#include "eigengrad/core/node.h"

namespace eigengrad {
namespace {

constexpr std::int64_t kMostShown = 1000;  // elements; beyond, the middle of an axis is left out
constexpr std::int64_t kEdge = 3;          // elements shown at either end of an axis
constexpr std::size_t kLineWidth = 80;
constexpr std::string_view kPrefix = "tensor(";

// How the elements of one tensor are written: chosen for all of them together.
template <class T>
class Format {
 public:
  explicit Format(const std::vector<T>& values) {
    if constexpr (std::is_floating_point_v<T>) choose_notation(values);
    for (const T value : values)
      if (sets_width(value)) width_ = std::max(width_, bare(value).size());
  }

  std::size_t width() const { return width_; }
  std::string operator()(T value) const {
    const std::string text = bare(value);
    return text.size() < width_ ? std::string(width_ - text.size(), ' ') + text : text;
  }

 private:
  // Zeros, infinities and NaN have no say in the notation.
  static bool counts(T value) { return std::isfinite(value) && value != 0; }
  // Nor, among floating numbers, in the width.
  static bool sets_width(T value) {
    if constexpr (std::is_floating_point_v<T>) return counts(value);
    return true;
  }

  void choose_notation(const std::vector<T>& values) {
    double least = std::numeric_limits<double>::infinity(), most = 0;
    for (const T value : values) {
      if (!counts(value)) continue;
      least = std::min(least, std::abs(static_cast<double>(value)));
      most = std::max(most, std::abs(static_cast<double>(value)));
      whole_ = whole_ && value == std::ceil(value);
    }
    scientific_ = most > 0 && (most / least > 1000 || most > 1e8 || least < 1e-4);
  }

  std::string bare(T value) const {
    if constexpr (std::is_same_v<T, bool>) return value ? "True" : "False";
    if constexpr (std::is_same_v<T, std::int64_t>) return fmt::format("{}", value);
    const auto number = static_cast<double>(value);
    if (std::isnan(number)) return "nan";  // whatever its sign
    if (scientific_) return fmt::format("{:.4e}", number);
    if (whole_) return fmt::format("{:.0f}{}", number, std::isfinite(number) ? "." : "");
    return fmt::format("{:.4f}", number);
  }

  bool whole_ = true, scientific_ = false;
  std::size_t width_ = 1;
};

template <class T>
class Printer {
  using Shown = std::conditional_t<std::is_same_v<T, BFloat16>, float, T>;

 public:
  explicit Printer(const Tensor& x)
      : shape_(x.shape()), strides_(x.strides()), summarize_(x.numel() > kMostShown), format_(shown_values(x)) {}

  // The elements below `axis`; `indent` is the column of their first bracket.
  std::string text(const T* at, std::size_t axis, std::size_t indent) const {
    if (axis == shape_.size()) return format_(*at);
    const bool innermost = axis + 1 == shape_.size();
    const std::size_t per_line =
        std::max<std::size_t>(1, (kLineWidth - std::min(kLineWidth, indent)) / (format_.width() + 2));
    const std::string line_break =
        "," + std::string(innermost ? 1 : shape_.size() - axis - 1, '\n') + std::string(indent + 1, ' ');
    std::string out = "[";
    std::size_t pieces = 0;
    const auto add = [&](const std::string& piece) {
      if (pieces > 0) out += innermost && pieces % per_line != 0 ? ", " : line_break;
      out += piece;
      ++pieces;
    };
    for (std::int64_t i = 0; i < shape_[axis]; ++i) {
      if (i == kEdge && skips(axis)) {
        add(innermost ? " ..." : "...");
        i = shape_[axis] - kEdge;
      }
      add(text(at + i * strides_[axis], axis + 1, indent + 1));
    }
    return out + "]";
  }

 private:
  bool skips(std::size_t axis) const { return summarize_ && shape_[axis] > 2 * kEdge; }

  std::vector<Shown> shown_values(const Tensor& x) const {
    std::vector<Shown> values;
    collect(x.raw<const T>(), 0, values);
    return values;
  }
  void collect(const T* at, std::size_t axis, std::vector<Shown>& values) const {
    if (axis == shape_.size()) return values.push_back(*at);
    for (std::int64_t i = 0; i < shape_[axis]; ++i) {
      if (i == kEdge && skips(axis)) i = shape_[axis] - kEdge;
      collect(at + i * strides_[axis], axis + 1, values);
    }
  }

  const Shape shape_;
  const Strides strides_;
  const bool summarize_;
  const Format<Shown> format_;
};

std::string elements(const Tensor& x) {
  if (x.numel() == 0) return "[]";
  return dispatch_stored(x.dtype(), [&]<class T>() { return Printer<T>(x).text(x.raw<const T>(), 0, kPrefix.size()); });
}

std::string size_in_parentheses(const Shape& shape) {
  std::string text = to_string(shape);
  text.front() = '(';
  text.back() = ')';
  return text;
}

// What the elements do not tell.
std::vector<std::string> suffixes(const Tensor& x) {
  std::vector<std::string> result;
  const bool shows_dtype = x.numel() == 0 || x.dtype() == kFloat64 || x.dtype() == kBFloat16;
  if (x.numel() == 0 && x.dim() != 1) result.push_back("size=" + size_in_parentheses(x.shape()));
  if (shows_dtype && x.dtype() != kFloat32) result.push_back(fmt::format("dtype={}", x.dtype()));
  if (const Node* node = x.grad_fn())
    result.push_back(fmt::format("grad_fn=<{}>", node->name()));
  else if (x.requires_grad())
    result.push_back("requires_grad=True");
  return result;
}

}  // namespace

std::string to_string(const Tensor& x) {
  if (!x.defined()) return "tensor(undefined)";
  std::string text = std::string(kPrefix) + elements(x);
  const std::size_t last_break = text.rfind('\n');
  std::size_t column = text.size() - (last_break == std::string::npos ? 0 : last_break) + 1;
  if (last_break == std::string::npos) ++column;  // as PyTorch counts
  for (const std::string& suffix : suffixes(x)) {
    if (column + suffix.size() + 2 > kLineWidth) {
      text += ",\n" + std::string(kPrefix.size(), ' ') + suffix;
      column = kPrefix.size() + suffix.size();
    } else {
      text += ", " + suffix;
      column += suffix.size() + 2;
    }
  }
  return text + ")";
}

std::ostream& operator<<(std::ostream& out, const Tensor& x) { return out << to_string(x); }

}  // namespace eigengrad
