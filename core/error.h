// The exceptions of Eigengrad. A message says where (op, file, JSON pointer), what was found, what was expected.
#pragma once

#include <stdexcept>

namespace eigengrad {

/// Base of every exception that Eigengrad throws.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Shapes that do not fit an op, or each other.
class ShapeError : public Error {
 public:
  using Error::Error;
};

/// An element type that an op does not take.
class DtypeError : public Error {
 public:
  using Error::Error;
};

/// An index, axis or label out of its range.
class IndexError : public Error {
 public:
  using Error::Error;
};

/// An argument whose value is out of range (a probability of 2, a stride of 0).
class ValueError : public Error {
 public:
  using Error::Error;
};

/// Misuse of automatic differentiation.
class GradError : public Error {
 public:
  using Error::Error;
};

/// A configuration that cannot be used. The message lists every mistake, each with its JSON pointer.
class ConfigError : public Error {
 public:
  using Error::Error;
};

/// A file whose contents are not what its format promises.
class FormatError : public Error {
 public:
  using Error::Error;
};

/// The operating system refused to read or write.
class IoError : public Error {
 public:
  using Error::Error;
};

/// Memory that could not be had.
class MemoryError : public Error {
 public:
  using Error::Error;
};

}  // namespace eigengrad
