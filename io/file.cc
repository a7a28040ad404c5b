#include "eigengrad/io/file.h"

#include <fcntl.h>
#include <unistd.h>
#define XXH_INLINE_ALL  // of the library only the header is needed
#include <xxhash.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

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
  throw IoError(fmt::format("cannot {} {}: {}", what, printable(path), std::strerror(error)));
}

// The checksum of what is given to it piece by piece.
class Checksum {
 public:
  Checksum() { XXH3_128bits_reset(&state_); }
  void add(std::string_view bytes) { XXH3_128bits_update(&state_, bytes.data(), bytes.size()); }
  std::string text() const {
    const XXH128_hash_t hash = XXH3_128bits_digest(&state_);
    return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
  }

 private:
  XXH3_state_t state_;
};

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno != EINTR) return false;
    if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

// Small pieces go together.
bool write_pieces(int fd, std::span<const std::string_view> pieces) {
  constexpr std::size_t kTogether = std::size_t{1} << 16;
  std::string waiting;
  for (const std::string_view piece : pieces) {
    if (waiting.size() + piece.size() > kTogether && !write_all(fd, std::exchange(waiting, {}))) return false;
    if (piece.size() <= kTogether)
      waiting += piece;
    else if (!write_all(fd, piece))
      return false;
  }
  return write_all(fd, waiting);
}

// A name of its own in the folder of `path`.
std::string temporary_name(const std::string& path) {
  static std::atomic<unsigned> counter{0};
  return fmt::format("{}.{}.{}.tmp", path, ::getpid(), counter.fetch_add(1));
}

void sync_folder(const std::string& folder) {
  const Descriptor descriptor(folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY);
  if (descriptor.get() < 0 || ::fsync(descriptor.get()) != 0) fail("sync", folder);
}

void sync_folder_of(const std::string& path) { sync_folder(std::filesystem::path(path).parent_path().string()); }

// The lock of a whole file. It belongs to the open file and not to the process, as that of flock() does, and can be
// asked about without being taken.
struct flock lock_of_all() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

constexpr const char* kLockFile = ".lock";

}  // namespace

std::string file_in(const std::string& folder, std::string_view file) {
  return (std::filesystem::path(folder) / file).string();
}

Written write_file(const std::string& path, std::span<const std::string_view> pieces) {
  const std::string temporary = temporary_name(path);
  Descriptor file(temporary, O_WRONLY | O_CREAT | O_EXCL);
  if (file.get() < 0) fail("write", path);
  bool good = write_pieces(file.get(), pieces);
  good = good && ::fsync(file.get()) == 0 && file.close() && ::rename(temporary.c_str(), path.c_str()) == 0;
  if (!good) {
    const int error = errno;
    ::unlink(temporary.c_str());
    errno = error;
    fail("write", path);
  }
  sync_folder_of(path);
  Checksum sum;
  std::uint64_t bytes = 0;
  for (const std::string_view piece : pieces) sum.add(piece), bytes += piece.size();
  return {bytes, sum.text()};
}

Written write_file(const std::string& path, std::string_view text) { return write_file(path, std::span(&text, 1)); }

void make_folders(const std::string& path) {
  namespace fs = std::filesystem;
  std::vector<fs::path> missing;
  std::error_code error;
  for (fs::path folder = fs::absolute(path).lexically_normal(); !folder.empty() && !fs::exists(folder, error);
       folder = folder.parent_path())
    if (folder.has_filename()) missing.push_back(folder);
  for (; !missing.empty(); missing.pop_back()) {
    fs::create_directory(missing.back(), error);
    EG_CHECK(!error, IoError, "cannot make the folder {}: {}", printable(path), error.message());
    sync_folder_of(missing.back().string());
  }
  EG_CHECK(fs::is_directory(path, error), IoError, "cannot make the folder {}: there is something else of that name",
           printable(path));
}

void publish_folder(const std::string& temporary, const std::string& path) {
  sync_folder(temporary);
  if (::rename(temporary.c_str(), path.c_str()) != 0) fail("make", path);
  sync_folder_of(path);
}

void remove_temporaries(const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  std::vector<fs::path> found;
  if (!fs::exists(folder, error)) return;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    if (entry->path().extension() == ".tmp") found.push_back(entry->path());
  for (const fs::path& path : found)
    if (!error) fs::remove_all(path, error);
  EG_CHECK(!error, IoError, "cannot tidy {}: {}", printable(folder), error.message());
}

FolderLock::FolderLock(const std::string& folder)
    : fd_(::open(file_in(folder, kLockFile).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
  if (fd_ < 0) fail("write to", folder);
  const struct flock lock = lock_of_all();
  if (::fcntl(fd_, F_OFD_SETLK, &lock) == 0) return;
  const int error = errno;
  ::close(fd_);
  EG_CHECK(error != EAGAIN && error != EACCES, IoError, "another run is at work in {}", printable(folder));
  errno = error;
  fail("lock", folder);
}

FolderLock::~FolderLock() { ::close(fd_); }

bool is_locked(const std::string& folder) {
  const Descriptor file(file_in(folder, kLockFile), O_RDONLY | O_NONBLOCK);
  struct flock lock = lock_of_all();
  return file.get() >= 0 && ::fcntl(file.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

std::string checksum(std::string_view bytes) {
  Checksum sum;
  sum.add(bytes);
  return sum.text();
}

std::string checksum_of_file(const std::string& path) {
  RegularFile file(path);
  Checksum sum;
  std::vector<std::uint8_t> block(std::clamp<std::uint64_t>(file.size(), 1, std::size_t{1} << 18));
  while (const std::size_t got = file.read(block)) sum.add({reinterpret_cast<const char*>(block.data()), got});
  return sum.text();
}

std::string read_file(const std::string& path, std::size_t max_bytes) {
  RegularFile file(path);
  EG_CHECK(file.size() <= max_bytes, FormatError, "{} has {} bytes, more than the {} allowed", file.name(), file.size(),
           max_bytes);
  return file.read_all();
}

}  // namespace eigengrad::io
