// Products and convolutions by oneDNN. Every primitive is made for one thread, and our own threads run it on pieces of
// the work that are cut by its shape alone: so the bits do not depend on the number of threads, and there is one pool.
#include <omp.h>
#include <oneapi/dnnl/dnnl.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

#include <oneapi/dnnl/dnnl.hpp>
#include "eigengrad/core/check.h"
#include "eigengrad/core/parallel.h"
#include "eigengrad/ops/kernels/engine.h"
#include "eigengrad/ops/kernels/own_convolution.h"
#include "eigengrad/ops/kernels/pieces.h"
#include "eigengrad/ops/kernels/room.h"

namespace eigengrad::kernels {
namespace {

using dnnl::memory;
using Dims = memory::dims;

// oneDNN asks OpenMP how many threads there are when it makes a primitive, and when it runs one.
class OneThread {
 public:
  OneThread() : before_(omp_get_max_threads()) {
    if (before_ != 1) omp_set_num_threads(1);
  }
  ~OneThread() {
    if (before_ != 1) omp_set_num_threads(before_);
  }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  const int before_;
};

// Never destroyed: threads may end after the globals.
dnnl::engine& processor() {
  static auto* const engine = new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return *engine;
}

dnnl::stream& stream() {
  static auto* const made = new dnnl::stream(processor());
  return *made;
}

void check(dnnl_status_t status, const char* op) {
  EG_CHECK(status == dnnl_success, Error, "[{}] oneDNN failed with status {}", op, static_cast<int>(status));
}

std::size_t mixed(std::size_t hash, std::int64_t value) {
  return (hash ^ static_cast<std::size_t>(value)) * 0x9E3779B97F4A7C15U + (hash >> 29);
}

// ---- Products.

// The stride of an axis of one element may be anything, but oneDNN wants one that rows could have.
Matrix with_proper_strides(Matrix m) {
  if (m.rows == 1 && m.column_stride == 1) m.row_stride = m.columns;
  if (m.columns == 1 && m.row_stride == 1) m.column_stride = m.rows;
  return m;
}

// The fewest multiplications for which setting up a primitive pays.
constexpr std::int64_t kWorthAPrimitive = 32 * 32 * 32;

memory::data_type type_of(Precision precision) {
  return precision == Precision::BFloat16 ? memory::data_type::bf16 : memory::data_type::f32;
}

bool has(dnnl::cpu_isa instructions) {
  static const dnnl::cpu_isa best = dnnl::get_effective_cpu_isa();
  return best >= instructions;
}

struct ProductKey {
  std::array<std::int64_t, 8> extents;
  Precision precision;
  bool accumulate;
  bool operator==(const ProductKey&) const = default;
};
struct ProductHash {
  std::size_t operator()(const ProductKey& key) const {
    auto hash = static_cast<std::size_t>(key.precision) * 2 + (key.accumulate ? 1 : 0);
    for (const std::int64_t extent : key.extents) hash = mixed(hash, extent);
    return hash;
  }
};

// Where a right operand is that has been packed: nowhere that strides could say.
constexpr std::int64_t kPacked = -1;

// A packed right operand looks as oneDNN wants it for a left operand of some rows.
memory::desc packed_desc(std::int64_t rows, std::int64_t columns, Precision precision) {
  constexpr std::int64_t kSomeRows = 64;
  const auto type = type_of(precision);
  const dnnl::matmul::primitive_desc some({{{kSomeRows, rows}, type, memory::format_tag::ab},
                                           {{rows, columns}, type, memory::format_tag::any},
                                           {{kSomeRows, columns}, memory::data_type::f32, memory::format_tag::ab}},
                                          processor());
  return some.weights_desc();
}

struct Product {
  dnnl::matmul primitive;
  memory a, b, out;

