// Files read whole, packed by gzip or not, and hostile until checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace eigengrad::data {

/// The contents of a regular file, unpacked when it begins as gzip does (RFC 1952). After the first `header_bytes` have been
/// read, `expected_size(header)` says how many bytes there must be in all: nothing more is unpacked or kept, so that a small
/// file cannot become a large one. Throws IoError when the file cannot be read; FormatError, naming file and offset, when it
/// is too short or too long, or when its checksum or gzip structure is wrong.
std::vector<std::uint8_t> read_file(const std::string& path, std::size_t header_bytes,
                                    const std::function<std::size_t(const std::vector<std::uint8_t>& header)>& expected_size);

}  // namespace eigengrad::data
