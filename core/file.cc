#include "eigengrad/core/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "eigengrad/core/check.h"
#include "eigengrad/core/utf8.h"

namespace eigengrad {

std::string printable(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    // Most of it is plain, and goes as it is.
    const auto plain = std::find_if(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c >= 0x7f; });
    result.append(text.begin(), plain);
    text.remove_prefix(static_cast<std::size_t>(plain - text.begin()));
    if (text.empty()) break;
    const std::size_t length = utf8_length(text, 0);
    // Controls are below 0x20, 0x7f, and U+0080 to U+009F.
    const bool control = length < 2 || (text[0] == '\xC2' && text.substr(0, 2) < "\xC2\xA0");
    if (!control)
      result += text.substr(0, length);
    else
      for (const char c : text.substr(0, std::max<std::size_t>(1, length)))
        result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    text.remove_prefix(std::max<std::size_t>(1, length));
  }
  return result;
}

RegularFile::RegularFile(const std::string& path) : name_(printable(path)) {
  EG_CHECK(path.find('\0') == std::string::npos, IoError, "cannot read {}: the name has a zero byte in it", name_);
  // Without O_NONBLOCK, opening a FIFO waits for a writer.
  fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd_ < 0) fail();
  try {
    struct stat status {};
    if (::fstat(fd_, &status) != 0) fail();
    EG_CHECK(S_ISREG(status.st_mode), IoError, "cannot read {}: it is not a regular file", name_);
    size_ = static_cast<std::uint64_t>(status.st_size);
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

RegularFile::~RegularFile() { ::close(fd_); }

std::size_t RegularFile::read(std::span<std::uint8_t> out) {
  while (true) {
    const ssize_t got = ::read(fd_, out.data(), out.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) fail();
  }
}

std::string RegularFile::read_all() {
  std::string text(size_, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const std::size_t got = read({reinterpret_cast<std::uint8_t*>(text.data()) + size, text.size() - size});
    if (got == 0) break;
    size += got;
  }
  text.resize(size);
  return text;
}

void RegularFile::fail() const {
  const int error = errno;
  throw IoError(fmt::format("cannot read {}: {}", name_, std::strerror(error)));
}

}  // namespace eigengrad