  explicit Product(const ProductKey& key) {
    const auto [rows, inner, columns, a_row, a_column, b_row, b_column, out_row] = key.extents;
    const auto type = type_of(key.precision);
    const memory::desc a_desc({rows, inner}, type, Dims{a_row, a_column});
    const memory::desc b_desc = b_row == kPacked ? packed_desc(inner, columns, key.precision)
                                                 : memory::desc({inner, columns}, type, Dims{b_row, b_column});
    const memory::desc out_desc({rows, columns}, memory::data_type::f32, Dims{out_row, 1});
    dnnl::post_ops after;
    if (key.accumulate) after.append_sum();
    dnnl::primitive_attr attributes;
    attributes.set_post_ops(after);
    primitive = dnnl::matmul({{a_desc, b_desc, out_desc}, attributes, processor()});
    a = memory(a_desc, processor(), nullptr);
    b = memory(b_desc, processor(), nullptr);
    out = memory(out_desc, processor(), nullptr);
  }
};

// The thread's own, because running it changes where its operands are.
Product& product_for(const Matrix& a, const Matrix& b, std::int64_t out_stride,
                     Precision precision = Precision::Float32, bool accumulate = false) {
  constexpr std::size_t kMost = 256;
  thread_local std::unordered_map<ProductKey, Product, ProductHash> made;
  const ProductKey key{
      {a.rows, a.columns, b.columns, a.row_stride, a.column_stride, b.row_stride, b.column_stride, out_stride},
      precision,
      accumulate};
  if (const auto found = made.find(key); found != made.end()) return found->second;
  if (made.size() >= kMost) made.clear();
  return made.try_emplace(key, key).first->second;
}

void run(Product& product, void* out, const Matrix& a, const Matrix& b) {
  product.a.set_data_handle(const_cast<void*>(a.data));
  product.b.set_data_handle(const_cast<void*>(b.data));
  product.out.set_data_handle(out);
  const dnnl_exec_arg_t arguments[] = {
      {DNNL_ARG_SRC, product.a.get()}, {DNNL_ARG_WEIGHTS, product.b.get()}, {DNNL_ARG_DST, product.out.get()}};
  check(dnnl_primitive_execute(product.primitive.get(), stream().get(), 3, arguments), "matmul");
}

void reorder(const memory::desc& from_desc, const void* from, const memory::desc& to_desc, void* to) {
  const OneThread one;
  memory in(from_desc, processor(), const_cast<void*>(from)), out(to_desc, processor(), to);
  dnnl::reorder(in, out).execute(stream(), in, out);
}

class Packed final : public PackedMatrix {
 public:
  Packed(const Matrix& b, Precision precision)
      : rows_(b.rows),
        columns_(b.columns),
        precision_(precision),
        room_(packed_desc(rows_, columns_, precision).get_size()) {
    reorder(plain_desc(b), b.data, packed_desc(rows_, columns_, precision), room_.data());
  }
  void multiply(void* out, std::int64_t out_stride, const Matrix& a, bool accumulate, const void* bias) const override {
    const OneThread one;
    const bool adds = prepare<float>(out, out_stride, a.rows, columns_, accumulate, bias);
    if (precision_ == Precision::Float32) return multiply_as_is(out, out_stride, with_proper_strides(a), adds);
    const memory::desc rounded({a.rows, a.columns}, memory::data_type::bf16, memory::format_tag::ab);
    const Room room(rounded.get_size());
    reorder(plain_desc(a), a.data, rounded, room.data());
    multiply_as_is(out, out_stride, row_major(room.data(), a.rows, a.columns), adds);
  }

 private:
  static memory::desc plain_desc(const Matrix& any) {
    const Matrix m = with_proper_strides(any);
    return {{m.rows, m.columns}, memory::data_type::f32, Dims{m.row_stride, m.column_stride}};
  }
  void multiply_as_is(void* out, std::int64_t out_stride, const Matrix& a, bool accumulate) const {
    const Matrix b{room_.data(), rows_, columns_, kPacked, kPacked};
    run(product_for(a, b, out_stride, precision_, accumulate), out, a, b);
  }

  const std::int64_t rows_, columns_;
  const Precision precision_;
  const Room room_;
};

// ---- Convolutions.

enum class Direction { Forward, Input, Weight };

struct ConvolutionKey {
  ConvolutionShape shape;
  Direction direction;
  bool bias;
  bool operator==(const ConvolutionKey&) const = default;
};
struct ConvolutionHash {
  std::size_t operator()(const ConvolutionKey& key) const {
    const ConvolutionShape& s = key.shape;
    std::size_t hash =
        static_cast<std::size_t>(key.direction) * 4 + static_cast<std::size_t>(s.precision) * 2 + (key.bias ? 1 : 0);
    for (const std::int64_t extent :
         {s.images, s.channels, s.height, s.width, s.out_channels, s.out_height, s.out_width, s.groups})
      hash = mixed(hash, extent);
    for (const auto& pair : {s.window.kernel, s.window.stride, s.window.padding, s.window.dilation})
      hash = mixed(mixed(hash, pair[0]), pair[1]);
    return hash;
  }
};

// A primitive, and how it wants its operands.
struct Convolution {
  dnnl::primitive primitive;
  memory::desc x, weight, bias, y, scratch;
  memory::desc plain_x, plain_weight, plain_y;
};

// How oneDNN names a convolution.
struct Names {
  memory::desc x, weight, bias, y;  // as the primitive has them
  memory::desc plain_x, plain_weight, plain_y;
  Dims stride, dilation, padding_before, padding_after;

