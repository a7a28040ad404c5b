// The arguments of ops: tensors, with the place in the user's source where the op was called.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <source_location>
#include <span>
#include <string>
#include <vector>

#include "eigengrad/core/tensor.h"
#include "eigengrad/core/thread_state.h"

namespace eigengrad {

namespace detail {

// The files that were looked at last, by address: of the library, at places by the address, and of somebody else.
inline constexpr std::size_t kLibraryFiles = 16;
inline thread_local constinit std::array<const char*, kLibraryFiles> library_files{};
inline thread_local constinit const char* user_file = nullptr;

inline const char*& library_place(const char* file) noexcept {
  return library_files[reinterpret_cast<std::uintptr_t>(file) / 8 % kLibraryFiles];
}

/// Tells which of the two a file is, and remembers it there.
bool is_of_library(const char* file) noexcept;

}  // namespace detail

/// Remembers where an op was called, unless that was within the library: ops made of ops, and modules, leave the place
/// that their caller has set. Nodes keep it (Node::site).
inline void note_call_site(std::source_location at) noexcept {
  const char* const file = at.file_name();
  if (file == detail::library_place(file)) return;
  if (file != detail::user_file && detail::is_of_library(file)) return;
  thread_state.site = at;
}

/// While it lives, ops that the library itself calls belong to `site`, or to no place: for loops that run models, which
/// must not name the last call before they began. Afterwards the place is what it was.
class CallSiteGuard {
 public:
  /// `site` is the place; none unless given.
  explicit CallSiteGuard(std::source_location site = {}) noexcept : before_(thread_state.site) {
    thread_state.site = site;
  }
  ~CallSiteGuard() { thread_state.site = before_; }
  CallSiteGuard(const CallSiteGuard&) = delete;
  CallSiteGuard& operator=(const CallSiteGuard&) = delete;

 private:
  const std::source_location before_;
};

/// "main.cc:12", or nothing for a place that is not known.
std::string to_string(const std::source_location& site);

/// A tensor given to an op: `Tensor relu(Arg x)` takes any Tensor, and notes where it is called. Functions of one's own
/// that call apply() may take it likewise. It refers to the tensor, and lives as long as the call.
class Arg {
 public:
  /// Of a tensor; `at` is the place of the call, and is not given.
  Arg(const Tensor& x,  // NOLINT(google-explicit-constructor): relu(x)
      std::source_location at = std::source_location::current()) noexcept
      : x_(&x) {
    note_call_site(at);
  }
  /// The tensor.
  operator const Tensor&() const noexcept { return *x_; }  // NOLINT(google-explicit-constructor)
  const Tensor& operator*() const noexcept { return *x_; }
  const Tensor* operator->() const noexcept { return x_; }

 private:
  const Tensor* x_;
};

/// A number given to an operator that has no other argument to note the place by: `x *= 2`.
class ScalarArg {
 public:
  /// Of a number; `at` is the place of the call, and is not given.
  template <std::convertible_to<Scalar> Number>
  ScalarArg(Number value,  // NOLINT(google-explicit-constructor)
            std::source_location at = std::source_location::current()) noexcept
      : value_(value) {
    note_call_site(at);
  }
  /// The number.
  operator Scalar() const noexcept { return value_; }  // NOLINT(google-explicit-constructor)

 private:
  Scalar value_;
};

/// Any number of tensors: `cat({x, y})`, `cat(tensors)`.
class Args {
 public:
  /// Of tensors, which must live as long as the call; `at` is the place of the call, and is not given.
  Args(std::initializer_list<Tensor> tensors,  // NOLINT(google-explicit-constructor): cat({x, y})
       std::source_location at = std::source_location::current()) noexcept
      : Args(std::span(tensors.begin(), tensors.size()), at) {}
  Args(const std::vector<Tensor>& tensors,  // NOLINT(google-explicit-constructor)
       std::source_location at = std::source_location::current()) noexcept
      : Args(std::span<const Tensor>(tensors), at) {}
  Args(std::span<const Tensor> tensors,  // NOLINT(google-explicit-constructor)
       std::source_location at = std::source_location::current()) noexcept
      : tensors_(tensors) {
    note_call_site(at);
  }
  /// The tensors.
  operator std::span<const Tensor>() const noexcept { return tensors_; }  // NOLINT(google-explicit-constructor)
  bool empty() const noexcept { return tensors_.empty(); }
  std::size_t size() const noexcept { return tensors_.size(); }
  const Tensor& operator[](std::size_t i) const noexcept { return tensors_[i]; }
  auto begin() const noexcept { return tensors_.begin(); }
  auto end() const noexcept { return tensors_.end(); }

 private:
  std::span<const Tensor> tensors_;
};

}  // namespace eigengrad
