// Compiled without contraction of a·b + c into one rounding (see CMakeLists.txt), and without functions of the C
// library whose last bit differs from one to another: sqrt, which IEEE 754 fixes, is the only one.
#include "eigengrad/core/random.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <vector>

#include "eigengrad/core/check.h"
#include "eigengrad/core/dispatch.h"
#include "eigengrad/core/parallel.h"

namespace eigengrad {
namespace {

constexpr std::int64_t kGrain = 1 << 14;

// The natural logarithm of 0 < x < 1, within 2 ulp: x = m·2^e with m near 1, log m = 2·artanh((m - 1) / (m + 1)).
double log_below_one(double x) {
  const auto bits = std::bit_cast<std::uint64_t>(x);
  int exponent = static_cast<int>(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & ((std::uint64_t{1} << 52) - 1)) | (std::uint64_t{1023} << 52));
  if (m > 1.4142135623730951) {
    m *= 0.5;
    ++exponent;
  }
  const double s = (m - 1) / (m + 1), square = s * s;
  double series = 1.0 / 23;
  for (int odd = 21; odd >= 1; odd -= 2) series = series * square + 1.0 / odd;
  return static_cast<double>(exponent) * 0.6931471805599453 + 2 * s * series;
}

template <std::size_t N>
double polynomial(const double (&coefficients)[N], double x) {
  double value = coefficients[N - 1];
  for (std::size_t i = N - 1; i-- > 0;) value = value * x + coefficients[i];
  return value;
}

double unit_interval(std::uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; }
double open_unit_interval(std::uint64_t bits) { return (static_cast<double>(bits >> 11) + 0.5) * 0x1p-53; }

// The blocks of `kBlocks` offsets side by side: word j of block k is words[j][k].
template <int kBlocks>
struct Blocks {
  std::uint32_t words[4][kBlocks];

  Blocks(std::uint64_t seed, std::uint64_t stream, std::uint64_t offset) {
    for (int k = 0; k < kBlocks; ++k) {
      const std::uint64_t at = offset + static_cast<std::uint64_t>(k);
      words[0][k] = low(at);
      words[1][k] = high(at);
      words[2][k] = low(stream);
      words[3][k] = high(stream);
    }
    std::uint32_t key[2] = {low(seed), high(seed)};
    for (int round = 0; round < 10; ++round) {
#pragma omp simd
      for (int k = 0; k < kBlocks; ++k) {
        const std::uint64_t p0 = std::uint64_t{0xD2511F53} * words[0][k], p1 = std::uint64_t{0xCD9E8D57} * words[2][k];
        words[0][k] = high(p1) ^ words[1][k] ^ key[0];
        words[2][k] = high(p0) ^ words[3][k] ^ key[1];
        words[1][k] = low(p1);
        words[3][k] = low(p0);
      }
      key[0] += 0x9E3779B9;
      key[1] += 0xBB67AE85;
    }
  }

 private:
  static std::uint32_t low(std::uint64_t v) { return static_cast<std::uint32_t>(v); }
  static std::uint32_t high(std::uint64_t v) { return static_cast<std::uint32_t>(v >> 32); }
};

// Element i is made of word i of the stream, whatever thread makes it: 32 bits for a float or less, 64 for a double.
template <class T, class F>
void fill(T* out, std::int64_t n, Generator& generator, F value_of) {
  constexpr std::int64_t kPerBlock = sizeof(T) <= 4 ? 4 : 2;
  constexpr int kTogether = 32;
  const std::int64_t blocks = (n + kPerBlock - 1) / kPerBlock;
  const std::uint64_t first = generator.reserve(static_cast<std::uint64_t>(blocks));
  parallel_evenly(blocks, kGrain, [&](std::int64_t begin, std::int64_t end) {
    const F local = value_of;
    for (std::int64_t k = begin; k < end; k += kTogether) {
      const Blocks<kTogether> some(generator.seed(), generator.stream(), first + static_cast<std::uint64_t>(k));
      std::uint64_t bits[kPerBlock * kTogether];  // of a float the upper half
      for (std::int64_t i = 0; i < kTogether; ++i)
        for (std::int64_t j = 0; j < kPerBlock; ++j)
          bits[i * kPerBlock + j] = kPerBlock == 4
                                        ? std::uint64_t{some.words[j][i]} << 32
                                        : some.words[2 * j][i] | std::uint64_t{some.words[2 * j + 1][i]} << 32;
      const std::int64_t count = std::min(kPerBlock * std::min<std::int64_t>(kTogether, end - k), n - k * kPerBlock);
#pragma omp simd
      for (std::int64_t i = 0; i < count; ++i) out[k * kPerBlock + i] = local(bits[i]);
    }
  });
}

template <class F>
void fill_floating(const char* op, Tensor& x, Generator& generator, F value_of) {
  EG_CHECK(x.is_contiguous(), ShapeError, "[{}] the tensor of shape {} is not contiguous", op, x.shape());
  x.note_inplace_change(op);
  EG_CHECK(is_floating(x.dtype()), DtypeError, "[{}] expected a floating tensor, found {}", op, x.dtype());
  dispatch_stored(x.dtype(), [&]<class T>() {
    fill(x.raw<T>(), x.numel(), generator, [&](std::uint64_t bits) { return static_cast<T>(value_of(bits)); });
  });
}

}  // namespace

