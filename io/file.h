// Files written whole or not at all.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace eigengrad::io {

/// Replaces the contents of a file by the given pieces, one after another. They go to a temporary file in the same
/// folder, which is synced and renamed, and the folder is synced: after a crash there is the old file or the new one,
/// never a part. Throws IoError with the reason, leaving the old file alone.
void write_file(const std::string& path, std::span<const std::string_view> pieces);
void write_file(const std::string& path, std::string_view text);

/// The contents of a regular file of at most `max_bytes`. Throws IoError, or FormatError when it is larger.
std::string read_file(const std::string& path, std::size_t max_bytes);

}  // namespace eigengrad::io
