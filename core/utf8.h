// Characters of UTF-8.
#pragma once

#include <cstddef>
#include <string_view>

namespace eigengrad {

/// How many bytes the character that begins at text[i] has (RFC 3629); 0 unless it is one.
std::size_t utf8_length(std::string_view text, std::size_t i);

/// Whether all of a text is UTF-8.
bool is_utf8(std::string_view text);

}  // namespace eigengrad
