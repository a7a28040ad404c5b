// Event files, byte by byte; tests/io/tensorboard_test.py has TensorBoard read them.
#include "eigengrad/io/tensorboard.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "eigengrad/io/file.h"
#include "eigengrad/ops/ops.h"
#include "tests/temp_folder.h"

namespace eigengrad::io {
namespace {

TEST(Crc32c, GivesTheFiguresOfTheRfc) {
  EXPECT_EQ(crc32c(""), 0U);
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
  // RFC 3720, B.4.
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
}

template <class T>
T number_at(const std::string& bytes, std::size_t place) {
  T value;
  std::memcpy(&value, bytes.data() + place, sizeof value);
  return value;
}

// The events in a file, each of whose checksums must be right.
std::vector<std::string> events_in(const std::string& path) {
  const std::string bytes = read_file(path, 1 << 20);
  const auto masked = [](std::string_view part) { return std::rotr(crc32c(part), 15) + 0xa282ead8U; };
  std::vector<std::string> events;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto length = number_at<std::uint64_t>(bytes, at);
    EXPECT_EQ(number_at<std::uint32_t>(bytes, at + 8), masked(bytes.substr(at, 8)));
    events.push_back(bytes.substr(at + 12, length));
    EXPECT_EQ(number_at<std::uint32_t>(bytes, at + 12 + length), masked(events.back()));
    at += 16 + length;
  }
  return events;
}

TEST(EventFile, HoldsEventsAsProtocolBuffers) {
  const TempFolder folder;
  EventFile file(folder.file("a/b"));
  file.add_scalars({{"loss", 0.5}, {"f1", -2}}, 300);
  file.add_scalars({}, 301);
  const auto events = events_in(file.path());
  ASSERT_EQ(events.size(), 2u);
  // 09: wall time, 8 bytes; 10 00: step 0; 1a 0d: 13 bytes of file version.
  EXPECT_EQ(events[0][0], 0x09);
  EXPECT_EQ(events[0].substr(9), std::string("\x10\x00\x1a\x0d", 4) + "brain.Event:2");
  // 10 ac 02: step 300; 2a: the summary, of which each value (0a) has a tag (0a) and a float (15).
  EXPECT_EQ(events[1].substr(9), std::string("\x10\xac\x02\x2a\x18", 5) +
                                     std::string("\x0a\x09\x0a\x02"
                                                 "f1\x15\x00\x00\x00\xc0",
                                                 11) +
                                     std::string("\x0a\x0b\x0a\x04"
                                                 "loss\x15\x00\x00\x00\x3f",
                                                 13));
  const double age = number_at<double>(events[1], 1) - number_at<double>(events[0], 1);
  EXPECT_GE(age, 0);
  EXPECT_LT(age, 60);
}

TEST(EventFile, CountsInBuckets) {
  const TempFolder folder;
  EventFile file(folder.file("run"));
  file.add_histogram("w", tensor<float>({0, 1, 1, 50, NAN, INFINITY}), 1);
  file.add_histogram("none", full({3}, NAN), 1);
  const auto events = events_in(file.path());
  ASSERT_EQ(events.size(), 2u);
  const std::string& event = events[1];
  const std::size_t packed = 50 * sizeof(double);
  const auto counts = [&](std::size_t bucket) {
    return number_at<double>(event, event.size() - packed + bucket * sizeof(double));
  };
  EXPECT_EQ(counts(0), 1);
  EXPECT_EQ(counts(1), 2);
  EXPECT_EQ(counts(2), 0);
  EXPECT_EQ(counts(49), 1);
  // Before them 3a 90 03, 50 limits, and before those 32 90 03.
  const std::size_t limits = event.size() - 2 * packed - 3;
  EXPECT_EQ(event.substr(limits - 3, 3), std::string("\x32\x90\x03"));
  EXPECT_EQ(number_at<double>(event, limits), 1);
  EXPECT_EQ(number_at<double>(event, limits + 49 * sizeof(double)), 50);
  EXPECT_THROW(file.add_histogram("i", ones({2}, kInt64), 1), DtypeError);
}

TEST(EventFile, SaysWhatItCannotWrite) {
  EXPECT_THROW(EventFile("/dev/null/x"), IoError);
  EXPECT_THROW(EventFile("/proc/nothing"), IoError);
}

TEST(EventFile, TakesBackLaterSteps) {
  const TempFolder folder;
  EventFile first(folder.path()), second(folder.path(), 300);
  EXPECT_LT(first.path(), second.path()) << "TensorBoard reads them in the order of their names";
  EXPECT_EQ(events_in(first.path()).size(), 1u);
  const auto events = events_in(second.path());
  ASSERT_EQ(events.size(), 2u);
  // 3a 02: the session log, whose status (08) is START (01).
  EXPECT_EQ(events[1].substr(9), std::string("\x10\xac\x02\x3a\x02\x08\x01", 7));
}

// For tests/io/tensorboard_test.py.
TEST(EventFile, WritesForTensorBoard) {
  const char* folder = std::getenv("EIGENGRAD_TENSORBOARD_FOLDER");
  if (!folder) GTEST_SKIP() << "run by tests/io/tensorboard_test.py";
  EventFile file(folder);
  for (std::int64_t step = 0; step < 1000; ++step)
    file.add_scalars({{"loss", 1 / static_cast<double>(step + 1)}, {"a name / with é", -static_cast<double>(step)}},
                     step * 1'000'000'007);
  file.add_histogram("weights", arange(1000) / 10.0, 5);
  file.add_histogram("same", full({7}, 2.5), 6);
}

}  // namespace
}  // namespace eigengrad::io
