#include "tests/ops/declarations.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <utility>

namespace eigengrad::tests {
namespace {

bool starts(const std::string& line, const char* what) { return line.rfind(what, 0) == 0; }

std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// Adds a line of a comment; an empty one begins a paragraph.
void append(std::string& comment, const std::string& line, std::size_t slashes) {
  const std::string text = line.size() > slashes + 1 ? line.substr(slashes + 1) : "";
  if (text.empty())
    comment += "\n\n";
  else
    comment += (comment.empty() || comment.back() == '\n' ? "" : " ") + text;
}

// The name of the function that the code declares, or none.
std::string function_name(const std::string& code) {
  static const std::regex declaration(
      R"(^(?:Tensor&?|std::vector<Tensor>|ValuesIndices|\w+Result|bool|void|Dtype) (operator[^\s(]+|\w+)\()");
  std::smatch match;
  return std::regex_search(code, match, declaration) ? match[1].str() : "";
}

// Reads one declaration from lines[i] on, and leaves i behind it. Bodies of functions are left out.
std::string read_declaration(const std::vector<std::string>& lines, std::size_t& i) {
  const bool is_type = starts(lines[i], "struct ") || starts(lines[i], "enum ") || starts(lines[i], "class ");
  std::string code;
  for (int depth = 0; i < lines.size();) {
    const std::string& line = lines[i++];
    code += (code.empty() ? "" : "\n") + line;
    depth += static_cast<int>(std::count(line.begin(), line.end(), '{') - std::count(line.begin(), line.end(), '}'));
    if (depth == 0 && !line.empty() && (line.back() == ';' || line.back() == '}')) break;
  }
  if (starts(code, "inline ")) code.erase(0, 7);
  if (const std::size_t body = code.find(") {"); !is_type && body != std::string::npos)
    code = code.substr(0, body + 1) + ";";
  return code;
}

Header read(const std::filesystem::path& path) {
  const std::vector<std::string> lines = lines_of(path);
  Header header{.name = path.stem().string(), .comment = "", .groups = {}};
  std::size_t i = 0;
  for (; i < lines.size() && starts(lines[i], "//"); ++i) append(header.comment, lines[i], 2);
  while (i < lines.size() && !starts(lines[i], "namespace")) ++i;
  bool begins = true;  // the next declaration begins a group
  std::string comment;
  for (++i; i < lines.size() && !starts(lines[i], "}  // namespace");) {
    const std::string& line = lines[i];
    if (starts(line, "//")) {
      if (comment.empty()) begins = true;
      if (starts(line, "///")) append(comment, line, 3);
      ++i;
    } else if (line.empty()) {
      begins = true;
      comment.clear();
      ++i;
    } else {
      if (begins) header.groups.push_back({comment, {}, {}});
      begins = false;
      comment.clear();
      Declarations& group = header.groups.back();
      group.code.push_back(read_declaration(lines, i));
      if (const std::string name = function_name(group.code.back()); !name.empty()) group.functions.push_back(name);
    }
  }
  return header;
}

}  // namespace

std::vector<Header> op_headers() {
  std::vector<Header> headers;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(EIGENGRAD_SOURCE_DIR) / "ops")) {
    if (entry.path().extension() != ".h" || entry.path().stem() == "engine") continue;  // which declares no op
    Header header = read(entry.path());
    const auto declares = [](const Declarations& group) { return !group.functions.empty(); };
    if (std::any_of(header.groups.begin(), header.groups.end(), declares)) headers.push_back(std::move(header));
  }
  std::sort(headers.begin(), headers.end(), [](const Header& a, const Header& b) { return a.name < b.name; });
  return headers;
}

}  // namespace eigengrad::tests