double normal_quantile(double p) {
  static constexpr double a[] = {3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
                                 1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
                                 3.3430575583588128105e4, 2.5090809287301226727e3};
  static constexpr double b[] = {1.0,
                                 4.2313330701600911252e1,
                                 6.8718700749205790830e2,
                                 5.3941960214247511077e3,
                                 2.1213794301586595867e4,
                                 3.9307895800092710610e4,
                                 2.8729085735721942674e4,
                                 5.2264952788528545610e3};
  static constexpr double c[] = {1.42343711074968357734e0,  4.63033784615654529590e0, 5.76949722146069140550e0,
                                 3.64784832476320460504e0,  1.27045825245236838258e0, 2.41780725177450611770e-1,
                                 2.27238449892691845833e-2, 7.74545014278341407640e-4};
  static constexpr double d[] = {1.0,
                                 2.05319162663775882187e0,
                                 1.67638483018380384940e0,
                                 6.89767334985100004550e-1,
                                 1.48103976427480074590e-1,
                                 1.51986665636164571966e-2,
                                 5.47593808499534494600e-4,
                                 1.05075007164441684324e-9};
  static constexpr double e[] = {6.65790464350110377720e0,  5.46378491116411436990e0,  1.78482653991729133580e0,
                                 2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                 2.71155556874348757815e-5, 2.01033439929228813265e-7};
  static constexpr double f[] = {1.0,
                                 5.99832206555887937690e-1,
                                 1.36929880922735805310e-1,
                                 1.48753612908506148525e-2,
                                 7.86869131145613259100e-4,
                                 1.84631831751005468180e-5,
                                 1.42151175831644588870e-7,
                                 2.04426310338993978564e-15};
  const double q = p - 0.5;
  if (std::abs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return q * polynomial(a, r) / polynomial(b, r);
  }
  const double r = std::sqrt(-log_below_one(q < 0 ? p : 1 - p));
  const double x =
      r <= 5 ? polynomial(c, r - 1.6) / polynomial(d, r - 1.6) : polynomial(e, r - 5) / polynomial(f, r - 5);
  return q < 0 ? -x : x;
}

std::uint64_t Generator::stream_id(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

Generator::Block Generator::block(std::uint64_t offset) const {
  const Blocks<1> one(seed(), stream_, offset);
  return {{one.words[0][0], one.words[1][0], one.words[2][0], one.words[3][0]}};
}

std::uint32_t Generator::next_u32() { return block(reserve(1)).word[0]; }
std::uint64_t Generator::next_u64() { return block(reserve(1)).u64(0); }
double Generator::uniform() { return unit_interval(next_u64()); }
double Generator::normal() { return normal_quantile(open_unit_interval(next_u64())); }

std::uint64_t Generator::below(std::uint64_t n) {
  EG_CHECK(n >= 1, ValueError, "[below] expected n of at least 1, found 0");
  const std::uint64_t uneven =
      -n % n;  // 2^64 mod n: so many values are drawn again, that the others are equally likely
  while (true) {
    const std::uint64_t value = next_u64();
    if (value >= uneven) return value % n;
  }
}

Generator& default_generator() {
  static Generator generator(0);
  return generator;
}

void manual_seed(std::uint64_t seed) { default_generator().set_seed(seed); }

namespace {

// The number of the given type that comes before `high` on the way from `low`.
double number_below(double high, double low, Dtype dtype) {
  if (dtype == kFloat64) return std::nextafter(high, low);
  if (dtype == kFloat32) return static_cast<double>(std::nextafter(static_cast<float>(high), static_cast<float>(low)));
  BFloat16 below(high);
  if (low < high && below >= high) below.bits += below > 0 ? -1 : 1;
  if (low < high && high == 0) below.bits = 0x8001;
  return below;
}

}  // namespace

void fill_uniform(Tensor& x, double low, double high, Generator& generator) {
  const double width = high - low;
  EG_CHECK(std::isfinite(low) && std::isfinite(width) && width >= 0, ValueError,
           "[fill_uniform] expected finite limits in order, found {} and {}", low, high);
  const bool narrow = x.dtype() != kFloat64;
  const double below_high = number_below(high, low, x.dtype());
  fill_floating("fill_uniform", x, generator, [=](std::uint64_t bits) {
    const double unit = narrow ? static_cast<double>(bits >> 40) * 0x1p-24 : unit_interval(bits);
    // Rounding must not bring out the upper limit.
    return std::min(low + width * unit, below_high);
  });
}

void fill_normal(Tensor& x, double mean, double std, Generator& generator) {
  EG_CHECK(std::isfinite(mean) && std::isfinite(std) && std >= 0, ValueError,
           "[fill_normal] expected a finite mean and a standard deviation of at least 0, found {} and {}", mean, std);
  const bool narrow = x.dtype() != kFloat64;
  fill_floating("fill_normal", x, generator, [=](std::uint64_t bits) {
    const double unit = narrow ? (static_cast<double>(bits >> 32) + 0.5) * 0x1p-32 : open_unit_interval(bits);
    return mean + std * normal_quantile(unit);
  });
}

void fill_bernoulli(Tensor& x, double p, Generator& generator) {
  EG_CHECK(p >= 0 && p <= 1, ValueError, "[fill_bernoulli] expected a probability in [0, 1], found {}", p);
  const bool narrow = x.dtype() != kFloat64;
  fill_floating("fill_bernoulli", x, generator, [=](std::uint64_t bits) {
    return (narrow ? static_cast<double>(bits >> 32) * 0x1p-32 : unit_interval(bits)) < p ? 1.0 : 0.0;
  });
}

void fill_randint(Tensor& x, std::int64_t low, std::int64_t high, Generator& generator) {
  EG_CHECK(low < high, ValueError, "[fill_randint] expected low < high, found {} and {}", low, high);
  const std::uint64_t range = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  for (std::int64_t& value : x.mutable_data<std::int64_t>())
    value = static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + generator.below(range));
}

