#include "eigengrad/config/fields.h"

#include <algorithm>
#include <cmath>

#include "eigengrad/core/check.h"

namespace eigengrad::config {
namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

std::string range_text(const Field& field) {
  const bool low = std::isfinite(field.min), high = std::isfinite(field.max);
  if (low && high)
    return fmt::format(" {}{}, {}{}", field.above_min ? "in (" : "in [", field.min, field.max,
                       field.below_max ? ")" : "]");
  if (low) return fmt::format(" {} {}", field.above_min ? "above" : "of at least", field.min);
  if (high) return fmt::format(" {} {}", field.below_max ? "below" : "of at most", field.max);
  return "";
}

bool in_range(double value, const Field& field) {
  return (field.above_min ? value > field.min : value >= field.min) &&
         (field.below_max ? value < field.max : value <= field.max);
}

// Reads one value of a type; false, with the mistake noted, when it is of another or out of range.
class Reader {
 public:
  Reader(const Field& field, Diagnostics& diagnostics) : field_(field), diagnostics_(diagnostics) {}

  bool read(const Value& value, const std::string& pointer, bool& out) const {
    return value.as_bool() ? (out = *value.as_bool(), true) : wrong(value, pointer, "true or false");
  }
  bool read(const Value& value, const std::string& pointer, std::string& out) const {
    return value.as_string() ? (out = *value.as_string(), true) : wrong(value, pointer, "a string");
  }
  bool read(const Value& value, const std::string& pointer, std::int64_t& out) const {
    if (!value.as_integer() || !in_range(static_cast<double>(*value.as_integer()), field_))
      return wrong(value, pointer, "a whole number" + range_text(field_));
    out = *value.as_integer();
    return true;
  }
  bool read(const Value& value, const std::string& pointer, double& out) const {
    const double number = value.as_integer()  ? static_cast<double>(*value.as_integer())
                          : value.as_double() ? *value.as_double()
                                              : std::nan("");
    if (std::isnan(number) || !in_range(number, field_)) return wrong(value, pointer, "a number" + range_text(field_));
    out = number;
    return true;
  }
  // A number for both, or an array of two.
  bool read(const Value& value, const std::string& pointer, Pair& out) const {
    const Value::Array* const array = value.as_array();
    if (array && array->size() == 2)
      return read((*array)[0], pointer_to(pointer, std::size_t{0}), out.rows) &
             read((*array)[1], pointer_to(pointer, std::size_t{1}), out.columns);
    if (!value.as_integer() || !in_range(static_cast<double>(*value.as_integer()), field_))
      return wrong(value, pointer, fmt::format("a whole number{}, or an array of two", range_text(field_)));
    out = *value.as_integer();
    return true;
  }
  // An array, or a number for an array of one.
  bool read(const Value& value, const std::string& pointer, Dims& out) const {
    std::vector<std::int64_t> items(1);
    if (value.as_integer() ? !read(value, pointer, items[0]) : !read(value, pointer, items)) return false;
    out = items;
    return true;
  }
  template <class T>
  bool read(const Value& value, const std::string& pointer, std::optional<T>& out) const {
    if (value.is_null()) return out.reset(), true;
    T item = T(0);
    return read(value, pointer, item) && (out = item, true);
  }
  template <class T>
  bool read(const Value& value, const std::string& pointer, std::vector<T>& out) const {
    const Value::Array* array = value.as_array();
    if (!array) return wrong(value, pointer, "an array");
    std::vector<T> items;
    bool good = true;
    for (std::size_t i = 0; i < array->size(); ++i) {
      T item{};
      good = read((*array)[i], pointer_to(pointer, i), item) && good;
      items.push_back(item);
    }
    if (good) out = std::move(items);
    return good;
  }
  bool read_choice(const Value& value, const std::string& pointer, const Choice& choice) const {
    if (!value.as_string()) return wrong(value, pointer, "one of the names: " + joined(choice.names));
    const auto found = std::find(choice.names.begin(), choice.names.end(), *value.as_string());
    if (found == choice.names.end()) {
      diagnostics_.unknown_name(pointer, value.position(), "value", *value.as_string(), choice.names);
      return false;
    }
    choice.set(static_cast<std::size_t>(found - choice.names.begin()));
    return true;
  }