  // Results are float32, factors as the precision says.
  Names(const ConvolutionShape& s, Direction direction, bool with_bias) {
    constexpr auto plain = memory::data_type::f32;
    const auto factor = [&](Direction result) { return direction == result ? plain : type_of(s.precision); };
    const Dims x_extents{s.images, s.channels, s.height, s.width},
        y_extents{s.images, s.out_channels, s.out_height, s.out_width};
    x = {x_extents, factor(Direction::Input), memory::format_tag::nhwc};
    y = {y_extents, factor(Direction::Forward), memory::format_tag::nhwc};
    plain_x = {x_extents, plain, memory::format_tag::nhwc};
    plain_y = {y_extents, plain, memory::format_tag::nhwc};
    Dims extents{s.out_channels, s.channels / s.groups, s.window.kernel[0], s.window.kernel[1]};
    if (s.groups > 1) {
      extents[0] /= s.groups;
      extents.insert(extents.begin(), s.groups);
    }
    weight = {extents, factor(Direction::Weight), memory::format_tag::any};
    plain_weight = {extents, plain, s.groups > 1 ? memory::format_tag::goihw : memory::format_tag::oihw};
    if (with_bias) bias = {{s.out_channels}, plain, memory::format_tag::x};
    const Window& w = s.window;
    const std::array<std::int64_t, 2> in{s.height, s.width}, out{s.out_height, s.out_width};
    for (std::size_t axis : {0, 1}) {
      stride.push_back(w.stride[axis]);
      dilation.push_back(w.dilation[axis] - 1);
      padding_before.push_back(w.padding[axis]);
      // What a stride leaves over at the end is taken away from the padding there.
      padding_after.push_back((out[axis] - 1) * w.stride[axis] + w.dilation[axis] * (w.kernel[axis] - 1) + 1 -
                              in[axis] - w.padding[axis]);
    }
  }
};

// oneDNN's reference code, and products of matrices made of rows of the image, are slower than our own.
template <class Description>
bool is_fast(const Description& description) {
  const std::string_view name = description.impl_info_str();
  return name.starts_with("jit") || name.starts_with("brg");
}

std::optional<Convolution> make_convolution(const ConvolutionKey& key) {
  const Names n(key.shape, key.direction, key.bias), f(key.shape, Direction::Forward, key.bias);
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  constexpr auto direct = dnnl::algorithm::convolution_direct;
  const dnnl::convolution_forward::desc forward_desc(dnnl::prop_kind::forward_training, direct, f.x, f.weight, f.bias,
                                                     f.y, f.stride, f.dilation, f.padding_before, f.padding_after);
  const dnnl::convolution_forward::primitive_desc forward(forward_desc, attributes, processor());
  const auto made = [&](const auto& description, dnnl::primitive primitive,
                        const memory::desc& weight) -> std::optional<Convolution> {
    if (!is_fast(description)) return std::nullopt;
    return Convolution{std::move(primitive),          n.x,       weight,         n.bias,   n.y,
                       description.scratchpad_desc(), n.plain_x, n.plain_weight, n.plain_y};
  };
  if (key.direction == Direction::Forward)
    return made(forward, dnnl::convolution_forward(forward), forward.weights_desc());
  if (key.direction == Direction::Input) {
    const dnnl::convolution_backward_data::primitive_desc backward(
        {direct, n.x, n.weight, n.y, n.stride, n.dilation, n.padding_before, n.padding_after}, attributes, processor(),
        forward);
    return made(backward, dnnl::convolution_backward_data(backward), backward.weights_desc());
  }
  const dnnl::convolution_backward_weights::primitive_desc backward(
      {direct, n.x, n.weight, n.bias, n.y, n.stride, n.dilation, n.padding_before, n.padding_after}, attributes,
      processor(), forward);
  return made(backward, dnnl::convolution_backward_weights(backward), backward.diff_weights_desc());
}

// Null when oneDNN has no fast code for it.
std::shared_ptr<const Convolution> convolution_for(const ConvolutionKey& key) {
  constexpr std::size_t kMost = 1024;
  static auto* const mutex = new std::mutex;
  static auto* const made = new std::unordered_map<ConvolutionKey, std::shared_ptr<const Convolution>, ConvolutionHash>;
  const std::lock_guard lock(*mutex);
  if (const auto found = made->find(key); found != made->end()) return found->second;
  if (made->size() >= kMost) made->clear();
  std::shared_ptr<const Convolution> convolution;
  try {
    const OneThread one;
    if (auto made_now = make_convolution(key)) convolution = std::make_shared<const Convolution>(std::move(*made_now));
  } catch (const dnnl::error& error) {
    if (error.status != dnnl_unimplemented && error.status != dnnl_invalid_arguments) throw;
  }
  return made->emplace(key, convolution).first->second;
}

// The images are cut into at most `most` equal pieces, by their number and the work alone.
std::int64_t pieces_of(const ConvolutionShape& s, std::int64_t most) {
  constexpr std::int64_t kLeastWork = 1 << 20;
  const std::int64_t work = s.images * s.out_channels * s.out_height * s.out_width * (s.channels / s.groups) *
                            s.window.kernel[0] * s.window.kernel[1];
  std::int64_t pieces = std::clamp<std::int64_t>(work / kLeastWork, 1, std::min<std::int64_t>(most, s.images));
  while (s.images % pieces != 0) --pieces;
  return pieces;
}

ConvolutionShape piece_of(ConvolutionShape shape, std::int64_t pieces) {
  shape.images /= pieces;
  return shape;
}

// An operand as the primitive wants it: as it is, or a copy.
class Operand {
 public:
  Operand(const memory::desc& wanted, const memory::desc& plain, const void* data)
      : room_(wanted == plain ? 0 : wanted.get_size()), data_(room_.data() ? room_.data() : data) {
    if (room_.data()) reorder(plain, data, wanted, room_.data());
  }
  const void* data() const { return data_; }

