#include "eigengrad/config/value.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "eigengrad/config/diagnostics.h"
#include "eigengrad/core/check.h"

namespace eigengrad::config {
namespace {

nlohmann::ordered_json to_nlohmann(const Value& value) {
  if (const bool* b = value.as_bool()) return *b;
  if (const std::int64_t* i = value.as_integer()) return *i;
  if (const double* d = value.as_double()) return *d;
  if (const std::string* s = value.as_string()) return *s;
  if (const Value::Array* array = value.as_array()) {
    nlohmann::ordered_json result = nlohmann::ordered_json::array();
    for (const Value& item : *array) result.push_back(to_nlohmann(item));
    return result;
  }
  if (const Value::Object* object = value.as_object()) {
    nlohmann::ordered_json result = nlohmann::ordered_json::object();
    // Keys are known to differ; to look for each among those before would take the square of their number.
    auto& members = result.get_ref<nlohmann::ordered_json::object_t&>();
    for (const auto& [key, item] : *object) members.emplace_back(key, to_nlohmann(item));
    return result;
  }
  return nullptr;
}

}  // namespace

const Value* Value::find(std::string_view key) const {
  const Object* object = as_object();
  if (!object) return nullptr;
  for (const Member& member : *object)
    if (member.first == key) return &member.second;
  return nullptr;
}

Value* Value::find(std::string_view key) { return const_cast<Value*>(std::as_const(*this).find(key)); }

Value& Value::set(std::string key, Value value) {
  if (is_null()) data_ = Object();
  EG_CHECK(as_object(), ValueError, "[set] expected an object, found {}", description());
  if (Value* present = find(key)) return *present = std::move(value);
  return as_object()->emplace_back(std::move(key), std::move(value)).second;
}

Value& Value::push_back(Value value) {
  if (is_null()) data_ = Array();
  EG_CHECK(as_array(), ValueError, "[push_back] expected an array, found {}", description());
  return as_array()->emplace_back(std::move(value));
}

std::string Value::description() const {
  if (const bool* b = as_bool()) return *b ? "true" : "false";
  if (const std::int64_t* i = as_integer()) return fmt::format("the number {}", *i);
  if (const double* d = as_double()) return fmt::format("the number {}", *d);
  if (const std::string* s = as_string())
    return "the string \"" + excerpt(*s) + "\"";
  if (as_array()) return "an array";
  if (as_object()) return "an object";
  return "null";
}

std::string to_json(const Value& value, int indent) {
  return to_nlohmann(value).dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace eigengrad::config
