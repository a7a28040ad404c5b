#include "eigengrad/config/registry.h"

#include "eigengrad/core/check.h"

namespace eigengrad::config {

const TypeEntry* TypeTable::find(std::string_view name) const {
  for (const TypeEntry& entry : entries_)
    if (entry.name == name) return &entry;
  return nullptr;
}

std::vector<std::string> TypeTable::names() const {
  std::vector<std::string> names;
  for (const TypeEntry& entry : entries_) names.push_back(entry.name);
  return names;
}

void TypeTable::add_entry(TypeEntry entry) {
  EG_CHECK(!find(entry.name), ValueError, "the {} '{}' is in the table already", kind_, entry.name);
  entries_.push_back(std::move(entry));
}

std::unique_ptr<Configured> TypeTable::read(const Value& value, const std::string& pointer,
                                            Diagnostics& diagnostics) const {
  const Value* type = value.as_string() ? &value : value.find("type");
  if (!type || !type->as_string()) {
    diagnostics.add(pointer, value.position(),
                    fmt::format("found {}, expected the name of a kind of {}, or an object with that name as \"type\"",
                                type ? type->description() : value.description(), kind_));
    return nullptr;
  }
  const TypeEntry* entry = find(*type->as_string());
  if (!entry) {
    diagnostics.unknown_name(value.as_string() ? pointer : pointer_to(pointer, std::string_view("type")),
                             type->position(), kind_, *type->as_string(), names());
    return nullptr;
  }
  auto configured = std::make_unique<Configured>();
  configured->index = static_cast<std::size_t>(entry - entries_.data());
  configured->options = entry->make_options();
  configured->pointer = pointer;
  configured->position = value.position();
  const std::size_t mistakes = diagnostics.size();
  Value none = Value::object();
  none.set_position(value.position());
  ReadFields fields(value.as_string() ? none : value, pointer, diagnostics, "type");
  entry->describe_options(fields, configured->options.get());
  fields.finish();
  return diagnostics.size() == mistakes ? std::move(configured) : nullptr;
}

ConfiguredRows TypeTable::read_rows(const Value& value, const std::string& pointer, Diagnostics& diagnostics,
                                    const std::string& why) const {
  ConfiguredRows rows;
  const Value::Array* const list = value.as_array();
  if (!list || list->empty()) {
    diagnostics.add(pointer, value.position(),
                    fmt::format("found {}, expected an array of at least one {}{}",
                                list ? "an empty array" : value.description(), kind_, why));
    return rows;
  }
  for (std::size_t i = 0; i < list->size(); ++i)
    if (auto configured = read((*list)[i], pointer_to(pointer, i), diagnostics)) rows.push_back(std::move(configured));
  return rows;
}

ConfiguredRows TypeTable::read_one_or_rows(const Value& value, const std::string& pointer,
                                           Diagnostics& diagnostics) const {
  if (value.as_array()) return read_rows(value, pointer, diagnostics);
  ConfiguredRows rows;
  if (auto configured = read(value, pointer, diagnostics)) rows.push_back(std::move(configured));
  return rows;
}

Value TypeTable::write_rows(const ConfiguredRows& rows) const {
  Value list = Value::array();
  for (const auto& row : rows) list.push_back(write(*row));
  return list;
}

Value TypeTable::write(const std::string& name, void* options) const {
  const TypeEntry* entry = find(name);
  EG_CHECK(entry, ValueError, "there is no {} '{}'", kind_, name);
  Value object = Value::object();
  object.set("type", name);
  WriteFields fields(object);
  entry->describe_options(fields, options);
  return object;
}

Value TypeTable::schema(const Value::Object& also) const {
  Value any = Value::array();
  for (const TypeEntry& entry : entries_) {
    Value object = Value::object();
    object.set("title", entry.name);
    object.set("description", entry.help);
    object.set("type", "object");
    Value name = Value::object();
    name.set("const", entry.name);
    name.set("description", entry.help);
    object.set("properties", Value::object()).set("type", name);
    object.set("required", Value::Array{"type"});
    SchemaFields fields(object);
    const std::shared_ptr<void> options = entry.make_options();
    entry.describe_options(fields, options.get());
    for (const auto& [key, property] : also) object.find("properties")->set(key, property);
    object.set("additionalProperties", false);
    const bool needs_nothing = object.find("required")->as_array()->size() == 1;
    any.push_back(std::move(object));
    if (needs_nothing) any.push_back(std::move(name));
  }
  Value schema = Value::object();
  schema.set("anyOf", std::move(any));
  return schema;
}

}  // namespace eigengrad::config
