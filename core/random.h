// Random numbers whose bits are the same on every compiler and machine, for any number of threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "eigengrad/core/tensor.h"

namespace eigengrad {

/// Philox 4×32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011): the numbers
/// are a function of (seed, stream, offset), so that a generator is saved as three integers and any part of its output
/// can be made by any thread. Using one generator in several threads is safe; their order is then up to the threads.
class Generator {
 public:
  /// Numbers of a seed, and of a stream that has nothing to do with the others of that seed.
  explicit Generator(std::uint64_t seed, std::uint64_t stream = 0) : seed_(seed), stream_(stream) {}
  /// The stream of a name.
  Generator(std::uint64_t seed, std::string_view stream_name) : Generator(seed, stream_id(stream_name)) {}
  Generator(const Generator& other) : Generator(other.seed(), other.stream_) { set_offset(other.offset()); }

  /// The stream for a purpose: a hash of its name (FNV-1a, 64 bits).
  static std::uint64_t stream_id(std::string_view name);

  /// The seed it was made with, or has been given since.
  std::uint64_t seed() const { return seed_.load(std::memory_order_relaxed); }
  /// The number of the stream.
  std::uint64_t stream() const { return stream_; }
  /// How many blocks of 128 bits have been drawn: set it to draw them again.
  std::uint64_t offset() const { return offset_.load(std::memory_order_relaxed); }
  /// Draws from that offset on.
  void set_offset(std::uint64_t offset) { offset_.store(offset, std::memory_order_relaxed); }
  /// Begins the stream of another seed.
  void set_seed(std::uint64_t seed) {
    seed_.store(seed, std::memory_order_relaxed);
    set_offset(0);
  }

  /// 32 random bits.
  std::uint32_t next_u32();
  /// 64 random bits.
  std::uint64_t next_u64();
  /// A number in [0, 1), of 53 bits.
  double uniform();
  /// A number of the standard normal distribution.
  double normal();
  /// A number in [0, n), each equally likely. Throws ValueError unless n ≥ 1.
  std::uint64_t below(std::uint64_t n);

  /// Takes `blocks` blocks for the caller and returns the offset of the first.
  std::uint64_t reserve(std::uint64_t blocks) { return offset_.fetch_add(blocks, std::memory_order_relaxed); }
  /// 128 random bits.
  struct Block {
    std::uint32_t word[4];  ///< in four words
    /// Two words as one: 0 or 1.
    std::uint64_t u64(int half) const { return word[2 * half] | std::uint64_t{word[2 * half + 1]} << 32; }
  };
  /// The block at an offset, without drawing it.
  Block block(std::uint64_t offset) const;

 private:
  std::atomic<std::uint64_t> seed_;
  std::uint64_t stream_;
  std::atomic<std::uint64_t> offset_{0};
};

/// The generator from which everything draws that is not given another: initialisation, dropout. Seeded with 0.
Generator& default_generator();
/// Starts the default generator anew.
void manual_seed(std::uint64_t seed);

/// The quantile of the standard normal distribution for 0 < p < 1: Wichura's algorithm AS 241 (Applied Statistics 37,
/// 1988).
double normal_quantile(double p);

// Filling a contiguous tensor in place. Each throws DtypeError unless it is float32 or float64, ShapeError when it is
// not contiguous, ValueError for impossible parameters, and GradError as in-place changes do.

/// Uniform in [low, high). The limits and their distance must be finite.
void fill_uniform(Tensor& x, double low, double high, Generator& generator = default_generator());
/// Normal, by inversion of the distribution function.
void fill_normal(Tensor& x, double mean, double std, Generator& generator = default_generator());
/// 1 with probability p, else 0. Throws ValueError unless 0 ≤ p ≤ 1.
void fill_bernoulli(Tensor& x, double p, Generator& generator = default_generator());

/// int64 in [low, high), each equally likely, into a contiguous int64 tensor.
void fill_randint(Tensor& x, std::int64_t low, std::int64_t high, Generator& generator = default_generator());

/// Uniform in [0, 1).
Tensor rand(const Shape& shape, Dtype dtype = kFloat32, Generator& generator = default_generator());
/// Standard normal.
Tensor randn(const Shape& shape, Dtype dtype = kFloat32, Generator& generator = default_generator());
/// int64 in [low, high).
Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape, Generator& generator = default_generator());
/// Numbers of columns, int64 [N, samples], drawn with the probabilities that the rows of `weights` [N, K] stand in,
/// floating and not necessarily of sum 1; [samples] for weights [K]. Without replacement a column is drawn once at
/// most. Throws DtypeError, ShapeError, and ValueError for weights that are negative or not finite, and when there are
/// too few above 0.
Tensor multinomial(const Tensor& weights, std::int64_t samples, bool replacement = false,
                   Generator& generator = default_generator());
/// The numbers 0 to n - 1 in random order, int64.
Tensor randperm(std::int64_t n, Generator& generator = default_generator());

}  // namespace eigengrad
