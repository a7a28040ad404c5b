// Files written whole or not at all.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace eigengrad::io {

/// The path of a file in a folder.
std::string file_in(const std::string& folder, std::string_view file);

/// What has been written: how much, and the checksum() of it.
struct Written {
  std::uint64_t bytes = 0;  ///< its size
  std::string checksum;     ///< of all of them
};

/// Replaces the contents of a file by the given pieces, one after another. They go to a temporary file in the same
/// folder, which is synced and renamed, and the folder is synced: after a crash there is the old file or the new one,
/// never a part. Throws IoError with the reason, leaving the old file alone.
Written write_file(const std::string& path, std::span<const std::string_view> pieces);
Written write_file(const std::string& path, std::string_view text);

/// Makes a folder, and those above it, where they are not there. They are synced into those that they are in: after a
/// crash they are there still. Throws IoError with the reason.
void make_folders(const std::string& path);

/// Makes a folder whose files have been written complete under another name beside it, `temporary`: it is synced,
/// renamed, and the folder that both are in is synced. Throws IoError with the reason.
void publish_folder(const std::string& temporary, const std::string& path);

/// Removes what writers that were killed have left in a folder, if it is there: files and folders named *.tmp. Throws
/// IoError.
void remove_temporaries(const std::string& folder);

/// Keeps a folder to one process while it lives, by a lock on a file in it. Throws IoError when another has it.
class FolderLock {
 public:
  /// Takes the lock.
  explicit FolderLock(const std::string& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int fd_;
};

/// Whether a process, this one or another, keeps a folder to itself. The lock itself is left alone, so that whoever
/// comes for it meanwhile gets it.
bool is_locked(const std::string& folder);

/// XXH3, 128 bits, of a regular file (https://xxhash.com), in hexadecimal: finds every change that is not made on
/// purpose. Throws IoError.
std::string checksum_of_file(const std::string& path);
std::string checksum(std::string_view bytes);

/// The contents of a regular file of at most `max_bytes`. Throws IoError, or FormatError when it is larger.
std::string read_file(const std::string& path, std::size_t max_bytes);

}  // namespace eigengrad::io
