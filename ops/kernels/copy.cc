#include "eigengrad/ops/kernels/copy.h"

#include <algorithm>
#include <cstring>

#include "eigengrad/core/parallel.h"
#include "eigengrad/ops/kernels/elementwise.h"
#include "eigengrad/ops/kernels/tiles.h"
#include "eigengrad/ops/kernels/view.h"

namespace eigengrad::kernels {

namespace {

// A copy in which one axis lies side by side in the source and another in the target: tile by tile, so that both are
// read and written in whole cache lines. `others` are the remaining axes.
struct Transposition {
  struct Axis {
    std::int64_t extent, to, from;  // and the strides in both, in elements
  };
  Axis read, write;
  SmallVector<Axis, 4> others;
  std::int64_t count = 1;  // of planes: the product of the other extents
};

// Whether this is such a copy, of planes that are worth it.
bool is_transposition(const Tensor& to, const Tensor& from, Transposition& t) {
  constexpr std::int64_t kLeast = 4;
  if (to.shape() != from.shape()) return false;
  bool reads = false, writes = false;
  for (std::size_t i = 0; i < to.shape().size(); ++i) {
    const Transposition::Axis axis{to.shape()[i], to.strides()[i], from.strides()[i]};
    if (axis.extent == 1) continue;
    if (axis.to == 1 && axis.from == 1) return false;
    if (axis.from == 1 && !reads && axis.extent >= kLeast) {
      t.read = axis;
      reads = true;
    } else if (axis.to == 1 && !writes && axis.extent >= kLeast) {
      t.write = axis;
      writes = true;
    } else {
      // Rows that follow each other in both are one long row.
      t.others.push_back(axis);
      t.count *= axis.extent;
    }
  }
  for (std::size_t i = t.others.size(); reads && i-- > 0;) {
    const Transposition::Axis& axis = t.others[i];
    if (axis.from != t.read.extent || axis.to != t.read.extent * t.read.to) break;
    t.read.extent *= axis.extent;
    t.count /= axis.extent;
    t.others.pop_back();
  }
  return reads && writes;
}

// Rows of a block are long enough in the source to be fetched ahead, and few enough to stay in the cache.
constexpr std::int64_t kBlockRead = 128, kBlockWrite = 32;

// Rows [first, last) of the target.
template <class T>
void transpose_rows(const Transposition& t, T* to, const T* from, std::int64_t first, std::int64_t last) {
  for (std::int64_t column = 0; column < t.write.extent; column += kBlockWrite) {
    const std::int64_t columns = std::min(kBlockWrite, t.write.extent - column), rows = last - first;
    const T* const source = from + column * t.write.from + first;
    T* const target = to + first * t.read.to + column;
    if constexpr (sizeof(T) >= 4) {
      tiles<T>().transpose(source, t.write.from, columns, rows, target, t.read.to);
    } else {
      for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t c = 0; c < columns; ++c) target[r * t.read.to + c] = source[c * t.write.from + r];
    }
  }
}

template <class T>
void transpose(const Transposition& t, const Tensor& to, const Tensor& from) {
  const std::int64_t blocks = (t.read.extent + kBlockRead - 1) / kBlockRead;
  const std::int64_t size = std::min(kBlockRead, t.read.extent) * t.write.extent;
  parallel_evenly(t.count * blocks, std::max<std::int64_t>(1, kCheap / size),
                  [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t i = begin; i < end; ++i) {
                      std::int64_t rest = i / blocks, to_offset = 0, from_offset = 0;
                      for (std::size_t k = t.others.size(); k-- > 0;) {
                        const Transposition::Axis& axis = t.others[k];
                        to_offset += rest % axis.extent * axis.to;
                        from_offset += rest % axis.extent * axis.from;
                        rest /= axis.extent;
                      }
                      const std::int64_t first = i % blocks * kBlockRead;
                      transpose_rows(t, to.raw<T>() + to_offset, from.raw<T>() + from_offset, first,
                                     std::min(t.read.extent, first + kBlockRead));
                    }
                  });
}

}  // namespace

void copy(const Tensor& to, const Tensor& from) {
  const std::size_t bytes = size_of(to.dtype());
  if (Transposition t; to.numel() > 0 && is_transposition(to, from, t)) {
    if (bytes == 2) return transpose<std::uint16_t>(t, to, from);
    if (bytes == 4) return transpose<float>(t, to, from);
    if (bytes == 8) return transpose<double>(t, to, from);  // of any kind: their bits are moved
  }
  const Operand operands[] = {operand(to), operand(from)};
  for_each_chunk(operands, 2, kCheap, [bytes](std::int64_t n, std::byte* const* data) {
    std::memcpy(data[0], data[1], static_cast<std::size_t>(n) * bytes);
  });
}

Tensor contiguous_copy(const Tensor& x) {
  const Tensor result = empty(x.shape(), x.dtype());
  copy(result, x);
  return result;
}

Tensor as_contiguous(const Tensor& x) { return x.is_contiguous() ? x : contiguous_copy(x); }

bool is_channels_last(const Tensor& x) {
  const Shape& shape = x.shape();
  std::int64_t expected = 1;
  for (const std::size_t axis : {1, 3, 2, 0}) {
    if (shape[axis] != 1 && x.strides()[axis] != expected) return false;
    expected *= shape[axis];
  }
  return true;
}

bool channels_come_last(const Tensor& x) { return !x.is_contiguous() && is_channels_last(x); }

Tensor empty_channels_last(const Shape& shape, Dtype dtype) {
  return as_images(empty({shape[0], shape[2], shape[3], shape[1]}, dtype));
}

Tensor as_pixels(const Tensor& images) {
  const Shape& x = images.shape();
  return view(images, {x[0], x[2], x[3], x[1]}, contiguous_strides({x[0], x[2], x[3], x[1]}));
}

Tensor as_images(const Tensor& pixels) {
  const Shape& x = pixels.shape();
  const Strides& s = pixels.strides();
  return view(pixels, {x[0], x[3], x[1], x[2]}, {s[0], s[3], s[1], s[2]});
}

Tensor as_channels_last(const Tensor& x) {
  if (is_channels_last(x)) return x;
  const Tensor result = empty_channels_last(x.shape(), x.dtype());
  copy(result, x);
  return result;
}

}  // namespace eigengrad::kernels
