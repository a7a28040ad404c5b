// docs/layers.md is what the tables of layers and losses say.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "eigengrad/nn/build.h"

namespace eigengrad::nn {
namespace {

constexpr const char* kPath = EIGENGRAD_SOURCE_DIR "/docs/layers.md";
constexpr const char* kUpdate = "EIGENGRAD_UPDATE_DOCS=1 build/release/bin/nn_tests --gtest_filter='LayerDocs.*'";

using config::Value;

// "integer", "number or null", "integer or array", "one of none, mean, sum".
std::string kind_of(const Value& schema) {
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
  const Value* const type = schema.find("type");
  if (type->as_string()) return *type->as_string();
  std::string text;
  for (const Value& name : *type->as_array()) text += (text.empty() ? "" : " or ") + *name.as_string();
  return text;
}

std::string options_of(const Value& row) {
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

std::string section(const config::TypeTable& table) {
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

std::string reference() {
  return fmt::format(
      "# Layers and losses\n\n<!-- Written by {} -->\n\n"
      "What a configuration can name, with its options; in C++ they are `nn::Linear` and so on, made from a struct of "
      "the "
      "same\noptions (`nn::Linear({{.in_features = 2, .out_features = 3}})`). Names, arguments and defaults are "
      "PyTorch's. "
      "Every one is\ncompared with PyTorch: outputs, gradients, buffers, print-outs (`tests/nn/reference_test.cc`).\n\n"
      "Layers are held by `Sequential` (one after another), `Residual` (added to its input, or to what a shortcut "
      "makes of "
      "it) and\n`Graph` (by name, each reading those in its `\"from\"`; `\"shared\"` runs one again); `nn/build.h` "
      "shows how "
      "they are written.\nSequences are `[N, L, E]` in a configuration, so recurrent layers and attention need "
      "`\"batch_first\": true`, as in PyTorch.\n\n"
      "## Layers\n{}\n## Losses\n\nLosses of several inputs find them side by side along axis 1 of the model's output "
      "(`nn/loss.h`).\n{}",
      kUpdate, section(layers()), section(losses()));
}

TEST(LayerDocs, AreThoseOfTheTables) {
  if (std::getenv("EIGENGRAD_UPDATE_DOCS")) std::ofstream(kPath) << reference();
  std::stringstream found;
  found << std::ifstream(kPath).rdbuf();
  EXPECT_TRUE(found.str() == reference()) << "docs/layers.md is not up to date: run\n  " << kUpdate;
}

}  // namespace
}  // namespace eigengrad::nn
