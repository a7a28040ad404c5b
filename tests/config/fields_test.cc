#include "eigengrad/config/fields.h"

#include <gtest/gtest.h>

#include <cmath>

#include "eigengrad/config/reader.h"
#include "eigengrad/config/registry.h"
#include "eigengrad/core/error.h"
#include "tests/message.h"

namespace eigengrad::config {
namespace {

enum class Color { Red, Green };

struct Options {
  std::int64_t units = 0;
  double rate = 0.1;
  bool bias = true;
  std::string name = "x";
  std::vector<std::int64_t> sizes{1, 2};
  std::optional<double> limit{};
  Color color = Color::Green;
};

void describe(Fields& f, Options& o) {
  f("units", o.units, {.help = "how many", .required = true, .min = 1});
  f("rate", o.rate, {.help = "how fast", .min = 0, .max = 1, .above_min = true});
  f("bias", o.bias, {.help = "with a bias"});
  f("name", o.name, {.help = "what it is called"});
  f("sizes", o.sizes, {.help = "how large", .min = 0});
  f("limit", o.limit, {.help = "how far"});
  f.choice("color", o.color, {{"red", Color::Red}, {"green", Color::Green}}, {.help = "which"});
}

std::string mistakes_in(const char* text, Options& options) {
  Diagnostics diagnostics("f.json");
  read_options(parse_json(text), "/o", diagnostics, options);
  try {
    diagnostics.throw_if_any();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(Fields, ReadsWhatIsThereAndKeepsDefaults) {
  Options o;
  EXPECT_EQ(mistakes_in(R"({"units": 3, "rate": 1, "sizes": [4], "limit": 2, "color": "red"})", o), "");
  EXPECT_EQ(o.units, 3);
  EXPECT_EQ(o.rate, 1.0);
  EXPECT_EQ(o.sizes, std::vector<std::int64_t>({4}));
  EXPECT_EQ(o.limit, 2.0);
  EXPECT_EQ(o.color, Color::Red);
  EXPECT_TRUE(o.bias);
}

TEST(Fields, TellsAllMistakesInTheOrderOfTheFile) {
  Options o;
  const std::string text =
      mistakes_in("{\"rate\": 0,\n \"bais\": true,\n \"sizes\": [1, -1, 2.0],\n \"color\": \"gren\"}", o);
  EXPECT_EQ(text,
            "6 mistakes in f.json\n"
            "f.json:1:1 /o: 'units' is missing: how many\n"
            "f.json:1:10 /o/rate: found the number 0, expected a number in (0, 1]\n"
            "f.json:2:10 /o/bais: unknown key 'bais', expected one of: units, rate, bias, name, sizes, limit, color; "
            "did you mean "
            "'bias'?\n"
            "f.json:3:15 /o/sizes/1: found the number -1, expected a whole number of at least 0\n"
            "f.json:3:19 /o/sizes/2: found the number 2, expected a whole number of at least 0\n"
            "f.json:4:11 /o/color: unknown value 'gren', expected one of: red, green; did you mean 'green'?")
      << text;
}

TEST(Fields, ConvertsNothingSilently) {
  for (const char* bad :
       {R"({"units": 1.0})", R"({"units": "1"})", R"({"units": true})", R"({"units": null})", R"({"units": [1]})",
        R"({"units": 1, "bias": 1})", R"({"units": 1, "bias": "true"})", R"({"units": 1, "rate": "0.1"})",
        R"({"units": 1, "rate": true})", R"({"units": 1, "name": 3})", R"({"units": 1, "sizes": 3})",
        R"({"units": 1, "limit": "3"})", R"({"units": 1, "color": 0})", R"([1])", R"(3)", R"({"units": 0})",
        R"({"units": 1, "rate": 1.0001})"}) {
    Options o;
    EXPECT_NE(mistakes_in(bad, o), "") << bad;
  }
}

TEST(Fields, WritesWhatItReads) {
  Options o;
  ASSERT_EQ(
      mistakes_in(
          R"({"units": 3, "rate": 0.25, "sizes": [], "limit": 2.5, "color": "red", "name": "y", "bias": false})", o),
      "");
  const Value written = write_options(o);
  Options again;
  EXPECT_EQ(mistakes_in(to_json(written).c_str(), again), "");
  EXPECT_EQ(write_options(again), written);
  EXPECT_EQ(to_json(written, -1),
            R"({"units":3,"rate":0.25,"bias":false,"name":"y","sizes":[],"limit":2.5,"color":"red"})");
}

TEST(Fields, SchemaHasTypesBoundsDefaultsAndRequiredKeys) {
  const Value schema = schema_of<Options>();
  EXPECT_EQ(*schema.find("required"), Value(Value::Array{"units"}));
  EXPECT_EQ(to_json(*schema.find("properties")->find("rate"), -1),
            R"({"type":"number","exclusiveMinimum":0,"maximum":1,"description":"how fast","default":0.1})");
  EXPECT_EQ(to_json(*schema.find("properties")->find("color"), -1),
            R"({"enum":["red","green"],"description":"which","default":"green"})");
  EXPECT_EQ(*schema.find("additionalProperties")->as_bool(), false);
}

struct Thing {
  std::int64_t units;
};
struct ThingFunctions {
  Thing (*make)(const Options&);
};

Registry<ThingFunctions> things() {
  Registry<ThingFunctions> table("thing");
  table.add<Options>("Big", "a big one", {[](const Options& o) { return Thing{o.units * 100}; }});
  table.add<NoOptions>("Plain", "one without options", {nullptr});
  return table;
}

std::string refusal_of(const Options& options) {
  return message_of([&] { check_options("Thing", options); });
}

TEST(Fields, HoldForStructsThatAProgramHasFilled) {
  EXPECT_EQ(refusal_of({.units = 1, .limit = 3}), "nothing was thrown");
  EXPECT_EQ(refusal_of({.units = 0}), "[Thing] units is 0, expected a whole number of at least 1");
  EXPECT_EQ(refusal_of({.units = 1, .rate = 0}), "[Thing] rate is 0, expected a number in (0, 1]");
  EXPECT_EQ(refusal_of({.units = 1, .rate = std::nan("")}), "[Thing] rate is nan, expected a number in (0, 1]");
  EXPECT_EQ(refusal_of({.units = 1, .sizes = {1, -2}}), "[Thing] sizes is -2, expected a whole number of at least 0");
  EXPECT_EQ(refusal_of({.units = 1, .limit = INFINITY}), "[Thing] limit is inf, expected a finite number");
}

struct Outer {
  std::optional<Options> inner{};
};
void describe(Fields& f, Outer& o) { describe_optional(f, "inner", o.inner, {.help = "what is within"}); }

TEST(Fields, AStructMayBeWithinAnother) {
  const auto read = [](const char* text) {
    Outer outer;
    Diagnostics diagnostics("f.json");
    read_options(parse_json(text), "/o", diagnostics, outer);
    diagnostics.throw_if_any();
    return outer;
  };
  EXPECT_FALSE(read("{}").inner);
  EXPECT_FALSE(read(R"({"inner": null})").inner);
  const Outer outer = read(R"({"inner": {"units": 7}})");
  EXPECT_EQ(outer.inner->units, 7);
  EXPECT_EQ(*write_options(outer).find("inner")->find("units"), Value(7));
  EXPECT_TRUE(write_options(Outer{}).find("inner")->is_null());
  EXPECT_TRUE(schema_of<Outer>().find("properties")->find("inner")->find("anyOf"));
  for (const auto& [text, place] : std::vector<std::pair<const char*, const char*>>{
           {R"({"inner": 3})", "/o/inner: found the number 3, expected an object"},
           {R"({"inner": {"units": 1, "rates": 1}})", "/o/inner/rates: unknown key 'rates'"}}) {
    const std::string message = message_of([&, text = text] { read(text); });
    EXPECT_NE(message.find(place), std::string::npos) << message;
  }
}

TEST(Registry, BuildsByName) {
  const auto table = things();
  Diagnostics diagnostics;
  const auto read = table.read(parse_json(R"({"type": "Big", "units": 2})"), "/thing", diagnostics);
  diagnostics.throw_if_any();
  EXPECT_EQ(table.functions(*read).make(read->as<Options>()).units, 200);
  EXPECT_TRUE(table.read(parse_json("\"Plain\""), "/thing", diagnostics));
  EXPECT_TRUE(diagnostics.empty());
  EXPECT_EQ(*table.write("Big", read->options.get()).find("units")->as_integer(), 2);
}

TEST(Registry, ReadsSeveralRows) {
  const auto table = things();
  Diagnostics diagnostics("f");
  const ConfiguredRows rows =
      table.read_rows(parse_json(R"(["Plain", {"type": "Big", "units": 2}])"), "/t", diagnostics);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[1]->pointer, "/t/1");
  EXPECT_EQ(rows[1]->position.column, 11);
  EXPECT_EQ(table.write_rows(rows).as_array()->size(), 2u);
  EXPECT_EQ(table.read_one_or_rows(parse_json("\"Plain\""), "/t", diagnostics).size(), 1u);
  EXPECT_TRUE(diagnostics.empty());
  EXPECT_TRUE(table.read_rows(parse_json("[]"), "/t", diagnostics, ": why").empty());
  EXPECT_TRUE(table.read_rows(parse_json("\"Plain\""), "/t", diagnostics).empty());
  EXPECT_EQ(table.read_rows(parse_json(R"(["Plain", "Plane"])"), "/t", diagnostics).size(), 1u);
  const std::string message = message_of([&] { diagnostics.throw_if_any(); });
  for (const char* words : {"found an empty array, expected an array of at least one thing: why",
                            "found the string \"Plain\", expected an array", "/t/1: unknown thing 'Plane'"})
    EXPECT_NE(message.find(words), std::string::npos) << message;
}

TEST(Registry, NamesTheTypesThatThereAre) {
  const auto table = things();
  for (const char* bad :
       {R"({"type": "Bigg"})", "3", "{}", R"({"type": 3})", "\"Big\"", R"({"type": "Plain", "units": 1})"}) {
    Diagnostics diagnostics;
    EXPECT_FALSE(table.read(parse_json(bad), "/thing", diagnostics)) << bad;
    EXPECT_FALSE(diagnostics.empty()) << bad;
  }
  Diagnostics diagnostics("f");
  table.read(parse_json(R"({"type": "Bigg"})"), "/thing", diagnostics);
  try {
    diagnostics.throw_if_any();
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(),
                 "f:1:10 /thing/type: unknown thing 'Bigg', expected one of: Big, Plain; did you mean 'Big'?");
  }
  EXPECT_THROW(things().write("Nothing", nullptr), ValueError);
}

TEST(Suggestion, IsNearOrNothing) {
  const std::vector<std::string> names{"in_features", "out_features", "bias"};
  EXPECT_EQ(suggestion("out_featuers", names), "out_features");
  EXPECT_EQ(suggestion("BIAS", names), "bias");
  EXPECT_EQ(suggestion("features", names), "in_features");
  EXPECT_EQ(suggestion("momentum", names), "");
  EXPECT_EQ(suggestion("", names), "");
}

}  // namespace
}  // namespace eigengrad::config
