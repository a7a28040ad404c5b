// Einstein's summation, by products of matrices.
#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

#include "eigengrad/core/check.h"
#include "eigengrad/ops/arithmetic.h"
#include "eigengrad/ops/kernels/check.h"
#include "eigengrad/ops/linalg.h"
#include "eigengrad/ops/rearrange.h"
#include "eigengrad/ops/reduce.h"
#include "eigengrad/ops/shape.h"
#include "eigengrad/ops/type.h"

namespace eigengrad {
namespace {

// An axis is named by its letter, or, where it belongs to an ellipsis, by a number below 'A': the last axis of an
// ellipsis is kLastOfEllipsis, the one before it one less.
using Labels = std::string;
constexpr char kLastOfEllipsis = 'A' - 1;
constexpr std::int64_t kMostAxesOfEllipsis = 32;

bool has(const Labels& labels, char label) { return labels.find(label) != Labels::npos; }

struct Term {
  Tensor x;
  Labels labels;  // one for each axis of x, none twice
};

class Equation {
 public:
  explicit Equation(std::string_view text) : text_(text) {
    std::string plain;
    for (const char c : text)
      if (!std::isspace(static_cast<unsigned char>(c))) plain += c;
    const std::size_t arrow = plain.find("->");
    has_output_ = arrow != std::string::npos;
    if (has_output_) output_ = plain.substr(arrow + 2);
    std::string inputs = plain.substr(0, arrow);
    for (std::size_t comma = 0; comma != std::string::npos;) {
      comma = inputs.find(',');
      terms_.push_back(inputs.substr(0, comma));
      if (comma != std::string::npos) inputs.erase(0, comma + 1);
    }
  }

  std::size_t terms() const { return terms_.size(); }
  /// The labels of an operand with the given number of axes.
  Labels labels_of(std::size_t term, std::int64_t rank) {
    const std::string& text = terms_[term];
    const std::size_t dots = text.find("...");
    const std::int64_t named = static_cast<std::int64_t>(text.size()) - (dots != std::string::npos ? 3 : 0);
    EG_CHECK(dots != std::string::npos ? rank >= named : rank == named, ShapeError,
             "[einsum] '{}' names {} axes in '{}', but operand {} has {}", text_, named, text, term, rank);
    const std::int64_t more = rank - named;
    EG_CHECK(more <= kMostAxesOfEllipsis, ShapeError, "[einsum] an ellipsis can stand for {} axes, found {}",
             kMostAxesOfEllipsis, more);
    ellipsis_ = std::max(ellipsis_, more);
    return expanded(text, dots, more);
  }
  /// Those of the result, after all operands are known.
  Labels output(const std::vector<Term>& terms) const {
    if (has_output_) {
      const Labels labels = expanded(output_, output_.find("..."), ellipsis_);
      check_output(labels, terms);
      return labels;
    }
    Labels all, once = ellipsis_labels(ellipsis_);
    for (const std::string& term : terms_) all += term;
    for (char label = 'A'; label <= 'z'; ++label)
      if (std::count(all.begin(), all.end(), label) == 1) once += label;
    return once;
  }

 private:
  static Labels ellipsis_labels(std::int64_t count) {
    Labels labels;
    for (std::int64_t i = count; i-- > 0;) labels += static_cast<char>(kLastOfEllipsis - i);
    return labels;
  }
  Labels expanded(const std::string& text, std::size_t dots, std::int64_t ellipsis) const {
    Labels labels;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (i == dots) {
        labels += ellipsis_labels(ellipsis);
        i += 2;
        continue;
      }
      EG_CHECK(std::isalpha(static_cast<unsigned char>(text[i])), ValueError,
               "[einsum] found '{}' in '{}', expected letters, commas, '...' and one '->'", text[i], text_);
      labels += text[i];
    }
    return labels;
  }
  void check_output(const Labels& labels, const std::vector<Term>& terms) const {
    for (const char label : labels) {
      if (label <= kLastOfEllipsis) continue;
      EG_CHECK(std::count(labels.begin(), labels.end(), label) == 1, ValueError,
               "[einsum] '{}' stands twice behind the arrow of '{}'", label, text_);
      EG_CHECK(std::any_of(terms.begin(), terms.end(), [&](const Term& term) { return has(term.labels, label); }),
               ValueError, "[einsum] '{}' stands behind the arrow of '{}' and in no operand", label, text_);
    }
  }

  const std::string text_;
  std::vector<std::string> terms_;
  std::string output_;
  bool has_output_ = false;
  std::int64_t ellipsis_ = 0;
};

std::int64_t axis_of(const Term& term, char label) { return static_cast<std::int64_t>(term.labels.find(label)); }

// A letter that stands twice: the diagonal of its two axes.
Term without_repeats(Tensor x, Labels labels, std::string_view equation) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::size_t j = labels.find(labels[i], i + 1);
    if (j == Labels::npos) continue;
    const auto a = static_cast<std::int64_t>(i), b = static_cast<std::int64_t>(j);
    EG_CHECK(x.size(a) == x.size(b), ShapeError, "[einsum] '{}' in '{}' has {} elements and {}", labels[i], equation,
             x.size(a), x.size(b));
    x = diagonal(x, 0, a, b);
    labels += labels[i];
    labels.erase(j, 1);
    labels.erase(i, 1);
    --i;
  }
  return {x, labels};
}

