#include "eigengrad/core/arg.h"

#include <cstring>
#include <string_view>

namespace eigengrad {

bool detail::is_of_library(const char* file) noexcept {
  // The library's own sources are compiled under another name (cmake/library.cmake); its headers are found by theirs.
  const std::string_view name(file);
  const bool own = name.starts_with("eigengrad:") || name.find("include/eigengrad/") != std::string_view::npos;
  (own ? library_place(file) : user_file) = file;
  return own;
}

std::string to_string(const std::source_location& site) {
  if (site.line() == 0) return {};
  const char* const slash = std::strrchr(site.file_name(), '/');
  return std::string(slash ? slash + 1 : site.file_name()) + ":" + std::to_string(site.line());
}

}  // namespace eigengrad
