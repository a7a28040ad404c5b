// Parts of web pages.
#pragma once

#include <string>
#include <string_view>

#include "eigengrad/core/tensor.h"

namespace eigengrad::io {

/// Text that stands in HTML or SVG, or in a quoted attribute there, as it is: no character of it is markup, and control
/// characters, which have no place there, are shown as their pictures (␊ for a line feed).
std::string escape_html(std::string_view text);

/// RFC 4648, with padding.
std::string base64(std::string_view bytes);

/// An image, as for save_png, as a "data:" address that an <img> can have for its source. Throws as save_png.
std::string png_data_uri(const Tensor& image);

}  // namespace eigengrad::io
