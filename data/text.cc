#include "eigengrad/data/text.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "eigengrad/core/check.h"
#include "eigengrad/core/file.h"
#include "eigengrad/core/random.h"
#include "eigengrad/core/utf8.h"
#include "eigengrad/data/fingerprint.h"
#include "eigengrad/ops/shape.h"

namespace eigengrad::data {
namespace {

// The bytes of the character that begins at text[i]; throws unless it is one.
std::string_view character_at(std::string_view text, std::size_t i) {
  const std::size_t length = utf8_length(text, i);
  EG_CHECK(length > 0, FormatError, "[Characters] the text is not UTF-8: byte {} is 0x{:02X}", i,
           static_cast<unsigned char>(text[i]));
  return text.substr(i, length);
}

template <class F>
void for_each_character(std::string_view text, F f) {
  for (std::size_t i = 0; i < text.size();) {
    const std::string_view character = character_at(text, i);
    f(character);
    i += character.size();
  }
}

}  // namespace

Characters::Characters(std::string_view text) {
  std::set<std::string, std::less<>> found;  // UTF-8 sorts as its code points do
  for_each_character(text, [&](std::string_view character) {
    if (!found.contains(character)) found.emplace(character);
  });
  for (const std::string& character : found) {
    numbers_.emplace(character, size());
    characters_.push_back(character);
  }
}

Tensor Characters::encode(std::string_view text) const {
  std::vector<std::int64_t> numbers;
  numbers.reserve(text.size());
  std::int64_t line = 1, place = 1;
  for_each_character(text, [&](std::string_view character) {
    const auto found = numbers_.find(character);
    EG_CHECK(found != numbers_.end(), ValueError,
             "[Characters] '{}', character {} of line {}, is not one of the {} characters", printable(character), place,
             line, size());
    numbers.push_back(found->second);
    ++place;
    if (character == "\n") ++line, place = 1;
  });
  return tensor(numbers, {static_cast<std::int64_t>(numbers.size())});
}

std::string Characters::decode(const Tensor& numbers) const {
  std::string text;
  for (const std::int64_t number : numbers.to_vector<std::int64_t>()) text += (*this)[number];
  return text;
}

const std::string& Characters::operator[](std::int64_t number) const {
  EG_CHECK(number >= 0 && number < size(), IndexError, "[Characters] there is no character {} of {}", number, size());
  return characters_[static_cast<std::size_t>(number)];
}

WindowDataset::WindowDataset(Tensor numbers, std::int64_t length, std::int64_t stride, std::int64_t classes,
                             std::vector<std::string> names)
    : numbers_(contiguous(numbers.detach())),
      length_(length),
      stride_(stride),
      classes_(classes),
      names_(std::move(names)) {
  EG_CHECK(numbers_.dim() == 1, ShapeError, "[WindowDataset] expected numbers of one axis, found {}", numbers_.shape());
  EG_CHECK(numbers_.dtype() == kInt64, DtypeError, "[WindowDataset] expected int64 numbers, found {}",
           numbers_.dtype());
  EG_CHECK(length >= 1 && stride >= 1, ValueError,
           "[WindowDataset] the length and the stride of windows must be at least 1, found {} and {}", length, stride);
  EG_CHECK(length < numbers_.size(0), ValueError,
           "[WindowDataset] a sequence of {} numbers has no window of {} and a number behind it", numbers_.size(0),
           length);
  for (const std::int64_t number : numbers_.data<std::int64_t>())
    EG_CHECK(number >= 0 && number < classes, IndexError, "[WindowDataset] {} is not one of {} classes", number,
             classes);
}

Batch WindowDataset::get(std::span<const std::int64_t> indices) const {
  const Shape shape{static_cast<std::int64_t>(indices.size()), length_};
  const Batch batch{empty(shape, kInt64), empty(shape, kInt64)};
  auto* input = batch.inputs.raw<std::int64_t>();
  auto* target = batch.targets.raw<std::int64_t>();
  for (const std::int64_t index : indices) {
    EG_CHECK(index >= 0 && index < size(), IndexError, "[dataset] there is no sample {} of {}", index, size());
    const auto* const from = numbers_.raw<const std::int64_t>() + index * stride_;
    input = std::copy_n(from, length_, input);
    target = std::copy_n(from + 1, length_, target);
  }
  return batch;
}

std::vector<std::string> WindowDataset::class_names() const { return names_.empty() ? Dataset::class_names() : names_; }

std::string WindowDataset::description() const {
  return fmt::format("{} windows of {} characters, of which there are {} kinds", size(), length_, classes_);
}

std::optional<std::uint64_t> WindowDataset::fingerprint() const {
  std::uint64_t result = fingerprint_of(numbers_.data<std::int64_t>());
  for (const std::string& name : names_) result = fingerprint_of(name, result);
  return result;
}

std::pair<Tensor, Tensor> split_sequence(const Tensor& numbers, double fraction) {
  EG_CHECK(fraction >= 0 && fraction <= 1, ValueError, "[split_sequence] the fraction must be in [0, 1], found {}",
           fraction);
  const std::int64_t size = numbers.size(0);
  const auto last = static_cast<std::int64_t>(static_cast<double>(size) * fraction);
  return {narrow(numbers, 0, 0, size - last), narrow(numbers, 0, size - last, last)};
}

std::string sums_text(std::int64_t lines, std::uint64_t seed) {
  std::string text;
  for (std::int64_t i = 0; i < lines; ++i) {
    Generator random(seed, static_cast<std::uint64_t>(i));
    const std::uint64_t a = random.below(50), b = random.below(50);
    text += fmt::format("{}+{}={}\n", a, b, a + b);
  }
  return text;
}

}  // namespace eigengrad::data