 private:
  static std::string joined(const std::vector<std::string>& names) {
    std::string list;
    for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
    return list;
  }
  bool wrong(const Value& value, const std::string& pointer, const std::string& expected) const {
    diagnostics_.add(pointer, value.position(), fmt::format("found {}, expected {}", value.description(), expected));
    return false;
  }

  const Field& field_;
  Diagnostics& diagnostics_;
};

Value number(double value) {
  if (value == std::floor(value) && std::abs(value) < 1e15) return Value(static_cast<std::int64_t>(value));
  return Value(value);
}

Value written(const Pair& pair) {
  return pair.rows == pair.columns ? Value(pair.rows) : Value(Value::Array{pair.rows, pair.columns});
}

Value written(const FieldRef& ref) {
  return std::visit(
      Overloaded{[](const bool* v) { return Value(*v); }, [](const std::int64_t* v) { return Value(*v); },
                 [](const double* v) { return Value(*v); }, [](const std::string* v) { return Value(*v); },
                 [](const Pair* v) { return written(*v); },
                 [](const std::optional<Pair>* v) { return *v ? written(**v) : Value(); },
                 [](const std::optional<std::int64_t>* v) { return *v ? Value(**v) : Value(); },
                 [](const std::optional<double>* v) { return *v ? Value(**v) : Value(); },
                 [](const Choice& choice) { return Value(choice.names[choice.get()]); },
                 [](const Custom& custom) { return custom.write(); },
                 [](const auto* list) {
                   Value array = Value::array();
                   for (const auto& item : *list) array.push_back(Value(item));
                   return array;
                 }},
      ref);
}

void add_bounds(Value& schema, const Field& field) {
  if (std::isfinite(field.min)) schema.set(field.above_min ? "exclusiveMinimum" : "minimum", number(field.min));
  if (std::isfinite(field.max)) schema.set(field.below_max ? "exclusiveMaximum" : "maximum", number(field.max));
}

Value typed(const char* type, const Field& field) {
  Value schema = Value::object();
  schema.set("type", type);
  add_bounds(schema, field);
  return schema;
}

Value nullable(const char* type, const Field& field) {
  Value schema = typed(type, field);
  schema.set("type", Value::Array{type, "null"});
  return schema;
}

Value list_of(const char* type, const Field& field) {
  Value schema = Value::object();
  schema.set("type", "array");
  schema.set("items", typed(type, field));
  return schema;
}

Value any_of(Value one, Value other) {
  Value schema = Value::object();
  schema.set("anyOf", Value::Array{std::move(one), std::move(other)});
  return schema;
}

Value pair_schema(const Field& field, bool or_null) {
  Value two = list_of("integer", field);
  two.set("minItems", 2);
  two.set("maxItems", 2);
  return any_of(or_null ? nullable("integer", field) : typed("integer", field), std::move(two));
}

Value field_schema(const FieldRef& ref, const Field& field) {
  return std::visit(
      Overloaded{[&](bool*) { return typed("boolean", field); }, [&](std::int64_t*) { return typed("integer", field); },
                 [&](double*) { return typed("number", field); }, [&](std::string*) { return typed("string", field); },
                 [&](Dims*) { return any_of(typed("integer", field), list_of("integer", field)); },
                 [&](Pair*) { return pair_schema(field, false); },
                 [&](std::optional<Pair>*) { return pair_schema(field, true); },
                 [&](std::optional<std::int64_t>*) { return nullable("integer", field); },
                 [&](std::optional<double>*) { return nullable("number", field); },
                 [&](std::vector<std::int64_t>*) { return list_of("integer", field); },
                 [&](std::vector<double>*) { return list_of("number", field); },
                 [&](std::vector<std::string>*) { return list_of("string", field); },
                 [](const Choice& choice) {
                   Value names = Value::array();
                   for (const std::string& name : choice.names) names.push_back(name);
                   Value schema = Value::object();
                   schema.set("enum", std::move(names));
                   return schema;
                 },
                 [](const Custom& custom) { return custom.schema(); }},
      ref);
}

}  // namespace