 private:
  const Room room_;
  const void* const data_;
};

struct Argument {
  int which;
  const memory::desc* desc;
  const void* data;
};

void run(const Convolution& c, std::initializer_list<Argument> arguments) {
  const OneThread one;
  const Room scratch(c.scratch.get_size());
  std::vector<memory> memories;
  std::vector<dnnl_exec_arg_t> list;
  memories.reserve(arguments.size() + 1);
  const auto add = [&](int which, const memory::desc& desc, const void* data) {
    memories.emplace_back(desc, processor(), const_cast<void*>(data));
    list.push_back({which, memories.back().get()});
  };
  for (const Argument& argument : arguments)
    if (argument.data) add(argument.which, *argument.desc, argument.data);
  if (scratch.data()) add(DNNL_ARG_SCRATCHPAD, c.scratch, scratch.data());
  check(dnnl_primitive_execute(c.primitive.get(), stream().get(), static_cast<int>(list.size()), list.data()),
        "conv2d");
}

const std::byte* offset(const void* data, std::int64_t piece, const memory::desc& desc) {
  return static_cast<const std::byte*>(data) + static_cast<std::size_t>(piece) * desc.get_size();
}

template <class F>
void for_each_piece(std::int64_t pieces, F f) {
  parallel_for(pieces, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t piece = begin; piece < end; ++piece) f(piece);
  });
}

class OneDnnEngine final : public Engine {
 public:
  std::string_view name() const override { return "onednn"; }
  std::string version() const override {
    const dnnl_version_t* const v = dnnl_version();
    return fmt::format("oneDNN {}.{}.{}", v->major, v->minor, v->patch);
  }

  void matrix_product(Dtype dtype, Precision precision, void* out, std::int64_t out_stride, const Matrix& left,
                      const Matrix& right) const override {
    if (precision == Precision::BFloat16)
      return pack(dtype, right, left.rows, precision)->multiply(out, out_stride, left);
    const Matrix a = with_proper_strides(left), b = with_proper_strides(right);
    if (dtype != Dtype::Float32 || a.rows * a.columns * b.columns < kWorthAPrimitive)
      return eigen_engine().matrix_product(dtype, precision, out, out_stride, a, b);
    const OneThread one;
    if (a.column_stride == 1) return run(product_for(a, b, out_stride), out, a, b);
    check(dnnl_sgemm('T', b.column_stride == 1 ? 'N' : 'T', a.rows, b.columns, a.columns, 1,
                     static_cast<const float*>(a.data), a.column_stride, static_cast<const float*>(b.data),
                     std::max(b.row_stride, b.column_stride), 0, static_cast<float*>(out), out_stride),
          "matmul");
  }

  std::unique_ptr<PackedMatrix> pack(Dtype dtype, const Matrix& b, std::int64_t rows,
                                     Precision precision) const override {
    // Eigen's kernel is the faster one for few rows.
    constexpr std::int64_t kManyRows = 33, kWorthPacking = 32 * 32;
    const bool rounded = precision == Precision::BFloat16;
    // oneDNN knows no such product on older processors.
    if (rounded && !has(dnnl::cpu_isa::avx512_core)) return eigen_engine().pack(dtype, b, rows, precision);
    if (dtype != Dtype::Float32 || (!rounded && rows < kManyRows) || b.rows * b.columns < kWorthPacking)
      return eigen_engine().pack(dtype, b, rows, precision);
    const OneThread one;
    return std::make_unique<Packed>(b, precision);
  }

