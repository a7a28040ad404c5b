// EG_CHECK: the one macro of the project. Its message is formatted only when the check fails.
// For .cc files: it includes fmt, which public headers do not.
#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "eigengrad/core/dims.h"
#include "eigengrad/core/dtype.h"
#include "eigengrad/core/error.h"

#define EG_CHECK(condition, ErrorType, ...)      \
  do {                                           \
    if (!(condition)) [[unlikely]]               \
      throw ErrorType(fmt::format(__VA_ARGS__)); \
  } while (false)

// Types with a to_string print as that; the formatter is written out, so that fmt/core.h is enough.
template <class T>
struct EigengradFormatter {
  constexpr auto parse(fmt::format_parse_context& context) { return context.begin(); }
  auto format(const T& value, fmt::format_context& context) const {
    const std::string text(to_string(value));
    return std::copy(text.begin(), text.end(), context.out());
  }
};

template <>
struct fmt::formatter<eigengrad::Dims> : EigengradFormatter<eigengrad::Dims> {};
template <>
struct fmt::formatter<eigengrad::Pair> : EigengradFormatter<eigengrad::Pair> {};
template <>
struct fmt::formatter<eigengrad::Dtype> : EigengradFormatter<eigengrad::Dtype> {};
