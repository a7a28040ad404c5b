// Files of others: opened with care, read in order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace eigengrad {

/// `text` with unprintable characters escaped, fit to be shown on a terminal.
std::string printable(std::string_view text);

/// A regular file, open for reading. A folder, a FIFO or a device is refused without waiting for it. Every function
/// throws IoError, with the name and the reason, when the system does not do what is asked.
class RegularFile {
 public:
  explicit RegularFile(const std::string& path);
  ~RegularFile();
  RegularFile(const RegularFile&) = delete;
  RegularFile& operator=(const RegularFile&) = delete;

  /// The path, fit to be shown.
  const std::string& name() const { return name_; }
  /// Bytes when it was opened.
  std::uint64_t size() const { return size_; }
  /// Reads some bytes, at least one unless the file is at its end.
  std::size_t read(std::span<std::uint8_t> out);
  /// Reads what is left, up to the size that the file had when it was opened.
  std::string read_all();

 private:
  [[noreturn]] void fail() const;

  const std::string name_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
};

}  // namespace eigengrad
