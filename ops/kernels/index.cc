#include "eigengrad/ops/kernels/index.h"

#include <algorithm>

#include "eigengrad/core/check.h"
#include "eigengrad/core/parallel.h"

namespace eigengrad::kernels {
namespace {

// bool adds as "or".
template <class T>
void add_to(T& sum, T term) {
  if constexpr (std::is_same_v<T, bool>)
    sum = sum || term;
  else if constexpr (std::is_same_v<T, std::int64_t>)
    sum = static_cast<T>(static_cast<std::uint64_t>(sum) + static_cast<std::uint64_t>(term));
  else
    sum += term;
}

// One row of the index along its last axis, and where in x it points: element j is at
// offset + index[first + j] * axis_stride + j * last_stride.
struct Line {
  std::int64_t first, offset;
};

// The rows of an index against a tensor of the same rank.
class Lines {
 public:
  Lines(const Shape& index, const Strides& strides, std::int64_t axis)
      : shape_(index), strides_(strides), axis_(static_cast<std::size_t>(axis)) {
    const std::size_t rank = shape_.size();
    if (rank == 0) return;
    length_ = shape_[rank - 1];
    axis_stride_ = strides_[axis_];
    last_stride_ = axis_ + 1 == rank ? 0 : strides_[rank - 1];
    for (std::size_t i = 0; i + 1 < rank; ++i) count_ *= shape_[i];
    for (std::size_t i = axis_; i + 1 < rank; ++i) per_group_ *= shape_[i];
  }
  std::int64_t length() const { return length_; }
  std::int64_t count() const { return length_ == 0 ? 0 : count_; }
  /// Lines of distinct groups never point at the same element.
  std::int64_t per_group() const { return per_group_; }
  std::int64_t at(const Line& line, std::int64_t j, std::int64_t index) const {
    return line.offset + index * axis_stride_ + j * last_stride_;
  }
  Line line(std::int64_t number) const {
    Line line{number * length_, 0};
    for (std::size_t i = shape_.size(); i-- > 1;) {
      const std::size_t d = i - 1;
      if (d != axis_) line.offset += number % shape_[d] * strides_[d];
      number /= shape_[d];
    }
    return line;
  }

 private:
  const Shape& shape_;
  const Strides& strides_;
  const std::size_t axis_;
  std::int64_t length_ = 1, axis_stride_ = 0, last_stride_ = 0, count_ = 1, per_group_ = 1;
};

}  // namespace

void check_index(const char* op, const Tensor& index, std::int64_t axis, std::int64_t extent) {
  EG_CHECK(index.dtype() == kInt64, DtypeError, "[{}] the index is {}, expected int64", op, index.dtype());
  const std::int64_t* values = index.raw<std::int64_t>();
  const std::int64_t count = index.numel();
  for (std::int64_t i = 0; i < count; ++i)
    EG_CHECK(values[i] >= 0 && values[i] < extent, IndexError,
             "[{}] index {} (element {} of the index) is out of range for axis {} of extent {}", op, values[i], i, axis,
             extent);
}

template <class T>
void index_select(T* out, const AxisView& out_view, const T* x, const AxisView& x_view, const std::int64_t* index) {
  const std::int64_t inner = x_view.inner;
  parallel_evenly(out_view.outer * out_view.extent, grain_for(inner), [&](std::int64_t begin, std::int64_t end) {
    std::int64_t k = begin % out_view.extent;
    const T* from = x + begin / out_view.extent * x_view.extent * inner;
    for (std::int64_t row = begin; row < end; ++row) {
      if (inner == 1)
        out[row] = from[index[k]];
      else
        std::copy_n(from + index[k] * inner, inner, out + row * inner);
      if (++k < out_view.extent) continue;
      k = 0;
      from += x_view.extent * inner;
    }
  });
}

template <class T>
void index_add(T* out, const AxisView& out_view, const std::int64_t* index, const T* source,
               const AxisView& source_view) {
  // An index may come twice, so the rows are added one after the other, and threads share the columns.
  constexpr std::int64_t kColumns = 64;
  const std::int64_t inner = out_view.inner, blocks = (inner + kColumns - 1) / kColumns;
  const std::int64_t grain = grain_for(source_view.extent * std::min(inner, kColumns));
  parallel_evenly(out_view.outer * blocks, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t piece = begin; piece < end; ++piece) {
      const std::int64_t o = piece / blocks, first = piece % blocks * kColumns;
      const std::int64_t columns = std::min(kColumns, inner - first);
      for (std::int64_t k = 0; k < source_view.extent; ++k) {
        T* to = out + (o * out_view.extent + index[k]) * inner + first;
        const T* from = source + (o * source_view.extent + k) * inner + first;
        for (std::int64_t i = 0; i < columns; ++i) add_to(to[i], from[i]);
      }
    }
  });
}

