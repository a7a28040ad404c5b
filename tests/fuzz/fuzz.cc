// One libFuzzer target: EIGENGRAD_READER says which reader.
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/readers.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static eigengrad::fuzz::MemoryFile file;
  static const eigengrad::fuzz::Reader& reader = eigengrad::fuzz::find_reader(EIGENGRAD_READER);
  file.fill(bytes, size);
  eigengrad::fuzz::refusal_of(reader, file.path());
  return 0;
}
