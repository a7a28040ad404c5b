// Texts, character by character.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eigengrad/data/dataset.h"

namespace eigengrad::data {

/// The characters (Unicode code points, read as UTF-8) of a text, numbered in their order.
class Characters {
 public:
  Characters() = default;
  /// Those of a text. Throws FormatError, with the place, for what is not UTF-8.
  explicit Characters(std::string_view text);

  std::int64_t size() const { return static_cast<std::int64_t>(characters_.size()); }
  /// The numbers of the characters, int64 [length]. Throws FormatError for what is not UTF-8, ValueError, with the line
  /// and the place in it, for a character that is not among these.
  Tensor encode(std::string_view text) const;
  /// The text of numbers of any shape. Throws DtypeError, IndexError.
  std::string decode(const Tensor& numbers) const;
  /// One character.
  const std::string& operator[](std::int64_t number) const;
  /// All of them, in their order.
  const std::vector<std::string>& all() const { return characters_; }

 private:
  std::vector<std::string> characters_;
  std::map<std::string, std::int64_t, std::less<>> numbers_;
};

/// Windows of a sequence of numbers: the input is `length` of them, the target the same one place further on, both
/// int64 [length]. Window i begins at i·stride.
class WindowDataset : public Dataset {
 public:
  /// Throws ShapeError unless `numbers` has one axis, DtypeError unless it is int64, ValueError for a length or stride
  /// below 1 and when there is not even one window, IndexError for a number outside [0, classes).
  WindowDataset(Tensor numbers, std::int64_t length, std::int64_t stride, std::int64_t classes,
                std::vector<std::string> names = {});
  std::int64_t size() const override { return (numbers_.size(0) - 1 - length_) / stride_ + 1; }
  Batch get(std::span<const std::int64_t> indices) const override;
  Shape input_shape() const override { return {length_}; }
  Shape target_shape() const override { return {length_}; }
  std::int64_t classes() const override { return classes_; }
  std::vector<std::string> class_names() const override;
  std::string description() const override;
  std::optional<std::uint64_t> fingerprint() const override;

 private:
  Tensor numbers_;
  std::int64_t length_, stride_, classes_;
  std::vector<std::string> names_;
};

/// The first part of a sequence of numbers, and the last, which has `fraction` of it. Throws ValueError unless 0 ≤
/// fraction ≤ 1.
std::pair<Tensor, Tensor> split_sequence(const Tensor& numbers, double fraction);

/// Lines such as "17+25=42": a text for machines that have no other, in which every answer can be known. Line i depends
/// on (seed, i) alone.
std::string sums_text(std::int64_t lines, std::uint64_t seed = 0);

}  // namespace eigengrad::data
