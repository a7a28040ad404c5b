// The libFuzzer targets: one program, which takes the reader from the name that it is called by, fuzz_png for png.
#include <filesystem>

#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/readers.h"

// Little is remembered of memory that is free: filling the quarantine anew would take most of the time.
extern "C" const char* __asan_default_options() { return "quarantine_size_mb=1:malloc_context_size=1"; }

namespace {
const eigengrad::fuzz::Reader* reader;
}

extern "C" int LLVMFuzzerInitialize(int*, char*** argv) {
  const std::string name = std::filesystem::path((*argv)[0]).filename();
  reader = &eigengrad::fuzz::find_reader(name.substr(name.find('_') + 1));
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static eigengrad::fuzz::MemoryFile file;
  file.fill(bytes, size);
  eigengrad::fuzz::refusal_of(*reader, file.path());
  return 0;
}
