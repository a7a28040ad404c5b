// What the headers of ops/ declare, read from the files.
#pragma once

#include <string>
#include <vector>

namespace eigengrad::tests {

/// Declarations under one comment: overloads, or functions that belong together; or a type.
struct Declarations {
  std::string comment;                 ///< without slashes; lines are joined, paragraphs are not
  std::vector<std::string> code;       ///< one entry for each declaration, without function bodies
  std::vector<std::string> functions;  ///< the name that each declares, none for types
};

struct Header {
  std::string name;     ///< "arithmetic"
  std::string comment;  ///< at its head
  std::vector<Declarations> groups;
};

/// All headers of ops/ that declare functions, in alphabetical order.
std::vector<Header> op_headers();

}  // namespace eigengrad::tests
