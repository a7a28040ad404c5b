// Pictures made of tensors.
#pragma once

#include <string>

#include "eigengrad/core/tensor.h"

namespace eigengrad::io {

/// Writes a grey image [H, W] or [1, H, W], or a coloured one [3, H, W], as PNG; elements are 0 (dark) to 1, and
/// clipped to that. Floating tensors. Throws ShapeError, DtypeError, IoError.
void save_png(const std::string& path, const Tensor& image);

/// Images [N, C, H, W] in rows of `columns`, one element apart: [C, rows·(H + 1) + 1, columns·(W + 1) + 1]. Throws
/// ShapeError, ValueError.
Tensor image_grid(const Tensor& images, std::int64_t columns);

}  // namespace eigengrad::io
