// Reading files from outside: raw or gzip, regular files only, and never more bytes than were asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace eigengrad::data {

/// The contents of a regular file as a stream of bytes; a gzip file (RFC 1952, one member or several) is unpacked on
/// the way, whatever its name. Nothing of it is trusted: each member's CRC-32 and length are verified, what follows the
/// last member is refused, and only as much is unpacked as is asked for, so that a small file cannot fill the memory.
class ByteReader {
 public:
  /// Throws IoError, with the system's reason, for a file that cannot be opened or is not a regular one (a folder, a
  /// FIFO, a device).
  explicit ByteReader(const std::string& path);
  ~ByteReader();
  ByteReader(ByteReader&&) noexcept;
  ByteReader& operator=(ByteReader&&) noexcept;

  bool is_gzip() const;
  /// How many bytes of the contents (unpacked) have been read.
  std::uint64_t offset() const;
  /// No more bytes of contents than this can follow: exact for a raw file; for gzip by deflate's best ratio, 1032:1.
  std::uint64_t most_that_can_follow() const;

  /// Reads up to out.size() bytes, fewer only at the end of the contents. Throws FormatError for damaged gzip data and
  /// IoError when the system fails to read.
  std::size_t read_some(std::span<std::uint8_t> out);
  /// Reads exactly out.size() bytes. Throws FormatError, naming `what` was being read, when the contents end before.
  void read(std::span<std::uint8_t> out, const std::string& what);
  /// Checks that the contents end here. Throws FormatError otherwise.
  void expect_end();

  /// Throws FormatError with the file's name and a byte offset into its (unpacked) contents.
  [[noreturn]] void fail(std::uint64_t at, const std::string& message) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The whole contents of a file, raw or gzip. Throws FormatError when they are longer than `max_bytes`, and what
/// ByteReader throws.
std::vector<std::uint8_t> read_file(const std::string& path, std::uint64_t max_bytes = std::uint64_t{1} << 30);

}  // namespace eigengrad::data
