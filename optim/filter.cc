#include "eigengrad/optim/filter.h"

#include "eigengrad/core/check.h"

namespace eigengrad::optim {
namespace {

constexpr std::size_t kNamesShown = 12;

std::string list_of_names(const NamedParameters& parameters) {
  if (parameters.empty()) return "none is left";
  std::string list;
  for (std::size_t i = 0; i < parameters.size() && i < kNamesShown; ++i)
    list += (i ? ", " : "there are: ") + parameters[i].first;
  return parameters.size() > kNamesShown ? fmt::format("{} and {} more", list, parameters.size() - kNamesShown) : list;
}

}  // namespace

bool matches(std::string_view name, std::string_view pattern) {
  // Where to go on when the last * has to stand for one character more.
  std::size_t n = 0, p = 0, retry_name = 0, retry_pattern = std::string_view::npos;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      retry_pattern = ++p;
      retry_name = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++n;
      ++p;
    } else if (retry_pattern != std::string_view::npos) {
      p = retry_pattern;
      n = ++retry_name;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

void ParameterFilter::describe(config::Fields& f, const config::Field& field) {
  const auto read = [this](const config::Value& value, const std::string& pointer, config::Diagnostics& diagnostics) {
    pointer_ = pointer;
    position_ = value.position();
    patterns_.clear();
    if (value.as_string())
      patterns_.push_back(*value.as_string());
    else if (!value.is_null())
      config::read_value(value, pointer, diagnostics, &patterns_, {});
  };
  const auto write = [this] { return patterns_.empty() ? config::Value() : config::write_value(&patterns_); };
  const auto schema = [this] {
    std::string one;
    config::Value kinds = config::Value::array();
    kinds.push_back(config::value_schema(&one, {}));
    kinds.push_back(config::value_schema(&patterns_, {}));
    config::Value null = config::Value::object();
    null.set("type", "null");
    kinds.push_back(std::move(null));
    config::Value any = config::Value::object();
    any.set("anyOf", std::move(kinds));
    return any;
  };
  f.custom("parameters", {read, write, schema}, field);
}

NamedParameters ParameterFilter::take(NamedParameters& rest, config::Diagnostics& diagnostics) const {
  std::vector<bool> used(patterns_.size());
  NamedParameters taken, others;
  for (const auto& [name, parameter] : rest) {
    bool named = patterns_.empty();
    for (std::size_t i = 0; i < patterns_.size(); ++i)
      if (matches(name, patterns_[i])) named = used[i] = true;
    (named ? taken : others).emplace_back(name, parameter);
  }
  for (std::size_t i = 0; i < patterns_.size(); ++i)
    if (!used[i])
      diagnostics.add(pointer_, position_,
                      fmt::format("'{}' names no parameter; {}", printable(patterns_[i]), list_of_names(rest)));
  rest = std::move(others);
  return taken;
}

}  // namespace eigengrad::optim
