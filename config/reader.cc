#include "eigengrad/config/reader.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "eigengrad/config/diagnostics.h"
#include "eigengrad/core/check.h"
#include "eigengrad/core/file.h"

namespace eigengrad::config {
namespace {

// Builds Values from nlohmann's events. These come without places, so the text is followed alongside: between two
// events there is nothing but white space, colons and commas.
class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  Builder(std::string_view text, const std::string& source) : text_(text), source_(source) {}

  Value take() { return std::move(root_); }

  bool null() override { return scalar(Value()); }
  bool boolean(bool value) override { return scalar(Value(value)); }
  bool number_integer(number_integer_t value) override { return scalar(Value(static_cast<std::int64_t>(value))); }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max()))
      too_large(std::to_string(value));
    return scalar(Value(static_cast<std::int64_t>(value)));
  }
  bool number_float(number_float_t value, const string_t& written) override {
    if (written.find_first_of(".eE") == std::string::npos) too_large(written);
    if (!std::isfinite(value))
      fail(next_token(), fmt::format("the number {} is beyond the range of double", excerpt(written)));
    return scalar(Value(value));
  }
  bool string(string_t& value) override { return scalar(Value(checked_string(value))); }
  bool binary(binary_t&) override { return false; }

  bool start_object(std::size_t) override { return open(Value::object()); }
  bool start_array(std::size_t) override { return open(Value::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    const std::size_t at = next_token();
    count_value(at);
    key_ = checked_string(name);
    if (!keys_.back().insert(key_).second) fail(at, fmt::format("the key \"{}\" is there twice", excerpt(key_)));
    skip_token(at);
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    std::string what = error.what();
    for (const char* mark :
         {"column ", ": "})  // drops "[json.exception.parse_error.101] parse error at line 1, column 5: "
      if (const std::size_t found = what.find(mark); found != std::string::npos)
        what = what.substr(found + std::strlen(mark));
    fail(position == 0 ? 0 : position - 1, excerpt(what, 200));
  }

 private:
  [[noreturn]] void fail(std::size_t offset, const std::string& what) const {
    const Position at = position_of(offset);
    throw ConfigError(fmt::format("{}:{}:{}: {}", source_, at.line, at.column, what));
  }
  [[noreturn]] void too_large(const std::string& written) {
    fail(next_token(), fmt::format("the integer {} is beyond 64 bits", excerpt(written)));
  }

  // Lines and columns of rising offsets, counted on from the last one asked for.
  Position position_of(std::size_t offset) const {
    offset = std::min(offset, text_.size());
    if (offset < counted_) counted_ = 0, line_ = 1, line_start_ = 0;
    for (; counted_ < offset; ++counted_)
      if (text_[counted_] == '\n') ++line_, line_start_ = counted_ + 1;
    return {line_, static_cast<int>(offset - line_start_) + 1};
  }

  std::size_t next_token() {
    while (cursor_ < text_.size() && std::strchr(" \t\r\n,:", text_[cursor_])) ++cursor_;
    return cursor_;
  }
  void skip_token(std::size_t at) {
    cursor_ = at + 1;
    if (std::strchr("{}[]", text_[at])) return;
    if (text_[at] == '"') {
      while (text_[cursor_] != '"') cursor_ += text_[cursor_] == '\\' ? 2 : 1;
      ++cursor_;
      return;
    }
    while (cursor_ < text_.size() && !std::strchr(" \t\r\n,:{}[]", text_[cursor_])) ++cursor_;
  }

  std::string checked_string(const std::string& value) {
    if (value.find('\0') != std::string::npos) fail(next_token(), "a string contains a NUL character");
    return value;
  }

  void count_value(std::size_t at) {
    if (++values_ > kMaxValues) fail(at, fmt::format("there are more than {} values", kMaxValues));
  }

  Value* place(Value value) {
    const std::size_t at = next_token();
    count_value(at);
    value.set_position(position_of(at));
    skip_token(at);
    if (stack_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Value& parent = *stack_.back();
    if (Value::Array* array = parent.as_array()) return &array->emplace_back(std::move(value));
    return &parent.as_object()->emplace_back(key_, std::move(value)).second;
  }
  bool scalar(Value value) {
    place(std::move(value));
    return true;
  }
  bool open(Value value) {
    if (stack_.size() >= static_cast<std::size_t>(kMaxDepth))
      fail(next_token(), fmt::format("values are nested deeper than {}", kMaxDepth));
    // The parent's storage does not move while a child is open: nothing is added to it meanwhile.
    stack_.push_back(place(std::move(value)));
    keys_.emplace_back();
    return true;
  }
  bool close() {
    skip_token(next_token());
    stack_.pop_back();
    keys_.pop_back();
    return true;
  }

  const std::string_view text_;
  const std::string& source_;
  Value root_;
  std::vector<Value*> stack_;                          // the open arrays and objects
  std::vector<std::unordered_set<std::string>> keys_;  // of each of them
  std::string key_;
  std::size_t cursor_ = 0, values_ = 0;
  mutable std::size_t counted_ = 0, line_start_ = 0;
  mutable int line_ = 1;
};

// The member or element that one part of a path names; made when it is a missing member.
Value* step_into(Value& value, std::string_view part, std::string_view path) {
  EG_CHECK(!part.empty(), ConfigError, "cannot set {}: a name in it is empty", printable(path));
  if (Value::Array* array = value.as_array()) {
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), index);
    EG_CHECK(error == std::errc() && end == part.data() + part.size() && index < array->size(), ConfigError,
             "cannot set {}: '{}' is not an index into an array of {}", printable(path), printable(part),
             array->size());
    return &(*array)[index];
  }
  if (value.as_string()) {  // a name alone is short for an object of that type
    Value object = Value::object();
    object.set_position(value.position());
    object.set("type", std::move(value));
    value = std::move(object);
  }
  EG_CHECK(value.is_null() || value.as_object(), ConfigError, "cannot set {}: there is no '{}' in {}", printable(path),
           printable(part), value.description());
  if (Value* present = value.find(part)) return present;
  return &value.set(std::string(part), Value());
}

