// JSON values that remember where in the file they stand.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "eigengrad/core/file.h"

namespace eigengrad::config {

/// A place in a text, counted from 1; 0 where there is none, for values made by the program.
struct Position {
  int line = 0;    ///< the line
  int column = 0;  ///< the place in it
};

/// A JSON value: null, bool, int64, double, string, array, or object with its keys in the order of the file.
class Value {
 public:
  /// Of a JSON array.
  using Array = std::vector<Value>;
  /// A key and its value.
  using Member = std::pair<std::string, Value>;
  /// Of a JSON object.
  using Object = std::vector<Member>;

  /// Of what stands in the parentheses; null by default.
  /// @{
  Value() = default;
  Value(bool value) : data_(value) {}
  Value(int value) : data_(std::int64_t{value}) {}
  Value(std::int64_t value) : data_(value) {}
  Value(double value) : data_(value) {}
  Value(const char* value) : data_(std::string(value)) {}
  Value(std::string value) : data_(std::move(value)) {}
  Value(Array value) : data_(std::move(value)) {}
  Value(Object value) : data_(std::move(value)) {}
  /// @}
  /// One without members, one without elements.
  /// @{
  static Value object() { return Value(Object{}); }
  static Value array() { return Value(Array{}); }
  /// @}

  /// Whether it is null.
  bool is_null() const { return holds<std::monostate>(); }
  /// The value as one kind, or null when it is of another. A whole number in the file is an int64.
  /// @{
  const bool* as_bool() const { return std::get_if<bool>(&data_); }
  const std::int64_t* as_integer() const { return std::get_if<std::int64_t>(&data_); }
  const double* as_double() const { return std::get_if<double>(&data_); }
  const std::string* as_string() const { return std::get_if<std::string>(&data_); }
  const Array* as_array() const { return std::get_if<Array>(&data_); }
  const Object* as_object() const { return std::get_if<Object>(&data_); }
  Array* as_array() { return std::get_if<Array>(&data_); }
  Object* as_object() { return std::get_if<Object>(&data_); }
  /// @}

  /// The member of an object, or null when there is none (or this is no object).
  const Value* find(std::string_view key) const;
  Value* find(std::string_view key);
  /// Sets a member of an object, keeping its place when it is there already. Null becomes an object first.
  Value& set(std::string key, Value value);
  /// Appends to an array. Null becomes an array first.
  Value& push_back(Value value);

  /// Where in its file it begins.
  Position position() const { return position_; }
  /// Says where.
  void set_position(Position position) { position_ = position; }

  /// What the value is, for messages: "the string \"relu\"", "the number 3", "an object".
  std::string description() const;
  /// Equality of what the values hold; places do not count.
  bool operator==(const Value& other) const { return data_ == other.data_; }

 private:
  template <class T>
  bool holds() const {
    return std::holds_alternative<T>(data_);
  }

  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> data_;
  Position position_;
};

/// The value as JSON text. Numbers read back as they were; one that is not finite is written as null. `indent` < 0 puts
/// everything on one line.
std::string to_json(const Value& value, int indent = 2);

}  // namespace eigengrad::config
