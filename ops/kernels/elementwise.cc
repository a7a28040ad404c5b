#include "eigengrad/ops/kernels/elementwise.h"

#include <algorithm>
#include <cstring>

#include "eigengrad/core/parallel.h"

namespace eigengrad::kernels {
namespace {

constexpr std::size_t kMaxOperands = 8;
constexpr std::int64_t kBufferElements = 512;

// The loop over all operands: axes from outermost to innermost, neighbours merged where memory allows.
struct Plan {
  struct Axis {
    std::int64_t extent;
    std::array<std::int64_t, kMaxOperands> strides;  // in elements
  };
  SmallVector<Axis, 6> axes;
  std::size_t count;
};

bool is_row_major(const Operand& operand) {
  std::int64_t step = 1;
  for (std::size_t i = operand.shape->size(); i-- > 0;) {
    if ((*operand.shape)[i] != 1 && (*operand.strides)[i] != step) return false;
    step *= (*operand.shape)[i];
  }
  return true;
}

bool is_flat(const Operand* operands, std::size_t count) {
  for (std::size_t k = 1; k < count; ++k)
    if (*operands[k].shape != *operands[0].shape || *operands[k].strides != *operands[0].strides) return false;
  return is_row_major(operands[0]);
}

Plan make_plan(const Operand* operands, std::size_t count) {
  Plan plan{{}, count};
  const Shape& shape = *operands[0].shape;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 1) continue;
    Plan::Axis axis{shape[i], {}};
    for (std::size_t k = 0; k < count; ++k) {
      const Operand& operand = operands[k];
      const std::size_t missing = shape.size() - operand.shape->size();
      const bool broadcast = i < missing || (*operand.shape)[i - missing] == 1;
      axis.strides[k] = broadcast ? 0 : (*operand.strides)[i - missing];
    }
    plan.axes.push_back(axis);
  }
  // Few axes, mostly in order: by insertion. The library's stable sort takes memory.
  for (std::size_t i = 1; i < plan.axes.size(); ++i)
    for (std::size_t k = i; k > 0 && plan.axes[k - 1].strides[0] < plan.axes[k].strides[0]; --k)
      std::swap(plan.axes[k - 1], plan.axes[k]);
  SmallVector<Plan::Axis, 6> merged;
  for (const Plan::Axis& axis : plan.axes) {
    const bool joins = !merged.empty() && [&] {
      for (std::size_t k = 0; k < count; ++k)
        if (merged.back().strides[k] != axis.strides[k] * axis.extent) return false;
      return true;
    }();
    if (joins) {
      merged.back().extent *= axis.extent;
      merged.back().strides = axis.strides;
    } else {
      merged.push_back(axis);
    }
  }
  if (merged.empty()) merged.push_back({1, {}});
  plan.axes = std::move(merged);
  return plan;
}

template <class Word>
void copy_strided(const std::byte* from, std::int64_t from_stride, std::byte* to, std::int64_t to_stride,
                  std::int64_t n) {
  const auto* source = reinterpret_cast<const Word*>(from);
  auto* target = reinterpret_cast<Word*>(to);
  if (from_stride == 0) {
    std::fill_n(target, to_stride == 1 ? n : 0, *source);
    if (to_stride == 1) return;
  }
  for (std::int64_t i = 0; i < n; ++i) target[i * to_stride] = source[i * from_stride];
}

void move_elements(const std::byte* from, std::int64_t from_stride, std::byte* to, std::int64_t to_stride,
                   std::int64_t n, std::size_t element_size) {
  if (element_size == 4)
    copy_strided<std::uint32_t>(from, from_stride, to, to_stride, n);
  else if (element_size == 8)
    copy_strided<std::uint64_t>(from, from_stride, to, to_stride, n);
  else if (element_size == 2)
    copy_strided<std::uint16_t>(from, from_stride, to, to_stride, n);
  else
    copy_strided<std::uint8_t>(from, from_stride, to, to_stride, n);
}

// One run along the innermost axis. Operands that are not contiguous there pass through `buffers`.
struct InnerRun {
  InnerRun(const Operand* all, const Plan& the_plan, Chunk f) : operands(all), plan(the_plan), chunk(f) {
    for (std::size_t k = 0; k < plan.count; ++k) is_buffered = is_buffered || plan.axes.back().strides[k] != 1;
  }

  const Operand* operands;
  const Plan& plan;
  Chunk chunk;
  bool is_buffered = false;
  alignas(64) std::byte buffers[kMaxOperands][kBufferElements * 8];  // left uninitialised: most runs need none

