// Tables of the types that a configuration can name: layers, losses, optimizers, stopping criteria, data sets.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "eigengrad/config/fields.h"

namespace eigengrad::config {

/// One row: a name, a line of help, and the options struct behind them.
struct TypeEntry {
  std::string name;  ///< as configurations name it
  std::string help;  ///< a phrase about it
  /// Options with their defaults.
  std::function<std::shared_ptr<void>()> make_options;
  /// Visits their fields.
  std::function<void(Fields&, void*)> describe_options;
};

/// A row as a configuration names it, with its options read.
struct Configured {
  std::size_t index;              ///< the row's place in the table
  std::shared_ptr<void> options;  ///< of the type that the row has
  std::string pointer{};          ///< where it stands
  Position position{};            ///< in the text of the configuration
  /// The options, whose type the caller knows.
  template <class Options>
  Options& as() const {
    return *static_cast<Options*>(options.get());
  }
};

/// Several of them, in the order of the configuration.
using ConfiguredRows = std::vector<std::shared_ptr<Configured>>;

/// The part of a table that does not depend on its kind. In JSON a row is {"type": "SGD", "lr": 0.1}, or its name
/// alone.
class TypeTable {
 public:
  /// `kind` is what messages call a row: "layer".
  explicit TypeTable(std::string kind) : kind_(std::move(kind)) {}

  /// What a row is called.
  const std::string& kind() const { return kind_; }
  /// The rows, in the order of their addition.
  const std::vector<TypeEntry>& entries() const { return entries_; }
  /// The row of a name, or null.
  const TypeEntry* find(std::string_view name) const;
  /// Of all rows.
  std::vector<std::string> names() const;
  /// Reads a row and its options. An empty pointer, with the mistakes noted, when it cannot be.
  std::unique_ptr<Configured> read(const Value& value, const std::string& pointer, Diagnostics& diagnostics) const;
  /// Reads an array of at least one row; those that cannot be read are left out, with their mistakes noted. `why` is
  /// added to what is said of an empty array.
  ConfiguredRows read_rows(const Value& value, const std::string& pointer, Diagnostics& diagnostics,
                           const std::string& why = "") const;
  /// The same where one row may stand without an array.
  ConfiguredRows read_one_or_rows(const Value& value, const std::string& pointer, Diagnostics& diagnostics) const;
  /// The object that names a row with these options, all in full.
  Value write(const std::string& name, void* options) const;
  Value write(const Configured& row) const { return write(entries_[row.index].name, row.options.get()); }
  /// An array of rows, as read_rows() takes it.
  Value write_rows(const ConfiguredRows& rows) const;
  /// JSON Schema: any of the rows. `also` are properties that each may have besides its own.
  Value schema(const Value::Object& also = {}) const;

 protected:
  /// Adds a row. Throws ValueError for a name that is taken.
  void add_entry(TypeEntry entry);

 private:
  std::string kind_;
  std::vector<TypeEntry> entries_;
};

/// A table whose rows carry what the kind needs: `Functions` is a struct of functions that build the thing.
template <class Functions>
class Registry : public TypeTable {
 public:
  using TypeTable::TypeTable;
  /// Adds a row; the name must be new. Options needs a describe().
  template <class Options>
  void add(std::string name, std::string help, Functions functions) {
    add_entry({std::move(name), std::move(help),
               [] { return std::static_pointer_cast<void>(std::make_shared<Options>()); },
               [](Fields& fields, void* options) { describe(fields, *static_cast<Options*>(options)); }});
    functions_.push_back(std::move(functions));
  }
  /// What the table knows of a row.
  const Functions& functions(const Configured& configured) const { return functions_[configured.index]; }
  /// The row itself.
  const TypeEntry& entry(const Configured& configured) const { return entries()[configured.index]; }

 private:
  std::vector<Functions> functions_;
};

/// For rows without options.
struct NoOptions {};
inline void describe(Fields&, NoOptions&) {}

}  // namespace eigengrad::config
