#include "eigengrad/io/html.h"

#include <cstdint>

#include "eigengrad/io/image.h"

namespace eigengrad::io {

std::string escape_html(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      case '\'': result += "&#39;"; break;
      default:
        if (byte < 0x20) {  // U+2400 and on are the pictures of U+0000 and on
          result += "\xe2\x90";
          result += static_cast<char>(0x80 + byte);
        } else if (byte == 0x7f) {
          result += "\xe2\x90\xa1";
        } else {
          result += c;
        }
    }
  }
  return result;
}

std::string base64(std::string_view bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j)
      group = group << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    for (std::size_t j = 0; j < 4; ++j) text += i + j <= bytes.size() ? kDigits[group >> (18 - 6 * j) & 63] : '=';
  }
  return text;
}

std::string png_data_uri(const Tensor& image) { return "data:image/png;base64," + base64(to_png(image)); }

}  // namespace eigengrad::io
