// Pages of docs/ that say what the tables of a configuration say.
#pragma once

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "eigengrad/config/registry.h"

namespace eigengrad {

using config::Value;

// " ≥ 1", " in (0, 1]": what a number, or each number of a list, may be.
inline std::string range_of(const Value& schema) {
  const Value* const least = schema.find("minimum");
  const Value* const above = schema.find("exclusiveMinimum");
  const Value* const most = schema.find("maximum");
  const Value* const below = schema.find("exclusiveMaximum");
  const Value *const low = least ? least : above, *const high = most ? most : below;
  const auto text = [](const Value& number) { return config::to_json(number, -1); };
  if (low && high) return fmt::format(" in {}{}, {}{}", least ? "[" : "(", text(*low), text(*high), most ? "]" : ")");
  if (low) return (least ? " ≥ " : " > ") + text(*low);
  if (high) return (most ? " ≤ " : " < ") + text(*high);
  return "";
}

// "integer ≥ 1", "number or null", "integer or array of integer", "one of none, mean, sum".
inline std::string kind_of(const Value& schema) {
  if (const Value* const names = schema.find("enum")) {
    std::string text;
    for (const Value& name : *names->as_array()) text += (text.empty() ? "one of " : ", ") + *name.as_string();
    return text;
  }
  if (const Value* const kinds = schema.find("anyOf")) {
    std::string text;
    for (const Value& kind : *kinds->as_array()) text += (text.empty() ? "" : " or ") + kind_of(kind);
    return text;
  }
  if (const Value* const other = schema.find("$ref")) {
    const std::string& path = *other->as_string();
    return path.substr(path.rfind('/') + 1);
  }
  const Value* const type = schema.find("type");
  const Value* const items = schema.find("items");
  if (type->as_string()) return *type->as_string() + (items ? " of " + kind_of(*items) : range_of(schema));
  std::string text;
  for (const Value& name : *type->as_array())
    text += (text.empty() ? "" : " or ") + *name.as_string() + (*name.as_string() == "null" ? "" : range_of(schema));
  return text;
}

inline std::string options_of(const Value& row) {
  std::string text;
  const Value* const required = row.find("required");
  for (const auto& [name, schema] : *row.find("properties")->as_object()) {
    if (name == "type") continue;
    bool needed = false;
    if (required)
      for (const Value& other : *required->as_array()) needed = needed || *other.as_string() == name;
    const Value* const usual = schema.find("default");
    text += fmt::format("| `{}` | {} | {} | {} |\n", name, kind_of(schema),
                        needed  ? "required"
                        : usual ? "`" + config::to_json(*usual, -1) + "`"
                                : "",
                        *schema.find("description")->as_string());
  }
  return text.empty() ? "" : "\n| option | type | default | |\n| --- | --- | --- | --- |\n" + text;
}

inline std::string section(const config::TypeTable& table) {
  std::string text;
  const Value schema = table.schema();
  const Value::Array& rows = *schema.find("anyOf")->as_array();
  std::size_t row = 0;
  for (const config::TypeEntry& entry : table.entries()) {
    // A row may come with a short form, its name alone: the object is the one that has properties.
    while (!rows[row].find("properties")) ++row;
    text += fmt::format("\n### {}\n\n{}\n{}", entry.name, entry.help, options_of(rows[row++]));
  }
  return text;
}

// Whether a page of the repository is as it should be; with EIGENGRAD_UPDATE_DOCS it is written.
inline void expect_documented(const std::string& page, const std::string& wanted, const char* update) {
  const std::string path = std::string(EIGENGRAD_SOURCE_DIR) + "/" + page;
  if (std::getenv("EIGENGRAD_UPDATE_DOCS")) std::ofstream(path) << wanted;
  std::stringstream found;
  found << std::ifstream(path).rdbuf();
  EXPECT_TRUE(found.str() == wanted) << page << " is not up to date: run\n  " << update;
}

}  // namespace eigengrad