void read_value(const Value& value, const std::string& pointer, Diagnostics& diagnostics, FieldRef out,
                const Field& field) {
  const Reader reader(field, diagnostics);
  std::visit(Overloaded{[&](const Choice& choice) { reader.read_choice(value, pointer, choice); },
                        [&](const Custom& custom) { custom.read(value, pointer, diagnostics); },
                        [&](auto* target) { reader.read(value, pointer, *target); }},
             out);
}

Value write_value(FieldRef ref) { return written(ref); }
Value value_schema(FieldRef ref, const Field& field) { return field_schema(ref, field); }

ReadFields::ReadFields(const Value& object, std::string pointer, Diagnostics& diagnostics, std::string skip)
    : object_(object), pointer_(std::move(pointer)), diagnostics_(diagnostics), skip_(std::move(skip)) {
  if (!object.as_object() && !object.is_null())
    diagnostics_.add(pointer_, object.position(), fmt::format("found {}, expected an object", object.description()));
}

void ReadFields::visit(const char* name, FieldRef ref, const Field& field) {
  known_.push_back(name);
  const Value* value = object_.find(name);
  if (!value) {
    if (field.required && (object_.as_object() || object_.is_null()))
      diagnostics_.add(pointer_, object_.position(), fmt::format("'{}' is missing: {}", name, field.help));
    return;
  }
  read_value(*value, pointer_to(pointer_, std::string_view(name)), diagnostics_, std::move(ref), field);
}

void ReadFields::finish() {
  const Value::Object* object = object_.as_object();
  if (!object) return;
  for (const auto& [key, value] : *object)
    if (key != skip_ && std::find(known_.begin(), known_.end(), key) == known_.end())
      diagnostics_.unknown_name(pointer_to(pointer_, key), value.position(), "key", key, known_);
}

void check_value(const std::string& owner, const char* name, const FieldRef& ref, const Field& field) {
  const bool bounded = std::isfinite(field.min) && std::isfinite(field.max);
  const char* const real = bounded ? "a number" : "a finite number";
  const auto check = [&](auto value, const char* kind) {
    const auto number = static_cast<double>(value);
    EG_CHECK(std::isfinite(number) && in_range(number, field), ValueError, "[{}] {} is {}, expected {}{}", owner, name,
             value, kind, range_text(field));
  };
  const auto number = Overloaded{
      [&](double v) { check(v, real); }, [&](std::int64_t v) { check(v, "a whole number"); },
      [&](const Pair& v) { check(v.rows, "whole numbers"), check(v.columns, "whole numbers"); }, [](const auto&) {}};
  std::visit(Overloaded{[&]<class T>(const std::optional<T>* v) {
                          if (*v) number(**v);
                        },
                        [&]<class T>(const std::vector<T>* list) {
                          for (const T& v : *list) number(v);
                        },
                        [&]<class T>(const T* v) { number(*v); }, [](const Choice&) {}, [](const Custom&) {}},
             ref);
}

void WriteFields::visit(const char* name, FieldRef ref, const Field&) { object_.set(name, written(ref)); }

void SchemaFields::visit(const char* name, FieldRef ref, const Field& field) {
  Value schema = field_schema(ref, field);
  schema.set("description", field.help);
  if (field.required) {
    Value* required = object_.find("required");
    (required ? *required : object_.set("required", Value::array())).push_back(name);
  } else {
    schema.set("default", written(ref));
  }
  Value* properties = object_.find("properties");
  (properties ? *properties : object_.set("properties", Value::object())).set(name, std::move(schema));
}

}  // namespace eigengrad::config
