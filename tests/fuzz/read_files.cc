// read_files READER FILE...: gives files to a reader, and says for each what came of it, "taken" or "refused: …"; then
// the most memory that this process has had in use, "peak: 12345 kB". Ends with 1 when an exception of another kind
// comes out, or a check fails. Without arguments it names the readers.
#include <exception>
#include <fstream>
#include <iostream>
#include <string>

#include "tests/fuzz/readers.h"

namespace {

// Of this program alone: getrusage() also counts what the process was before it.
std::string peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return line.substr(line.find_first_of("0123456789"));
  return "unknown";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 1)
    for (const eigengrad::fuzz::Reader& reader : eigengrad::fuzz::readers()) std::cout << reader.name << "\n";
  if (argc == 1) return 0;
  try {
    const eigengrad::fuzz::Reader& reader = eigengrad::fuzz::find_reader(argv[1]);
    for (int i = 2; i < argc; ++i) {
      const std::string refusal = eigengrad::fuzz::refusal_of(reader, argv[i]);
      std::cout << (refusal.empty() ? "taken" : "refused: " + refusal) << "\n";
    }
    std::cout << "peak: " << peak_memory() << std::endl;
  } catch (const std::exception& error) {
    std::cerr << "not a refusal: " << error.what() << std::endl;
    return 1;
  }
  return 0;
}