// Sums over the axes whose labels are not wanted.
Term summed(const Term& term, const Labels& wanted) {
  Dims axes;
  Labels kept;
  for (std::size_t i = 0; i < term.labels.size(); ++i)
    if (has(wanted, term.labels[i]))
      kept += term.labels[i];
    else
      axes.push_back(static_cast<std::int64_t>(i));
  return axes.empty() ? term : Term{sum(term.x, axes), kept};
}

// The axes in the order of `labels`, those that the term does not have with extent 1.
Tensor aligned(const Term& term, const Labels& labels) {
  Dims order;
  Shape shape;
  for (const char label : labels) {
    if (has(term.labels, label)) order.push_back(axis_of(term, label));
    shape.push_back(has(term.labels, label) ? term.x.size(axis_of(term, label)) : 1);
  }
  return reshape(permute(term.x, order), shape);
}

std::int64_t extent_of(const Term& term, char label) { return term.x.size(axis_of(term, label)); }

// The product of two terms, summed over the labels that are not wanted after it.
class Contraction {
 public:
  Contraction(const Term& a, const Term& b, const Labels& wanted, std::string_view equation) : a_(a), b_(b) {
    for (const char label : a.labels) {
      if (!has(b.labels, label)) {
        left_ += label;
        continue;
      }
      const std::int64_t x = extent_of(a, label), y = extent_of(b, label);
      EG_CHECK(x == y || x == 1 || y == 1, ShapeError,
               "[einsum] '{}' in '{}' has {} elements in one operand and {} in "
               "another",
               label <= kLastOfEllipsis ? std::string("...") : std::string(1, label), equation, x, y);
      if (has(wanted, label))
        batch_ += label;
      else
        inner_ += label;
      broadcasts_ = broadcasts_ || x != y;
    }
    for (const char label : b.labels)
      if (!has(a.labels, label)) right_ += label;
  }
  Term run(const Labels& wanted) const {
    const bool floating = is_floating(a_.x.dtype());
    if (broadcasts_ || !floating) {
      const Labels all = batch_ + left_ + inner_ + right_;
      return summed({aligned(a_, all) * aligned(b_, all), all}, wanted);
    }
    const Tensor product = matmul(grouped(a_, batch_, left_, inner_), grouped(b_, batch_, inner_, right_));
    Shape shape = shape_of(a_, batch_);
    for (const std::int64_t extent : shape_of(a_, left_)) shape.push_back(extent);
    for (const std::int64_t extent : shape_of(b_, right_)) shape.push_back(extent);
    return {reshape(product, shape), batch_ + left_ + right_};
  }

 private:
  static Shape shape_of(const Term& term, const Labels& labels) {
    Shape shape;
    for (const char label : labels) shape.push_back(extent_of(term, label));
    return shape;
  }
  // [batch, rows, columns], each group of axes as one.
  static Tensor grouped(const Term& term, const Labels& batch, const Labels& rows, const Labels& columns) {
    const auto count = [&](const Labels& labels) { return checked_numel(shape_of(term, labels)); };
    return reshape(aligned(term, batch + rows + columns), {count(batch), count(rows), count(columns)});
  }

  const Term &a_, &b_;
  Labels batch_, left_, inner_, right_;
  bool broadcasts_ = false;
};

}  // namespace

Tensor einsum(std::string_view equation, Args operands) {
  Equation parsed(equation);
  EG_CHECK(parsed.terms() == operands.size(), ValueError, "[einsum] '{}' has {} operands, found {}", equation,
           parsed.terms(), operands.size());
  kernels::check_all_defined("einsum", operands);
  std::vector<Term> terms;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    EG_CHECK(operands[i].dtype() != kBool, DtypeError, "[einsum] expected numbers, found operand {} of bool", i);
    EG_CHECK(operands[i].dtype() == operands[0].dtype(), DtypeError, "[einsum] operand {} is {}, but operand 0 is {}",
             i, operands[i].dtype(), operands[0].dtype());
    terms.push_back(without_repeats(operands[i], parsed.labels_of(i, operands[i].dim()), equation));
  }
  const Labels output = parsed.output(terms);
  Term result = terms[0];
  for (std::size_t i = 0; i < terms.size(); ++i) {
    Labels wanted = output;
    for (std::size_t later = i + 1; later < terms.size(); ++later) wanted += terms[later].labels;
    if (i > 0) {
      const Term next = summed(terms[i], wanted + result.labels);
      result = Contraction(result, next, wanted, equation).run(wanted);
    }
    result = summed(result, wanted);
  }
  return aligned(result, output);
}

}  // namespace eigengrad
