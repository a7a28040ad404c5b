// EG_CHECK: the one macro of the project. Its message is formatted only when the check fails.
// For .cc files: it includes fmt, which public headers do not.
#pragma once

#include <fmt/core.h>

#include <string>
#include <string_view>
#include <vector>

#include "eigengrad/core/dims.h"
#include "eigengrad/core/dtype.h"
#include "eigengrad/core/error.h"

#define EG_CHECK(condition, ErrorType, ...)                                       \
  do {                                                                            \
    if (!(condition)) [[unlikely]]                                                \
      throw ErrorType(fmt::format(__VA_ARGS__));                                  \
  } while (false)

template <>
struct fmt::formatter<eigengrad::Dims> : fmt::formatter<std::string_view> {
  auto format(const eigengrad::Dims& dims, fmt::format_context& context) const {
    return fmt::formatter<std::string_view>::format(eigengrad::to_string(dims), context);
  }
};

template <>
struct fmt::formatter<eigengrad::Dtype> : fmt::formatter<std::string_view> {
  auto format(eigengrad::Dtype dtype, fmt::format_context& context) const {
    return fmt::formatter<std::string_view>::format(eigengrad::to_string(dtype), context);
  }
};
