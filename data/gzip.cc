#include "eigengrad/data/gzip.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "eigengrad/core/check.h"

namespace eigengrad::data {
namespace {

// A regular file, read in order.
class File {
 public:
  explicit File(const std::string& path) : path_(path), fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (fd_ < 0) fail();
    struct stat status {};
    const bool known = ::fstat(fd_, &status) == 0;
    if (known && S_ISREG(status.st_mode)) return;
    const int error = errno;
    ::close(fd_);
    errno = error;
    if (!known) fail();
    throw IoError(fmt::format("cannot read {}: it is not a regular file", path_));
  }
  ~File() { ::close(fd_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  std::size_t read(std::uint8_t* out, std::size_t count) {
    while (true) {
      const ssize_t got = ::read(fd_, out, count);
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EINTR) fail();
    }
  }

 private:
  [[noreturn]] void fail() const {
    const int error = errno;
    throw IoError(fmt::format("cannot read {}: {}", path_, std::strerror(error)));
  }

  const std::string& path_;
  const int fd_;
};

// The bytes of a file in order, unpacked when it is packed.
class Source {
 public:
  explicit Source(const std::string& path) : path_(path), file_(path) {
    fill();
    packed_ = available_ >= 2 && input_[0] == 0x1f && input_[1] == 0x8b;
    if (packed_ && inflateInit2(&stream_, 16 + MAX_WBITS) != Z_OK) throw MemoryError("[gzip] no memory to unpack");
  }
  ~Source() {
    if (packed_) inflateEnd(&stream_);
  }
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  // Fewer than `count` bytes only at the end.
  std::size_t read(std::uint8_t* out, std::size_t count) {
    std::size_t done = 0;
    while (done < count) {
      const std::size_t got = packed_ ? unpack(out + done, count - done) : copy(out + done, count - done);
      if (got == 0) break;
      done += got;
    }
    return done;
  }
  std::size_t offset() const { return consumed_; }

 private:
  void fill() {
    if (available_ > 0) return;
    next_ = 0;
    available_ = file_.read(input_, sizeof input_);
  }
  void consume(std::size_t count) {
    next_ += count;
    available_ -= count;
    consumed_ += count;
  }
  std::size_t copy(std::uint8_t* out, std::size_t count) {
    fill();
    const std::size_t size = std::min(count, available_);
    std::copy_n(input_ + next_, size, out);
    consume(size);
    return size;
  }
  std::size_t unpack(std::uint8_t* out, std::size_t count) {
    if (ended_) return 0;
    stream_.next_out = out;
    stream_.avail_out = static_cast<uInt>(std::min<std::size_t>(count, 1 << 30));
    const uInt wanted = stream_.avail_out;
    while (stream_.avail_out == wanted) {
      fill();
      EG_CHECK(available_ > 0, FormatError, "{}: the gzip data end after {} bytes, in the middle of a stream", path_, consumed_);
      stream_.next_in = input_ + next_;
      stream_.avail_in = static_cast<uInt>(available_);
      const int status = inflate(&stream_, Z_NO_FLUSH);
      consume(available_ - stream_.avail_in);
      if (status == Z_STREAM_END) {
        next_member();
        if (ended_) break;
        continue;
      }
      EG_CHECK(status == Z_OK || status == Z_BUF_ERROR, FormatError, "{}: the gzip data are damaged at byte {}: {}", path_, consumed_,
               stream_.msg ? stream_.msg : "zlib gives no reason");
    }
    return wanted - stream_.avail_out;
  }
  // Members may follow one another; anything else behind a member is an error.
  void next_member() {
    fill();
    if (available_ == 0) {
      ended_ = true;
      return;
    }
    EG_CHECK(input_[next_] == 0x1f, FormatError, "{}: there is something behind the gzip data, at byte {}", path_, consumed_);
    inflateReset(&stream_);
  }

  const std::string& path_;
  File file_;
  std::uint8_t input_[1 << 16];
  std::size_t next_ = 0, available_ = 0, consumed_ = 0;
  bool packed_ = false, ended_ = false;
  z_stream stream_{};
};

}  // namespace

std::vector<std::uint8_t> read_file(const std::string& path, std::size_t header_bytes,
                                    const std::function<std::size_t(const std::vector<std::uint8_t>&)>& expected_size) {
  const auto source = std::make_unique<Source>(path);
  std::vector<std::uint8_t> bytes(header_bytes);
  std::size_t size = source->read(bytes.data(), header_bytes);
  EG_CHECK(size == header_bytes, FormatError, "{}: it has {} bytes, fewer than the {} of a header", path, size, header_bytes);
  const std::size_t total = expected_size(bytes);
  // Grown as data arrive: a header that promises much costs nothing.
  constexpr std::size_t step = std::size_t{1} << 20;
  while (size < total) {
    bytes.resize(std::min(total, size + std::max(step, size)));
    const std::size_t got = source->read(bytes.data() + size, bytes.size() - size);
    size += got;
    EG_CHECK(size == bytes.size(), FormatError, "{}: the data end after {} bytes, expected {} by the header", path, size, total);
  }
  std::uint8_t extra = 0;
  EG_CHECK(source->read(&extra, 1) == 0, FormatError, "{}: there are more data than the {} bytes that the header promises", path,
           total);
  return bytes;
}

}  // namespace eigengrad::data