  // (`at` is not copied: its 8 bytes, read as 16, would wait for all that was written before.)
  void run(const std::array<std::byte*, kMaxOperands>& at, std::int64_t n) {
    if (!is_buffered || n == 1) {
      chunk(n, at.data());
      return;
    }
    const Plan::Axis& inner = plan.axes.back();
    for (std::size_t k = 1; k < plan.count; ++k)
      if (inner.strides[k] == 0) load(k, at[k], std::min(n, kBufferElements));
    for (std::int64_t done = 0; done < n; done += kBufferElements) {
      const std::int64_t size = std::min(kBufferElements, n - done);
      std::array<std::byte*, kMaxOperands> direct;
      for (std::size_t k = 0; k < plan.count; ++k) {
        std::byte* here = at[k] + done * inner.strides[k] * static_cast<std::int64_t>(operands[k].element_size);
        if (k > 0 && inner.strides[k] > 1) load(k, here, size);
        direct[k] = inner.strides[k] == 1 ? here : buffers[k];
      }
      chunk(size, direct.data());
      if (inner.strides[0] != 1) {
        std::byte* here = at[0] + done * inner.strides[0] * static_cast<std::int64_t>(operands[0].element_size);
        move_elements(buffers[0], 1, here, inner.strides[0], size, operands[0].element_size);
      }
    }
  }
  void load(std::size_t k, const std::byte* from, std::int64_t n) {
    move_elements(from, plan.axes.back().strides[k], buffers[k], 1, n, operands[k].element_size);
  }
};

// The innermost axis is cut into blocks, so that a single long row can be shared by threads. A piece is one block of
// one row, counted row by row; this runs the pieces [begin, end).
void run_pieces(const Operand* operands, const Plan& plan, Chunk chunk, std::int64_t block, std::int64_t begin,
                std::int64_t end) {
  const std::size_t outer = plan.axes.size() - 1;
  const Plan::Axis& inner_axis = plan.axes.back();
  const std::int64_t blocks = (inner_axis.extent + block - 1) / block;
  Dims position(outer);
  std::array<std::byte*, kMaxOperands> at{};
  std::array<std::int64_t, kMaxOperands> element{};
  const std::size_t count = plan.count;
  for (std::size_t k = 0; k < count; ++k) {
    at[k] = operands[k].data;
    element[k] = static_cast<std::int64_t>(operands[k].element_size);
  }
  const auto advance = [&](const Plan::Axis& axis, std::int64_t by) {
    for (std::size_t k = 0; k < count; ++k) at[k] += by * axis.strides[k] * element[k];
  };
  std::int64_t rest = begin / blocks;
  for (std::size_t axis = outer; axis-- > 0;) {
    position[axis] = rest % plan.axes[axis].extent;
    rest /= plan.axes[axis].extent;
    advance(plan.axes[axis], position[axis]);
  }
  std::int64_t start = begin % blocks * block;
  advance(inner_axis, start);
  InnerRun inner(operands, plan, chunk);
  for (std::int64_t piece = begin; piece < end; ++piece) {
    const std::int64_t size = std::min(block, inner_axis.extent - start);
    inner.run(at, size);
    if (start + size < inner_axis.extent) {
      advance(inner_axis, size);
      start += size;
      continue;
    }
    if (start != 0) advance(inner_axis, -start);
    start = 0;
    for (std::size_t axis = outer; axis-- > 0;) {
      advance(plan.axes[axis], 1);
      if (++position[axis] < plan.axes[axis].extent) break;
      advance(plan.axes[axis], -plan.axes[axis].extent);
      position[axis] = 0;
    }
  }
}

// Short rows, some operands of which are the same in every row, or one number along it: several rows are run at once,
// for which such operands are repeated in buffers. So a short row does not cost a call of its own.
class RowGroups {
 public:
  RowGroups(const Operand* operands, const Plan& plan, Chunk chunk) : operands_(operands), plan_(plan), chunk_(chunk) {}

  // The other way, row by row, is for rows that are long or lie apart in the result.
  bool suits() const { return plan_.axes.size() == 2 && is_flat(0) && row() <= kBufferElements / 2; }
  std::int64_t rows() const { return plan_.axes[0].extent; }
  std::int64_t row() const { return plan_.axes[1].extent; }

  void run(std::int64_t begin, std::int64_t end) const {
    alignas(64) std::byte buffers[kMaxOperands][kBufferElements * 8];
    const std::int64_t most = std::min(end - begin, kBufferElements / row());
    for (std::size_t k = 1; k < plan_.count; ++k)
      if (is_same_in_all(k)) repeat(k, begin, most, buffers[k]);
    for (std::int64_t first = begin; first < end; first += most) {
      const std::int64_t group = std::min(most, end - first);
      std::array<std::byte*, kMaxOperands> at;
      for (std::size_t k = 0; k < plan_.count; ++k) {
        if (!is_flat(k) && !is_same_in_all(k)) repeat(k, first, group, buffers[k]);
        at[k] = is_flat(k) ? row_of(k, first) : buffers[k];
      }
      chunk_(group * row(), at.data());
    }
  }