template <class T>
void gather(T* out, const Tensor& x, std::int64_t axis, const Tensor& index) {
  const Lines lines(index.shape(), x.strides(), axis);
  const std::int64_t* indexes = index.raw<std::int64_t>();
  const T* from = x.raw<T>();
  parallel_evenly(lines.count(), grain_for(lines.length()), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t number = begin; number < end; ++number) {
      const Line line = lines.line(number);
      for (std::int64_t j = 0; j < lines.length(); ++j)
        out[line.first + j] = from[lines.at(line, j, indexes[line.first + j])];
    }
  });
}

// Calls f(q, p) for each element p of the index, in order wherever elements q may be the same.
template <class F>
void for_each_target(const Tensor& out, std::int64_t axis, const Tensor& index, F f) {
  const Lines lines(index.shape(), out.strides(), axis);
  const std::int64_t* indexes = index.raw<std::int64_t>();
  const std::int64_t per_group = std::max<std::int64_t>(1, lines.per_group());
  const std::int64_t grain = grain_for(per_group * lines.length());
  parallel_evenly(lines.count() / per_group, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t number = begin * per_group; number < end * per_group; ++number) {
      const Line line = lines.line(number);
      for (std::int64_t j = 0; j < lines.length(); ++j) f(lines.at(line, j, indexes[line.first + j]), line.first + j);
    }
  });
}

template <class T>
void scatter_add(const Tensor& out, std::int64_t axis, const Tensor& index, const T* source) {
  T* const to = out.raw<T>();
  for_each_target(out, axis, index, [&](std::int64_t q, std::int64_t p) { add_to(to[q], source[p]); });
}

template <class T>
void scatter(const Tensor& out, std::int64_t axis, const Tensor& index, const T* source) {
  T* const to = out.raw<T>();
  for_each_target(out, axis, index, [&](std::int64_t q, std::int64_t p) { to[q] = source[p]; });
}

template void index_select(bool*, const AxisView&, const bool*, const AxisView&, const std::int64_t*);
template void index_add(bool*, const AxisView&, const std::int64_t*, const bool*, const AxisView&);
template void gather(bool*, const Tensor&, std::int64_t, const Tensor&);
template void scatter_add(const Tensor&, std::int64_t, const Tensor&, const bool*);
template void scatter(const Tensor&, std::int64_t, const Tensor&, const bool*);
template void index_select(std::int64_t*, const AxisView&, const std::int64_t*, const AxisView&, const std::int64_t*);
template void index_add(std::int64_t*, const AxisView&, const std::int64_t*, const std::int64_t*, const AxisView&);
template void gather(std::int64_t*, const Tensor&, std::int64_t, const Tensor&);
template void scatter_add(const Tensor&, std::int64_t, const Tensor&, const std::int64_t*);
template void scatter(const Tensor&, std::int64_t, const Tensor&, const std::int64_t*);
template void index_select(BFloat16*, const AxisView&, const BFloat16*, const AxisView&, const std::int64_t*);
template void gather(BFloat16*, const Tensor&, std::int64_t, const Tensor&);
template void index_select(float*, const AxisView&, const float*, const AxisView&, const std::int64_t*);
template void index_add(float*, const AxisView&, const std::int64_t*, const float*, const AxisView&);
template void gather(float*, const Tensor&, std::int64_t, const Tensor&);
template void scatter_add(const Tensor&, std::int64_t, const Tensor&, const float*);
template void scatter(const Tensor&, std::int64_t, const Tensor&, const float*);
template void index_select(double*, const AxisView&, const double*, const AxisView&, const std::int64_t*);
template void index_add(double*, const AxisView&, const std::int64_t*, const double*, const AxisView&);
template void gather(double*, const Tensor&, std::int64_t, const Tensor&);
template void scatter_add(const Tensor&, std::int64_t, const Tensor&, const double*);
template void scatter(const Tensor&, std::int64_t, const Tensor&, const double*);

}  // namespace eigengrad::kernels
