// The example configurations, broken in every way that is easy to break them: each is refused, at the right place.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <optional>
#include <regex>
#include <set>

#include "eigengrad/config/diagnostics.h"
#include "eigengrad/config/reader.h"
#include "eigengrad/optim/build.h"
#include "eigengrad/train/run_config.h"
#include "tests/message.h"

namespace eigengrad::train {
namespace {

using config::Value;

std::vector<std::filesystem::path> examples() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(EIGENGRAD_SOURCE_DIR "/examples"))
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

// The steps from the root to a value, and the same as a JSON pointer.
struct Place {
  std::vector<std::string> steps;

  std::string pointer() const {
    std::string text;
    for (const std::string& step : steps) text = config::pointer_to(text, step);
    return text;
  }
  Place parent() const { return steps.empty() ? Place{} : Place{{steps.begin(), steps.end() - 1}}; }
  Place child(const std::string& step) const {
    Place below = *this;
    below.steps.push_back(step);
    return below;
  }
  std::string key() const { return steps.empty() ? "" : steps.back(); }
  // Whether the key is an option's name, not one that the user chose.
  bool is_option() const {
    static const std::set<std::string> kHolders{"layers", "shortcut", "tied"};
    const bool numbered = key().find_first_not_of("0123456789") == std::string::npos;
    return !numbered && (steps.size() < 2 || !kHolders.contains(steps[steps.size() - 2]));
  }
};

Value& at(Value& root, const Place& place) {
  Value* value = &root;
  for (const std::string& step : place.steps)
    value = value->as_array() ? &(*value->as_array())[std::stoul(step)] : value->find(step);
  return *value;
}

void collect(const Value& value, const Place& place, std::vector<Place>& all) {
  if (!place.steps.empty()) all.push_back(place);
  if (const Value::Object* object = value.as_object())
    for (const auto& [key, member] : *object) collect(member, place.child(key), all);
  if (const Value::Array* array = value.as_array())
    for (std::size_t i = 0; i < array->size(); ++i) collect((*array)[i], place.child(std::to_string(i)), all);
}

std::vector<Place> places_of(const Value& root) {
  std::vector<Place> all;
  collect(root, {}, all);
  return all;
}

void rename(Value& root, const Place& place, const std::string& name) {
  for (auto& [key, value] : *at(root, place.parent()).as_object())
    if (key == place.key()) key = name;
}

Value removed(Value& root, const Place& place) {
  Value::Object& object = *at(root, place.parent()).as_object();
  const auto found = std::find_if(object.begin(), object.end(), [&](const auto& m) { return m.first == place.key(); });
  Value value = std::move(found->second);
  object.erase(found);
  return value;
}

// Without the lines and columns, which are those of the example.
std::string refusal_of(const Value& config) {
  static const std::regex kPosition("(^|\n)f:[0-9]+:[0-9]+");
  return std::regex_replace(message_of<ConfigError>([&] { check_run(config, "f", ""); }), kPosition, "$1f");
}

// The line of a refusal that is about a place.
std::optional<std::string> line_about(const std::string& refusal, const std::string& pointer) {
  const std::string start = pointer.empty() ? "f: " : "f " + pointer + ": ";
  const std::size_t found = ("\n" + refusal).find("\n" + start);
  if (found == std::string::npos) return std::nullopt;
  return refusal.substr(found, refusal.find('\n', found) - found);
}

class Mutations : public ::testing::TestWithParam<std::filesystem::path> {
 protected:
  // Whether a configuration is refused with a line about a place; it says so where it is not.
  std::optional<std::string> refused(const Value& config, const std::string& pointer, const std::string& what) {
    ++count_;
    const std::string refusal = refusal_of(config);
    std::optional<std::string> line = line_about(refusal, pointer);
    EXPECT_TRUE(line) << what << ": nothing about '" << pointer << "' in\n" << refusal;
    return line;
  }

  const Value example_ = config::read_json_file(GetParam().string());
  int count_ = 0;
};

std::vector<std::string> misspelt(const std::string& name) {
  std::vector<std::string> all{name + name.back(), name + "s"};
  if (name.size() >= 3) {
    all.push_back(name.substr(0, name.size() - 1));
    std::string exchanged = name;
    std::swap(exchanged[1], exchanged[2]);
    if (exchanged != name) all.push_back(exchanged);
    std::string large = name;
    large[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(large[0])));
    all.push_back(large);
  }
  return all;
}

TEST_P(Mutations, AMisspeltKeyIsRefusedWithTheRightOne) {
  int suggested = 0;
  for (const Place& place : places_of(example_)) {
    if (!place.is_option() || place.key() == "type") continue;
    for (const std::string& name : misspelt(place.key())) {
      Value broken = example_;
      if (at(broken, place.parent()).find(name)) continue;
      rename(broken, place, name);
      const auto line = refused(broken, place.parent().child(name).pointer(), "misspelt");
      if (!line) continue;
      EXPECT_NE(line->find("unknown key"), std::string::npos) << *line;
      suggested += line->find("did you mean '" + place.key() + "'?") != std::string::npos ? 1 : 0;
    }
  }
  EXPECT_GE(suggested, 0.95 * count_) << "of " << count_;
  EXPECT_GE(count_, 35);
}

