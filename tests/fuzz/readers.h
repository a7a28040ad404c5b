// Everything of Eigengrad that reads files of others, behind one interface: for fuzzers, and for tests with hostile
// files.
#pragma once

#include <span>
#include <string>

namespace eigengrad::fuzz {

/// What may come out of a reader: a value, or an exception that says what is wrong with the file. Anything else, and a
/// value that is not what it should be, is a bug.
struct Reader {
  const char* name;
  /// Reads the file, and checks what came of it. Throws what the reader throws, and std::logic_error when the check
  /// fails.
  void (*read)(const std::string& path);
};

std::span<const Reader> readers();
/// Throws std::invalid_argument when there is none of that name.
const Reader& find_reader(const std::string& name);

/// Runs a reader. Returns what it said against the file, or nothing when it took it. Whatever else it throws goes
/// through.
std::string refusal_of(const Reader& reader, const std::string& path);

}  // namespace eigengrad::fuzz
