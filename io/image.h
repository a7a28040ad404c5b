// Pictures made of tensors.
#pragma once

#include <string>

#include "eigengrad/core/tensor.h"

namespace eigengrad::io {

/// A grey image [H, W] or [1, H, W], or a coloured one [3, H, W], as the bytes of a PNG file; elements are 0 (dark) to
/// 1, and clipped to that. Floating tensors. Throws ShapeError, DtypeError.
std::string to_png(const Tensor& image);
/// Writes it to a file. Throws IoError as well.
void save_png(const std::string& path, const Tensor& image);

/// Images [N, C, H, W] in rows of `columns`, one element apart: [C, rows·(H + 1) + 1, columns·(W + 1) + 1]. Throws
/// ShapeError, ValueError.
Tensor image_grid(const Tensor& images, std::int64_t columns);

}  // namespace eigengrad::io