TEST_P(Mutations, AMisspeltTypeIsRefusedWithTheRightOne) {
  int suggested = 0;
  for (const Place& place : places_of(example_)) {
    Value known = example_;
    const std::string* const name = at(known, place).as_string();
    const bool short_form =
        name && !place.is_option() && (place.parent().key() == "layers" || place.parent().key() == "model");
    if (!name || !(place.key() == "type" || place.steps.size() == 1 || short_form)) continue;
    for (const std::string& other : misspelt(*name)) {
      if (other == *name || optim::optimizers().find(other)) continue;
      Value broken = example_;
      at(broken, place) = Value(other);
      const auto line = refused(broken, place.pointer(), other);
      suggested += line && line->find("did you mean '" + *name + "'?") != std::string::npos ? 1 : 0;
    }
  }
  EXPECT_GE(suggested, 0.95 * count_) << "of " << count_;
  EXPECT_GE(count_, 20);
}

// Values of other kinds than the one that is there, and numbers that make no sense.
std::vector<Value> wrong_values(const Value& value) {
  const Value list(Value::Array{Value("x"), Value("y"), Value("z")}), object(Value::Object{{"no", Value("such")}});
  if (value.as_bool()) return {Value(1), Value("true"), list, object};
  if (value.as_integer()) return {Value("3"), Value(true), list, object, Value(-1000000000), Value(1e300)};
  if (value.as_double()) return {Value("0.5"), Value(true), list, object, Value(-1000000000)};
  if (value.as_string()) return {Value(17), Value(false), Value(2.5), list, object, Value("no\x1b[31m such \n thing")};
  if (value.as_array()) return {Value(17.5), Value(true), Value("x"), object};
  return {Value(17), Value(false), Value(2.5), Value("nonsense"), list};
}

TEST_P(Mutations, AWrongValueIsRefusedAtItsPlace) {
  for (const Place& place : places_of(example_)) {
    Value known = example_;
    for (const Value& wrong : wrong_values(at(known, place))) {
      // Any string may be the name of a file, metric or column, and any positive number a limit.
      if ((place.key() == "file" || place.key().ends_with("metric") || place.key() == "label") && wrong.as_string())
        continue;
      if (place.key() == "clip_grad_norm" && wrong == Value(1e300)) continue;
      Value broken = example_;
      at(broken, place) = wrong;
      ++count_;
      const std::string refusal = refusal_of(broken);
      // The place itself, or something within what now stands there.
      EXPECT_TRUE(refusal.find("f " + place.pointer() + ": ") != std::string::npos ||
                  refusal.find("f " + place.pointer() + "/") != std::string::npos ||
                  (place.key() == "type" && line_about(refusal, place.parent().pointer())) ||
                  (place.parent().key() == "dims" && line_about(refusal, place.parent().parent().pointer())))
          << place.pointer() << " = " << config::to_json(wrong, -1) << "\n"
          << refusal;
      EXPECT_EQ(refusal.find('\x1b'), std::string::npos) << "unprintable text is shown as it is";
    }
  }
  EXPECT_GE(count_, 100);
}

TEST_P(Mutations, AKeyInTheWrongPlaceIsRefused) {
  for (const Place& place : places_of(example_)) {
    if (!place.is_option() || place.steps.size() < 2) continue;
    Value up = example_;
    Value value = removed(up, place);
    if (!up.find(place.key())) {
      up.set(place.key(), value);
      refused(up, "/" + place.key(), "moved to the root");
    }
    Value down = example_;
    Value& optimizer = *down.find("optimizer");
    if (place.steps[0] != "optimizer" && !optimizer.find(place.key())) {
      optimizer.set(place.key(), removed(down, place));
      if (place.key() != "weight_decay") refused(down, "/optimizer/" + place.key(), "moved to the optimizer");
    }
  }
  EXPECT_GE(count_, 20);
}

TEST_P(Mutations, WhatIsNeededIsMissed) {
  static const std::set<std::string> kNeeded{
      "data",       "model",        "loss",         "optimizer",   "stopping",       "type",
      "layers",     "out_features", "out_channels", "hidden_size", "num_embeddings", "embedding_dim",
      "num_layers", "nhead",        "file",         "dims",        "output_size"};
  for (const Place& place : places_of(example_)) {
    if (!place.is_option() || !kNeeded.contains(place.key())) continue;
    Value broken = example_;
    removed(broken, place);
    const auto line = refused(broken, place.parent().pointer(), "without " + place.key());
    EXPECT_TRUE(!line || line->find(place.key()) != std::string::npos) << line.value_or("");
  }
  EXPECT_GE(count_, 10);
}

INSTANTIATE_TEST_SUITE_P(Examples, Mutations, ::testing::ValuesIn(examples()), [](const auto& test) {
  std::string name = test.param.stem().string();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace eigengrad::train