// What does not stand in the file has no place in it.
void clear_positions(Value& value) {
  value.set_position({});
  if (Value::Array* const array = value.as_array())
    for (Value& item : *array) clear_positions(item);
  if (Value::Object* const object = value.as_object())
    for (auto& [key, item] : *object) clear_positions(item);
}

}  // namespace

Value parse_json(std::string_view text, const std::string& source) {
  EG_CHECK(text.size() <= kMaxBytes, ConfigError, "{}: {} bytes are more than the {} allowed", source, text.size(),
           kMaxBytes);
  EG_CHECK(!text.starts_with("\xEF\xBB\xBF"), ConfigError,
           "{}:1:1: the text begins with a byte order mark: save it without one", source);
  Builder builder(text, source);
  nlohmann::json::sax_parse(text, &builder);
  return builder.take();
}

Value read_json_file(const std::string& path) {
  RegularFile file(path);
  EG_CHECK(file.size() <= kMaxBytes, ConfigError, "{} has {} bytes, more than the {} allowed", file.name(), file.size(),
           kMaxBytes);
  return parse_json(file.read_all(), file.name());
}

void set_by_path(Value& root, std::string_view path, std::string_view text) {
  EG_CHECK(!path.empty(), ConfigError, "cannot set a value without a name: write name=value");
  Value* target = &root;
  for (std::string_view rest = path;;) {
    const std::size_t dot = rest.find('.');
    target = step_into(*target, rest.substr(0, dot), path);
    if (dot == std::string_view::npos) break;
    rest = rest.substr(dot + 1);
  }
  try {
    *target = parse_json(text);
  } catch (const ConfigError&) {
    *target = Value(std::string(text));
  }
  clear_positions(*target);
}

}  // namespace eigengrad::config
