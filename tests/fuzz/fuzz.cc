// The libFuzzer targets: one program, which takes the reader from the name that it is called by, fuzz_png for png.
#include <zlib.h>

#include <filesystem>
#include <string_view>
#include <vector>

#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/readers.h"

// Little is remembered of memory that is free, and new memory is not filled: both would take most of the time.
extern "C" const char* __asan_default_options() {
  return "quarantine_size_mb=1:malloc_context_size=1:max_malloc_fill_size=0";
}

namespace {

const eigengrad::fuzz::Reader* reader;
bool is_png;

// libpng looks no further than a wrong checksum, and changed chunks have such: each gets the right one. (A chunk is its
// length in four bytes, the highest first, four for its type, its data, and four of checksum over type and data.)
void seal_png(std::vector<std::uint8_t>& file) {
  for (std::size_t at = 8; at + 12 <= file.size();) {
    std::uint8_t* const chunk = file.data() + at;
    const std::size_t length = std::size_t{chunk[0]} << 24 | chunk[1] << 16 | chunk[2] << 8 | chunk[3];
    if (length > file.size() - at - 12) return;
    const uLong sum = crc32(0, chunk + 4, static_cast<uInt>(4 + length));
    for (std::size_t i = 0; i < 4; ++i) chunk[8 + length + i] = static_cast<std::uint8_t>(sum >> (24 - 8 * i));
    at += 12 + length;
  }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char*** argv) {
  const std::string name = std::filesystem::path((*argv)[0]).filename();
  reader = &eigengrad::fuzz::find_reader(name.substr(name.find('_') + 1));
  is_png = std::string_view(reader->name) == "png";
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static eigengrad::fuzz::MemoryFile file;
  if (is_png) {
    std::vector<std::uint8_t> sealed(bytes, bytes + size);
    seal_png(sealed);
    file.fill(sealed.data(), size);
  } else {
    file.fill(bytes, size);
  }
  eigengrad::fuzz::refusal_of(*reader, file.path());
  return 0;
}
