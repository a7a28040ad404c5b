#include "eigengrad/core/utf8.h"

namespace eigengrad {

std::size_t utf8_length(std::string_view text, std::size_t i) {
  const auto byte = [&](std::size_t k) { return k < text.size() ? static_cast<unsigned char>(text[k]) : 0u; };
  const unsigned lead = byte(i), next = byte(i + 1);
  const std::size_t length = lead < 0x80                   ? 1
                             : lead >= 0xC2 && lead < 0xE0 ? 2
                             : (lead & 0xF0) == 0xE0       ? 3
                             : lead >= 0xF0 && lead < 0xF5 ? 4
                                                           : 0;
  bool good = length > 0;
  for (std::size_t k = 1; k < length; ++k) good = good && (byte(i + k) & 0xC0) == 0x80;
  // What a shorter form could say, surrogates, and what is beyond Unicode.
  good = good && !(lead == 0xE0 && next < 0xA0) && !(lead == 0xED && next >= 0xA0) && !(lead == 0xF0 && next < 0x90) &&
         !(lead == 0xF4 && next >= 0x90);
  return good ? length : 0;
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text, i);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

}  // namespace eigengrad
