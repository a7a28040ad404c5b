// Element types, and the scalar numbers of a C++ program.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "eigengrad/core/bfloat16.h"

namespace eigengrad {

/// The element types, in the order of promotion.
enum class Dtype : std::uint8_t { Bool, Int64, BFloat16, Float32, Float64 };

inline constexpr Dtype kBool = Dtype::Bool;          ///< true or false, in one byte
inline constexpr Dtype kInt64 = Dtype::Int64;        ///< whole numbers of 64 bits
inline constexpr Dtype kBFloat16 = Dtype::BFloat16;  ///< the upper half of a float32: see bfloat16.h
inline constexpr Dtype kFloat32 = Dtype::Float32;    ///< IEEE 754 single precision
inline constexpr Dtype kFloat64 = Dtype::Float64;    ///< IEEE 754 double precision

/// "float32" and so on.
std::string_view to_string(Dtype dtype);

/// Bytes of one element.
constexpr std::size_t size_of(Dtype dtype) {
  constexpr std::size_t kSizes[] = {1, 8, 2, 4, 8};
  return kSizes[static_cast<std::size_t>(dtype)];
}

/// Whether it is bfloat16, float32 or float64.
constexpr bool is_floating(Dtype dtype) { return dtype >= Dtype::BFloat16; }

/// The type that holds both, by PyTorch's table: bool < int64 < bfloat16 < float32 < float64.
constexpr Dtype promote_types(Dtype a, Dtype b) { return a < b ? b : a; }

/// A C++ type that elements of tensors have.
template <class T>
concept Element = std::same_as<T, float> || std::same_as<T, double> || std::same_as<T, std::int64_t> ||
                  std::same_as<T, bool> || std::same_as<T, BFloat16>;

/// The Dtype of a C++ element type.
template <Element T>
inline constexpr Dtype dtype_of = std::same_as<T, float>      ? Dtype::Float32
                                  : std::same_as<T, double>   ? Dtype::Float64
                                  : std::same_as<T, BFloat16> ? Dtype::BFloat16
                                  : std::same_as<T, bool>     ? Dtype::Bool
                                                              : Dtype::Int64;

/// A number written in the program: it takes the dtype of the tensors that it meets, unless its kind is a higher one
/// (bool < integer < floating), in which case the result is int64 or float32.
class Scalar {
 public:
  /// Of any number of C++.
  template <class T>
  requires std::is_arithmetic_v<T>
  constexpr Scalar(T value)
      : kind_(std::same_as<T, bool> ? Kind::Bool
              : std::integral<T>    ? Kind::Integer
                                    : Kind::Floating) {
    if constexpr (std::integral<T>)
      integer_ = static_cast<std::int64_t>(value);
    else
      floating_ = static_cast<double>(value);
  }

  /// The dtype of a tensor made of this scalar alone.
  constexpr Dtype dtype() const {
    return kind_ == Kind::Bool ? Dtype::Bool : kind_ == Kind::Integer ? Dtype::Int64 : Dtype::Float32;
  }
  /// The dtype of an op between a tensor of type `other` and this scalar.
  constexpr Dtype promoted_with(Dtype other) const {
    if (kind_ == Kind::Floating) return is_floating(other) ? other : Dtype::Float32;
    if (kind_ == Kind::Integer) return other == Dtype::Bool ? Dtype::Int64 : other;
    return other;
  }
  /// The number as a T, by static_cast.
  template <class T>
  constexpr T to() const {
    return kind_ == Kind::Floating ? static_cast<T>(floating_) : static_cast<T>(integer_);
  }

 private:
  enum class Kind : std::uint8_t { Bool, Integer, Floating };
  Kind kind_;
  union {
    std::int64_t integer_;
    double floating_;
  };
};

}  // namespace eigengrad