  bool convolves(Dtype dtype) const override { return dtype == Dtype::Float32; }

  bool convolution(const ConvolutionShape& shape, const void* x, const void* weight, const Epilogue& end,
                   void* y) const override {
    const std::int64_t pieces = pieces_of(shape, 16);
    const auto c = convolution_for({piece_of(shape, pieces), Direction::Forward, end.bias != nullptr});
    if (!c) return false;
    const Operand w(c->weight, c->plain_weight, weight);
    const std::int64_t results = shape.images / pieces * shape.out_channels * shape.out_height * shape.out_width;
    for_each_piece(pieces, [&](std::int64_t piece) {
      const Operand in(c->x, c->plain_x, offset(x, piece, c->plain_x));
      run(*c, {{DNNL_ARG_SRC, &c->x, in.data()},
               {DNNL_ARG_WEIGHTS, &c->weight, w.data()},
               {DNNL_ARG_BIAS, &c->bias, end.bias},
               {DNNL_ARG_DST, &c->y, offset(y, piece, c->plain_y)}});
      // (Its own relu may lose NaN.)
      finish_rows(static_cast<float*>(y) + piece * results, 1, results, {nullptr, end.relu});
    });
    return true;
  }

  bool convolution_input_grad(const ConvolutionShape& shape, const void* dy, const void* weight,
                              void* dx) const override {
    const std::int64_t pieces = pieces_of(shape, 16);
    const auto c = convolution_for({piece_of(shape, pieces), Direction::Input, false});
    if (!c) return false;
    const Operand w(c->weight, c->plain_weight, weight);
    for_each_piece(pieces, [&](std::int64_t piece) {
      const Operand in(c->y, c->plain_y, offset(dy, piece, c->plain_y));
      run(*c, {{DNNL_ARG_DIFF_DST, &c->y, in.data()},
               {DNNL_ARG_WEIGHTS, &c->weight, w.data()},
               {DNNL_ARG_DIFF_SRC, &c->x, offset(dx, piece, c->plain_x)}});
    });
    return true;
  }

  bool convolution_weight_grad(const ConvolutionShape& shape, const void* x, const void* dy, void* dweight,
                               void* dbias) const override {
    // oneDNN would add up rounded gradients.
    if (dbias && shape.precision == Precision::BFloat16) {
      if (!convolution_weight_grad(shape, x, dy, dweight, nullptr)) return false;
      sum_pixels(static_cast<const float*>(dy), shape.images * shape.out_height * shape.out_width, shape.out_channels,
                 static_cast<float*>(dbias));
      return true;
    }
    // Adding a piece's sums to the others' has to cost little beside making them.
    const std::int64_t places = shape.images * shape.out_height * shape.out_width;
    const std::int64_t pieces = pieces_of(shape, std::clamp<std::int64_t>(places / 256, 1, 8));
    const auto c = convolution_for({piece_of(shape, pieces), Direction::Weight, dbias != nullptr});
    if (!c) return false;
    const auto size = static_cast<std::int64_t>(c->weight.get_size() / sizeof(float));
    const std::int64_t stride = (size + shape.out_channels + 15) / 16 * 16;
    const Room room(static_cast<std::size_t>(pieces * stride) * sizeof(float));
    auto* const sums = static_cast<float*>(room.data());
    for_each_piece(pieces, [&](std::int64_t piece) {
      float* const own = sums + piece * stride;
      const Operand in(c->x, c->plain_x, offset(x, piece, c->plain_x));
      const Operand grad(c->y, c->plain_y, offset(dy, piece, c->plain_y));
      run(*c, {{DNNL_ARG_SRC, &c->x, in.data()},
               {DNNL_ARG_DIFF_DST, &c->y, grad.data()},
               {DNNL_ARG_DIFF_WEIGHTS, &c->weight, own},
               {DNNL_ARG_DIFF_BIAS, &c->bias, dbias ? own + size : nullptr}});
    });
    add_up(sums + stride, pieces - 1, stride, size + (dbias ? shape.out_channels : 0), sums);
    reorder(c->weight, sums, c->plain_weight, dweight);
    if (dbias) std::memcpy(dbias, sums + size, static_cast<std::size_t>(shape.out_channels) * sizeof(float));
    return true;
  }
};

}  // namespace

const Engine& onednn_engine() {
  static const OneDnnEngine engine;
  return engine;
}

}  // namespace eigengrad::kernels
