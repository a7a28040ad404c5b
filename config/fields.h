// Options are plain structs. One function says what their fields are called, which values they take and what they mean;
// reading, writing, the schema and the documentation all come from it.
//
//   struct LinearOptions { std::int64_t out_features = 0; bool bias = true; };
//   void describe(config::Fields& f, LinearOptions& o) {
//     f("out_features", o.out_features, {.help = "size of each output sample", .required = true, .min = 1});
//     f("bias", o.bias, {.help = "add a learnable bias"});
//   }
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "eigengrad/config/diagnostics.h"
#include "eigengrad/config/value.h"
#include "eigengrad/core/dims.h"

namespace eigengrad::config {

/// What is said of a field besides its name and type. The bounds hold for numbers, and for each number of a list.
struct Field {
  std::string help;                                       ///< a phrase for schema, documentation and messages
  bool required = false;                                  ///< whether it must be given
  double min = -std::numeric_limits<double>::infinity();  ///< the least value
  double max = std::numeric_limits<double>::infinity();   ///< the greatest
  bool above_min = false;                                 ///< min itself is not allowed
  bool below_max = false;                                 ///< max itself is not allowed
};

/// A field that takes one of several names.
struct Choice {
  std::vector<std::string> names;  ///< in the order of the values
  /// The number of the present one.
  std::function<std::size_t()> get;
  /// Takes the value of a number.
  std::function<void(std::size_t)> set;
};

/// Another kind of value, read and written by whoever owns the field (a list of layers, say).
struct Custom {
  /// Reads it, noting mistakes at the pointer.
  std::function<void(const Value&, const std::string& pointer, Diagnostics&)> read;
  /// The value that would be read again.
  std::function<Value()> write;
  /// Its JSON Schema.
  std::function<Value()> schema;
};

/// Where a field lives, of one of the types that fields have.
using FieldRef = std::variant<bool*, std::int64_t*, double*, std::string*, Pair*, Dims*, std::optional<std::int64_t>*,
                              std::optional<double>*, std::optional<Pair>*, std::vector<std::int64_t>*,
                              std::vector<double>*, std::vector<std::string>*, Choice, Custom>;

/// Visits the fields of an options struct.
class Fields {
 public:
  virtual ~Fields() = default;
  /// Visits a field by its JSON name.
  template <class T>
  void operator()(const char* name, T& value, Field field) {
    visit(name, FieldRef(&value), field);
  }
  /// An enumeration, by the names of its values: {{"none", Reduction::None}, ...}.
  template <class E>
  void choice(const char* name, E& value, std::vector<std::pair<std::string, E>> options, const Field& field) {
    Choice choice;
    for (const auto& option : options) choice.names.push_back(option.first);
    choice.get = [&value, options] {
      std::size_t i = 0;
      while (i + 1 < options.size() && options[i].second != value) ++i;
      return i;
    };
    choice.set = [&value, options](std::size_t i) { value = options[i].second; };
    visit(name, std::move(choice), field);
  }
  /// Visits a field that is read and written by functions.
  void custom(const char* name, Custom custom, const Field& field) { visit(name, std::move(custom), field); }

 private:
  virtual void visit(const char* name, FieldRef ref, const Field& field) = 0;
};

/// One value alone, for a Custom field that is of several types: read, with mistakes noted, written, and its schema.
void read_value(const Value& value, const std::string& pointer, Diagnostics& diagnostics, FieldRef out,
                const Field& field);
Value write_value(FieldRef ref);
Value value_schema(FieldRef ref, const Field& field);

/// Throws ValueError, "[SGD] lr is -1, expected a finite number of at least 0", for a number, or one of a list, that
/// `field` does not allow.
void check_value(const std::string& owner, const char* name, const FieldRef& ref, const Field& field);

/// Checks a struct that a program has filled by what its describe() allows, at the first mistake throwing as above.
class CheckFields : public Fields {
 public:
  /// `owner` is what messages call the struct: "SGD".
  explicit CheckFields(std::string owner) : owner_(std::move(owner)) {}

 private:
  void visit(const char* name, FieldRef ref, const Field& field) override { check_value(owner_, name, ref, field); }

  const std::string owner_;
};

/// Fills a struct from an object. Mistakes go to the diagnostics; finish() notes the keys that no field has.
class ReadFields : public Fields {
 public:
  /// `skip` is a key that belongs to somebody else ("type").
  ReadFields(const Value& object, std::string pointer, Diagnostics& diagnostics, std::string skip = "");
  /// Notes the keys of the object that no field has.
  void finish();

 private:
  void visit(const char* name, FieldRef ref, const Field& field) override;

  const Value& object_;
  const std::string pointer_;
  Diagnostics& diagnostics_;
  std::vector<std::string> known_;
  const std::string skip_;
};

/// Writes a struct as an object, every field in full.
class WriteFields : public Fields {
 public:
  /// Writes to `object`.
  explicit WriteFields(Value& object) : object_(object) {}

 private:
  void visit(const char* name, FieldRef ref, const Field& field) override;

  Value& object_;
};

/// Makes the JSON Schema of a struct: `properties` and `required`, added to `object`.
class SchemaFields : public Fields {
 public:
  /// Adds to `object`.
  explicit SchemaFields(Value& object) : object_(object) {}

 private:
  void visit(const char* name, FieldRef ref, const Field& field) override;

  Value& object_;
};

/// Reads a struct that has a describe() from an object.
template <class Options>
void read_options(const Value& object, const std::string& pointer, Diagnostics& diagnostics, Options& options,
                  const std::string& skip = "") {
  ReadFields fields(object, pointer, diagnostics, skip);
  describe(fields, options);
  fields.finish();
}

/// Throws ValueError, as check_value does, for options that describe() does not allow.
template <class Options>
void check_options(std::string owner, Options options) {
  CheckFields fields(std::move(owner));
  describe(fields, options);
}

/// The options as an object, every field in full.
template <class Options>
Value write_options(Options options) {
  Value object = Value::object();
  WriteFields fields(object);
  describe(fields, options);
  return object;
}

/// The JSON Schema of the options, with the defaults that are given.
template <class Options>
Value schema_of(Options options = {}) {
  Value object = Value::object();
  object.set("type", "object");
  SchemaFields fields(object);
  describe(fields, options);
  object.set("additionalProperties", false);
  return object;
}

/// A struct within a struct, as an object of its own: null, or left out, where it is not there.
template <class Options>
void describe_optional(Fields& f, const char* name, std::optional<Options>& value, const Field& field) {
  f.custom(name,
           {.read =
                [&value](const Value& found, const std::string& pointer, Diagnostics& diagnostics) {
                  if (found.is_null()) return value.reset();
                  read_options(found, pointer, diagnostics, value.emplace());
                },
            .write = [&value] { return value ? write_options(*value) : Value(); },
            .schema =
                [] {
                  Value null = Value::object();
                  null.set("type", "null");
                  Value schema = Value::object();
                  schema.set("anyOf", Value::Array{schema_of<Options>(), std::move(null)});
                  return schema;
                }},
           field);
}

}  // namespace eigengrad::config
