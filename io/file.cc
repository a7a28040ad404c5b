#include "eigengrad/io/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "eigengrad/core/check.h"
#include "eigengrad/core/file.h"

namespace eigengrad::io {
namespace {

class Descriptor {
 public:
  Descriptor(const std::string& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool close() { return ::close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_;
};

[[noreturn]] void fail(const char* what, const std::string& path) {
  const int error = errno;
  throw IoError(fmt::format("cannot {} {}: {}", what, path, std::strerror(error)));
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno != EINTR) return false;
    if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

// A name of its own in the folder of `path`.
std::string temporary_name(const std::string& path) {
  static std::atomic<unsigned> counter{0};
  return fmt::format("{}.{}.{}.tmp", path, ::getpid(), counter.fetch_add(1));
}

void sync_folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const Descriptor descriptor(folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY);
  if (descriptor.get() < 0 || ::fsync(descriptor.get()) != 0) fail("sync the folder of", path);
}

}  // namespace

void write_file(const std::string& path, std::span<const std::string_view> pieces) {
  const std::string temporary = temporary_name(path);
  Descriptor file(temporary, O_WRONLY | O_CREAT | O_EXCL);
  if (file.get() < 0) fail("write", path);
  bool good = true;
  for (const std::string_view piece : pieces) good = good && write_all(file.get(), piece);
  good = good && ::fsync(file.get()) == 0 && file.close() && ::rename(temporary.c_str(), path.c_str()) == 0;
  if (!good) {
    const int error = errno;
    ::unlink(temporary.c_str());
    errno = error;
    fail("write", path);
  }
  sync_folder_of(path);
}

void write_file(const std::string& path, std::string_view text) { write_file(path, std::span(&text, 1)); }

std::string read_file(const std::string& path, std::size_t max_bytes) {
  RegularFile file(path);
  EG_CHECK(file.size() <= max_bytes, FormatError, "{} has {} bytes, more than the {} allowed", file.name(), file.size(),
           max_bytes);
  return file.read_all();
}

}  // namespace eigengrad::io