Tensor rand(const Shape& shape, Dtype dtype, Generator& generator) {
  Tensor x = empty(shape, dtype);
  fill_uniform(x, 0, 1, generator);
  return x;
}

Tensor randn(const Shape& shape, Dtype dtype, Generator& generator) {
  Tensor x = empty(shape, dtype);
  fill_normal(x, 0, 1, generator);
  return x;
}

Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape, Generator& generator) {
  Tensor x = empty(shape, kInt64);
  fill_randint(x, low, high, generator);
  return x;
}

namespace {

// A column, by the sum of the weights before it. `total` is the sum of all.
std::size_t draw(const std::vector<double>& weights, double total, Generator& generator) {
  double rest = generator.uniform() * total;
  std::size_t last = 0;  // the last that can be drawn, should rounding leave a rest
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] == 0) continue;
    last = i;
    if (rest < weights[i]) return i;
    rest -= weights[i];
  }
  return last;
}

}  // namespace

Tensor multinomial(const Tensor& weights, std::int64_t samples, bool replacement, Generator& generator) {
  EG_CHECK(is_floating(weights.dtype()), DtypeError, "[multinomial] expected floating weights, found {}",
           weights.dtype());
  EG_CHECK(weights.dim() == 1 || weights.dim() == 2, ShapeError,
           "[multinomial] expected weights [K] or [N, K], found {}", weights.shape());
  EG_CHECK(samples >= 1, ValueError, "[multinomial] expected at least 1 sample, found {}", samples);
  const auto columns = static_cast<std::size_t>(weights.size(-1));
  const std::int64_t rows = weights.dim() == 2 ? weights.size(0) : 1;
  const Tensor result = empty(weights.dim() == 2 ? Shape{rows, samples} : Shape{samples}, kInt64);
  std::vector<double> all;
  dispatch_stored(weights.dtype(), [&]<class T>() {
    const std::vector<T> values = weights.to_vector<T>();
    all.assign(values.begin(), values.end());
  });
  auto* out = result.raw<std::int64_t>();
  for (std::int64_t row = 0; row < rows; ++row) {
    const auto first = all.begin() + row * static_cast<std::int64_t>(columns);
    std::vector<double> left(first, first + static_cast<std::int64_t>(columns));
    std::int64_t possible = 0;
    for (const double weight : left) {
      EG_CHECK(weight >= 0 && std::isfinite(weight), ValueError,
               "[multinomial] found the weight {}, expected finite ones of at least 0", weight);
      possible += weight > 0;
    }
    EG_CHECK(possible >= (replacement ? 1 : samples), ValueError,
             "[multinomial] {} weights above 0 are too few for {} samples", possible, samples);
    double total = std::accumulate(left.begin(), left.end(), 0.0);
    for (std::int64_t i = 0; i < samples; ++i) {
      const std::size_t column = draw(left, total, generator);
      *out++ = static_cast<std::int64_t>(column);
      if (replacement) continue;
      left[column] = 0;
      total = std::accumulate(left.begin(), left.end(), 0.0);
    }
  }
  return result;
}

Tensor randperm(std::int64_t n, Generator& generator) {
  Tensor x = arange(n);
  const std::span<std::int64_t> values = x.mutable_data<std::int64_t>();
  for (std::size_t i = values.size(); i > 1; --i)
    std::swap(values[i - 1], values[generator.below(i)]);  // Fisher and Yates
  return x;
}

}  // namespace eigengrad
