#include "eigengrad/data/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "eigengrad/core/check.h"
#include "eigengrad/core/file.h"

namespace eigengrad::data {
namespace {

constexpr std::uint64_t kBestRatio = 1032;  // of deflate (zlib's technical notes)

}  // namespace

struct ByteReader::State {
  explicit State(const std::string& path) : file(path) {
    fill();
    packed = available >= 2 && at_magic();
    // 16: expect gzip's frame, and check its CRC and length.
    if (packed && inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) throw MemoryError("[gzip] no memory to unpack");
  }
  ~State() {
    if (packed) inflateEnd(&stream);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  std::size_t read(std::span<std::uint8_t> out) {
    const std::size_t got = packed ? unpack(out) : copy(out);
    produced += got;
    return got;
  }

  void fill() {
    if (available > 0) return;
    next = 0;
    available = file.read(input);
  }
  void consume(std::size_t count) {
    next += count;
    available -= count;
    consumed += count;
  }
  std::size_t copy(std::span<std::uint8_t> out) {
    fill();
    const std::size_t count = std::min(out.size(), available);
    std::copy_n(input + next, count, out.data());
    consume(count);
    return count;
  }

  // At least one byte, unless the last member has ended.
  std::size_t unpack(std::span<std::uint8_t> out) {
    const auto wanted = static_cast<uInt>(std::min<std::size_t>(out.size(), 1 << 30));
    stream.next_out = out.data();
    stream.avail_out = wanted;
    while (stream.avail_out == wanted && !ended) {
      fill();
      EG_CHECK(available > 0, FormatError, "{}: the file ends at byte {}, in the middle of the gzip data", file.name(),
               consumed);
      stream.next_in = input + next;
      stream.avail_in = static_cast<uInt>(available);
      const int status = inflate(&stream, Z_NO_FLUSH);
      consume(available - stream.avail_in);
      if (status == Z_STREAM_END)
        next_member();
      else
        check_inflated(status);
    }
    return wanted - stream.avail_out;
  }
  void check_inflated(int status) const {
    if (status == Z_MEM_ERROR) throw MemoryError("[gzip] no memory to unpack");
    EG_CHECK(status == Z_OK || status == Z_BUF_ERROR, FormatError, "{}: the gzip data are damaged at byte {}: {}",
             file.name(), consumed, stream.msg ? stream.msg : "a dictionary is asked for");
  }
  // Members may follow one another (RFC 1952, 2.2); anything else behind one is an error.
  void next_member() {
    fill();
    if (available == 0) {
      ended = true;
      return;
    }
    EG_CHECK(at_magic(), FormatError, "{}: at byte {} the gzip data have ended, but the file goes on", file.name(),
             consumed);
    inflateReset(&stream);
  }
  // The second byte of the magic number may not have been read yet; inflate then checks it.
  bool at_magic() const { return input[next] == 0x1f && (available < 2 || input[next + 1] == 0x8b); }

  RegularFile file;
  std::uint8_t input[1 << 16];
  std::size_t next = 0, available = 0;       // what of `input` waits to be used
  std::uint64_t consumed = 0, produced = 0;  // bytes of the file, and of its contents
  bool packed = false, ended = false;
  z_stream stream{};
};

ByteReader::ByteReader(const std::string& path) : state_(std::make_unique<State>(path)) {}
ByteReader::~ByteReader() = default;
ByteReader::ByteReader(ByteReader&&) noexcept = default;
ByteReader& ByteReader::operator=(ByteReader&&) noexcept = default;

bool ByteReader::is_gzip() const { return state_->packed; }
std::uint64_t ByteReader::offset() const { return state_->produced; }

std::uint64_t ByteReader::most_that_can_follow() const {
  const std::uint64_t size = state_->file.size();
  constexpr auto limit = std::numeric_limits<std::uint64_t>::max() / kBestRatio;
  const std::uint64_t most = !state_->packed ? size : std::min(size, limit) * kBestRatio;
  return most - std::min(most, state_->produced);
}

std::size_t ByteReader::read_some(std::span<std::uint8_t> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    const std::size_t got = state_->read(out.subspan(done));
    if (got == 0) break;
    done += got;
  }
  return done;
}

void ByteReader::read(std::span<std::uint8_t> out, const std::string& what) {
  const std::uint64_t start = offset();
  const std::size_t got = read_some(out);
  if (got < out.size())
    fail(start + got,
         fmt::format("the contents end, expected {} bytes of {} from byte {} on", out.size(), what, start));
}

void ByteReader::expect_end() {
  const std::uint64_t end = offset();
  std::uint8_t extra[1];
  if (read_some(extra) > 0) fail(end, "expected the contents to end, found more bytes");
}

void ByteReader::fail(std::uint64_t at, const std::string& message) const {
  throw FormatError(fmt::format("{}: at byte {}{}: {}", state_->file.name(), at,
                                state_->packed ? " of the unpacked contents" : "", message));
}

std::vector<std::uint8_t> read_file(const std::string& path, std::uint64_t max_bytes) {
  ByteReader reader(path);
  std::vector<std::uint8_t> bytes;
  constexpr std::uint64_t step = std::uint64_t{1} << 16;
  while (true) {
    // Grown as bytes arrive, by no more than there are already: what a gzip file may unpack to is not known before.
    const std::size_t start = bytes.size();
    const std::uint64_t room = std::min(max_bytes - start, std::max<std::uint64_t>(step, start));
    bytes.resize(start + static_cast<std::size_t>(std::min(room, reader.most_that_can_follow())));
    bytes.resize(start + reader.read_some(std::span(bytes).subspan(start)));
    if (bytes.size() == max_bytes || bytes.size() == start) break;
  }
  std::uint8_t extra[1];
  if (reader.read_some(extra) == 0) return bytes;
  reader.fail(bytes.size(), bytes.size() == max_bytes ? fmt::format("expected at most {} bytes, found more", max_bytes)
                                                      : "the file has grown while it was read");
}

}  // namespace eigengrad::data
