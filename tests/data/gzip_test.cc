#include "eigengrad/data/gzip.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <numeric>

#include "eigengrad/core/error.h"
#include "tests/data/files.h"

namespace eigengrad::data {
namespace {

Bytes counting(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * i / 7);
  return bytes;
}

TEST(ReadFile, RawAndPacked) {
  const TempFolder folder;
  for (const std::size_t size : {0, 1, 2, 1000, 65536, 300000}) {
    const Bytes bytes = counting(size);
    EXPECT_EQ(read_file(write(folder, "raw", bytes)), bytes);
    EXPECT_EQ(read_file(write(folder, "packed", gzip(bytes))), bytes);
  }
}

TEST(ReadFile, MembersAreJoined) {
  const TempFolder folder;
  const Bytes a = counting(5000), b = counting(70000), empty;
  const Bytes file = joined(joined(joined(gzip(a), gzip(empty)), gzip(b)), gzip(empty));
  EXPECT_EQ(read_file(write(folder, "three", file)), joined(a, b));
}

// A member that ends where a block read from the file does: what follows is not in memory yet.
TEST(ReadFile, MembersMeetAtEveryPlaceOfTheReadBuffer) {
  const TempFolder folder;
  Bytes noise(65536 + 200);
  std::uint32_t state = 1;
  for (std::uint8_t& byte : noise) byte = static_cast<std::uint8_t>((state = state * 1664525 + 1013904223) >> 24);
  const Bytes tail = counting(10);
  int met = 0;
  for (std::size_t cut = 65536 - 60; cut < 65536 + 10; ++cut) {
    const Bytes first(noise.begin(), noise.begin() + static_cast<std::ptrdiff_t>(cut));
    const Bytes packed = gzip(first);
    met += packed.size() >= 65535 && packed.size() <= 65537;
    ASSERT_EQ(read_file(write(folder, "two", joined(packed, gzip(tail)))), joined(first, tail)) << packed.size();
  }
  EXPECT_GE(met, 3);
}

TEST(ReadFile, EveryTruncationIsRefused) {
  const TempFolder folder;
  const Bytes whole = gzip(counting(200));
  for (std::size_t size = 2; size < whole.size(); ++size) {
    const std::string path =
        write(folder, "cut.gz", Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
    const std::string message = message_of<FormatError>([&] { read_file(path); });
    EXPECT_HAS(message, "cut.gz");
    EXPECT_HAS(message, "at byte " + std::to_string(size));
  }
}

// Bits that carry nothing (padding, what the header tells of time and system) may change; the contents never do.
TEST(ReadFile, NoFlippedBitChangesTheContents) {
  const TempFolder folder;
  const Bytes content = counting(200), whole = gzip(content);
  int refused = 0;
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    Bytes damaged = whole;
    damaged[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    const std::string path = write(folder, "damaged.gz", damaged);
    try {
      const Bytes found = read_file(path);
      // Without its magic number it is a raw file.
      EXPECT_EQ(found, bit < 16 ? damaged : content) << "bit " << bit;
    } catch (const FormatError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, static_cast<int>(8 * content.size()));
}

TEST(ReadFile, ChecksumAndLengthAreVerified) {
  const TempFolder folder;
  Bytes crc = gzip(counting(100)), length = crc;
  crc[crc.size() - 8] ^= 1;
  length[length.size() - 4] ^= 1;
  EXPECT_HAS(message_of<FormatError>([&] { read_file(write(folder, "crc", crc)); }), "incorrect data check");
  EXPECT_HAS(message_of<FormatError>([&] { read_file(write(folder, "length", length)); }), "incorrect length check");
}

TEST(ReadFile, WhatFollowsTheLastMemberIsRefused) {
  const TempFolder folder;
  const Bytes whole = gzip(counting(100));
  for (const Bytes& tail : {Bytes{0}, Bytes{0x1f}, Bytes{0x1f, 0x8a}, Bytes{0x1f, 0x8b}, Bytes{'x', 'y', 'z'}}) {
    const std::string message = message_of<FormatError>([&] { read_file(write(folder, "tail", joined(whole, tail))); });
    EXPECT_HAS(message, "tail: ");
    EXPECT_HAS(message, "byte ");
  }
  EXPECT_HAS(message_of<FormatError>([&] { read_file(write(folder, "tail", joined(whole, {0}))); }),
             "at byte " + std::to_string(whole.size()) + " the gzip data have ended");
}

TEST(ReadFile, ABombStopsAtTheCap) {
  const TempFolder folder;
  const Bytes bomb = gzip(Bytes(64 << 20));
  ASSERT_LT(bomb.size(), std::size_t{70000});
  const std::string path = write(folder, "bomb.gz", bomb);
  EXPECT_HAS(message_of<FormatError>([&] { read_file(path, 1 << 20); }), "expected at most 1048576 bytes");
  EXPECT_EQ(read_file(path, 64 << 20).size(), std::size_t{64} << 20);
  EXPECT_THROW(read_file(path, (64 << 20) - 1), FormatError);
  EXPECT_THROW(read_file(write(folder, "raw", counting(11)), 10), FormatError);
  EXPECT_EQ(read_file(write(folder, "raw", counting(11)), 11).size(), 11u);
}

TEST(ByteReader, KnowsWhereItIs) {
  const TempFolder folder;
  ByteReader raw(write(folder, "raw", counting(100)));
  EXPECT_FALSE(raw.is_gzip());
  EXPECT_EQ(raw.most_that_can_follow(), 100u);
  Bytes some(30);
  raw.read(some, "something");
  EXPECT_EQ(raw.offset(), 30u);
  EXPECT_EQ(raw.most_that_can_follow(), 70u);
  EXPECT_HAS(message_of<FormatError>([&] { raw.expect_end(); }), "at byte 30: expected the contents to end");
  Bytes more(80);
  EXPECT_HAS(message_of<FormatError>([&] { raw.read(more, "elements"); }), "at byte 100: the contents end");

  const Bytes packed = gzip(Bytes(100000));
  ByteReader zeros(write(folder, "zeros", packed));
  EXPECT_TRUE(zeros.is_gzip());
  EXPECT_GE(zeros.most_that_can_follow(), 100000u);
  EXPECT_EQ(zeros.most_that_can_follow(), packed.size() * 1032);
}

TEST(ByteReader, OnlyRegularFiles) {
  const TempFolder folder;
  EXPECT_HAS(message_of<IoError>([&] { ByteReader reader(folder.file("none")); }), "No such file or directory");
  EXPECT_HAS(message_of<IoError>([&] { ByteReader reader(folder.path()); }), "not a regular file");
  EXPECT_HAS(message_of<IoError>([&] { ByteReader reader("/dev/zero"); }), "not a regular file");
  EXPECT_HAS(message_of<IoError>([&] { ByteReader reader(""); }), "No such file or directory");
  ASSERT_EQ(::mkfifo(folder.file("fifo").c_str(), 0600), 0);
  EXPECT_HAS(message_of<IoError>([&] { ByteReader reader(folder.file("fifo")); }), "not a regular file");
  const std::string secret = write(folder, "secret", {1});
  EXPECT_THROW(ByteReader(secret + std::string("\0x", 2)), IoError);
  EXPECT_HAS(message_of<IoError>([&] { ByteReader reader(folder.file("a\x1b[31m")); }), "a\\x1b[31m");
}

TEST(ByteReader, RefusedPermissionIsAnError) {
  if (::geteuid() == 0) GTEST_SKIP() << "the superuser may read every file: run the tests as another user to test this";
  const TempFolder folder;
  const std::string secret = write(folder, "secret", {1});
  ASSERT_EQ(::chmod(secret.c_str(), 0), 0);
  EXPECT_HAS(message_of<IoError>([&] { ByteReader reader(secret); }), "Permission denied");
}

}  // namespace
}  // namespace eigengrad::data
