// A file in memory, with a path by which it can be opened.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace eigengrad::fuzz {

class MemoryFile {
 public:
  MemoryFile() : fd_(memfd_create("eigengrad", MFD_CLOEXEC)), path_("/proc/self/fd/" + std::to_string(fd_)) {
    if (fd_ < 0) throw std::runtime_error("there is no file in memory to be had");
  }
  ~MemoryFile() { ::close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  /// Replaces the contents.
  void fill(const std::uint8_t* bytes, std::size_t size) {
    if (pwrite(fd_, bytes, size, 0) != static_cast<ssize_t>(size) ||
        (size < size_ && ftruncate(fd_, static_cast<off_t>(size)) != 0))
      throw std::runtime_error("the file in memory cannot be written");
    size_ = size;
  }
  const std::string& path() const { return path_; }

 private:
  const int fd_;
  const std::string path_;
  std::size_t size_ = 0;
};

}  // namespace eigengrad::fuzz