 private:
  bool is_flat(std::size_t k) const { return plan_.axes[1].strides[k] == 1 && plan_.axes[0].strides[k] == row(); }
  bool is_same_in_all(std::size_t k) const { return plan_.axes[0].strides[k] == 0; }
  std::byte* row_of(std::size_t k, std::int64_t i) const {
    return operands_[k].data + i * plan_.axes[0].strides[k] * static_cast<std::int64_t>(operands_[k].element_size);
  }
  void repeat(std::size_t k, std::int64_t first, std::int64_t count, std::byte* to) const {
    const std::size_t size = operands_[k].element_size;
    for (std::int64_t i = 0; i < count; ++i, to += row() * static_cast<std::int64_t>(size))
      move_elements(row_of(k, first + i), plan_.axes[1].strides[k], to, 1, row(), size);
  }

  const Operand* const operands_;
  const Plan& plan_;
  const Chunk chunk_;
};

bool is_one_number(const Operand& operand) {
  for (const std::int64_t extent : *operand.shape)
    if (extent != 1) return false;
  return true;
}

// Few elements, beside single numbers: x * 2 on a small tensor. The numbers are repeated in buffers, and there is no
// plan to make. Returns false, having done nothing, where operands are of another kind.
bool run_few(const Operand* operands, std::size_t count, std::int64_t total, Chunk chunk) {
  constexpr std::int64_t kFew = 64;
  if (total > kFew || !is_row_major(operands[0])) return false;
  for (std::size_t k = 1; k < count; ++k) {
    const bool whole = *operands[k].shape == *operands[0].shape && is_row_major(operands[k]);
    if (!whole && !is_one_number(operands[k])) return false;
  }
  alignas(64) std::byte buffers[kMaxOperands][kFew * 8];
  std::array<std::byte*, kMaxOperands> at;
  for (std::size_t k = 0; k < count; ++k) {
    const bool repeated = k > 0 && total > 1 && is_one_number(operands[k]);
    if (repeated) move_elements(operands[k].data, 0, buffers[k], 1, total, operands[k].element_size);
    at[k] = repeated ? buffers[k] : operands[k].data;
  }
  chunk(total, at.data());
  return true;
}

void run_flat(const Operand* operands, std::size_t count, std::int64_t total, std::int64_t grain, Chunk chunk) {
  parallel_evenly(total, grain, [&](std::int64_t begin, std::int64_t end) {
    std::array<std::byte*, kMaxOperands> at{};
    for (std::size_t k = 0; k < count; ++k)
      at[k] = operands[k].data + begin * static_cast<std::int64_t>(operands[k].element_size);
    chunk(end - begin, at.data());
  });
}

}  // namespace

void for_each_chunk(const Operand* operands, std::size_t count, std::int64_t grain, Chunk chunk) {
  std::int64_t total = 1;
  for (const std::int64_t extent : *operands[0].shape) total *= extent;
  if (total == 0) return;
  if (is_flat(operands, count)) {
    run_flat(operands, count, total, grain, chunk);
    return;
  }
  if (run_few(operands, count, total, chunk)) return;
  const Plan plan = make_plan(operands, count);
  const auto& last = plan.axes.back().strides;
  if (plan.axes.size() == 1 && std::all_of(last.begin(), last.begin() + count, [](std::int64_t s) { return s == 1; })) {
    run_flat(operands, count, total, grain, chunk);
    return;
  }
  if (const RowGroups groups(operands, plan, chunk); groups.suits()) {
    parallel_evenly(groups.rows(), std::max<std::int64_t>(1, grain / groups.row()),
                    [&](std::int64_t begin, std::int64_t end) { groups.run(begin, end); });
    return;
  }
  const std::int64_t row = plan.axes.back().extent;
  const std::int64_t block = std::min(row, grain);
  const std::int64_t pieces = total / row * ((row + block - 1) / block);
  parallel_evenly(pieces, std::max<std::int64_t>(1, grain / block),
                  [&](std::int64_t begin, std::int64_t end) { run_pieces(operands, plan, chunk, block, begin, end); });
}

Tensor elementwise_result(const char* op, const Tensor& x, const Tensor& y, Dtype dtype) {
  if (x.shape() == y.shape()) return empty_like(x, dtype);
  const Shape shape = broadcast_shapes(op, x.shape(), y.shape());
  return shape == x.shape() ? empty_like(x, dtype) : shape == y.shape() ? empty_like(y, dtype) : empty(shape, dtype);
}

Tensor elementwise_result(const char* op, TensorRefs x, Dtype dtype, std::size_t first) {
  const Shape last = broadcast_shapes(op, x[1].shape(), x[2].shape()), shape = broadcast_shapes(op, x[0].shape(), last);
  for (std::size_t i = first; i < 3; ++i)
    if (x[i].shape() == shape) return empty_like(x[i], dtype);
  return empty(shape, dtype);
}

}  // namespace eigengrad::kernels
