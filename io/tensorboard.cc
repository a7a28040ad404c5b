#include "eigengrad/io/tensorboard.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <vector>

#include "eigengrad/core/check.h"
#include "eigengrad/io/file.h"
#include "eigengrad/ops/type.h"

namespace eigengrad::io {
namespace {

constexpr std::size_t kBuckets = 50;

template <class T>
std::string little_endian(T value) {
  static_assert(std::endian::native == std::endian::little);
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

// The wire format of protocol buffers: fields are a number and a kind, then the value.
std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>((value & 0x7f) | 0x80);
  return bytes + static_cast<char>(value);
}
std::string key(std::uint32_t field, std::uint32_t kind) { return varint(field << 3 | kind); }
std::string integer_field(std::uint32_t field, std::int64_t value) {
  return key(field, 0) + varint(static_cast<std::uint64_t>(value));
}
std::string double_field(std::uint32_t field, double value) { return key(field, 1) + little_endian(value); }
std::string bytes_field(std::uint32_t field, std::string_view bytes) {
  return key(field, 2) + varint(bytes.size()) + std::string(bytes);
}
std::string float_field(std::uint32_t field, float value) { return key(field, 5) + little_endian(value); }
std::string doubles_field(std::uint32_t field, const std::vector<double>& values) {
  std::string packed;
  for (const double value : values) packed += little_endian(value);
  return bytes_field(field, packed);
}

// tensorflow.Event: wall_time 1, step 2, file_version 3, summary 5, session_log 7; tensorflow.SessionLog: status 1, of
// which START is 1; tensorflow.Summary: value 1; its Value: tag 1, simple_value 2, histo 5.
std::string summary_value(const std::string& tag, const std::string& content) {
  return bytes_field(1, bytes_field(1, tag) + content);
}

// tensorflow.HistogramProto: min, max, num, sum, sum_squares, bucket_limit, bucket.
std::string histogram(const std::vector<double>& values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  double sum = 0, squares = 0;
  std::vector<double> limits(kBuckets), counts(kBuckets);
  const double width = *high > *low ? (*high - *low) / kBuckets : 1;
  for (std::size_t i = 0; i < kBuckets; ++i) limits[i] = *low + width * static_cast<double>(i + 1);
  limits.back() = std::max(limits.back(), *high);
  for (const double value : values) {
    sum += value;
    squares += value * value;
    ++counts[std::min(kBuckets - 1, static_cast<std::size_t>((value - *low) / width))];
  }
  return double_field(1, *low) + double_field(2, *high) + double_field(3, static_cast<double>(values.size())) +
         double_field(4, sum) + double_field(5, squares) + doubles_field(6, limits) + doubles_field(7, counts);
}

// A checksum of bytes that themselves may hold checksums: see TensorFlow's core/lib/hash/crc32c.h.
std::uint32_t masked_crc(std::string_view bytes) { return std::rotr(crc32c(bytes), 15) + 0xa282ead8U; }

std::string record(std::string_view data) {
  const std::string length = little_endian(static_cast<std::uint64_t>(data.size()));
  return length + little_endian(masked_crc(length)) + std::string(data) + little_endian(masked_crc(data));
}

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

// A name that no other file of the folder has: TensorBoard looks for "tfevents" and reads in the order of names, which
// is that of time.
std::string new_name() {
  static std::atomic<int> number = 0;
  char host[256] = "localhost";
  if (gethostname(host, sizeof host - 1) != 0) std::strcpy(host, "localhost");
  return fmt::format("events.out.tfevents.{:017.6f}.{}.{}.{}", now(), host, getpid(), number++);
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  static const std::array<std::uint32_t, 256> table = [] {
    std::array<std::uint32_t, 256> values{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      values[i] = i;
      for (int bit = 0; bit < 8; ++bit) values[i] = values[i] >> 1 ^ (values[i] & 1 ? 0x82f63b78U : 0U);
    }
    return values;
  }();
  std::uint32_t crc = ~0U;
  for (const char c : bytes) crc = crc >> 8 ^ table[(crc ^ static_cast<unsigned char>(c)) & 255];
  return ~crc;
}

EventFile::EventFile(const std::string& folder, std::optional<std::int64_t> purge_step)
    : path_(file_in(folder, new_name())) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  EG_CHECK(!error, IoError, "cannot make the folder {}: {}", folder, error.message());
  file_.open(path_, std::ios::binary | std::ios::trunc);
  write_event(bytes_field(3, "brain.Event:2"), 0);
  constexpr std::int64_t kStart = 1;
  if (purge_step) write_event(bytes_field(7, integer_field(1, kStart)), *purge_step);
}

void EventFile::add_scalars(const std::map<std::string, double>& values, std::int64_t step) {
  std::string summary;
  for (const auto& [name, value] : values) summary += summary_value(name, float_field(2, static_cast<float>(value)));
  if (!summary.empty()) write_event(bytes_field(5, summary), step);
}

void EventFile::add_histogram(const std::string& name, const Tensor& values, std::int64_t step) {
  EG_CHECK(is_floating(values.dtype()), DtypeError, "[add_histogram] expected a floating tensor, found {}",
           values.dtype());
  std::vector<double> all = to(values.detach(), kFloat64).to_vector<double>();
  std::erase_if(all, [](double value) { return !std::isfinite(value); });
  if (!all.empty()) write_event(bytes_field(5, summary_value(name, bytes_field(5, histogram(all)))), step);
}

void EventFile::write_event(std::string_view body, std::int64_t step) {
  const std::string bytes = record(double_field(1, now()) + integer_field(2, step) + std::string(body));
  file_ << bytes << std::flush;
  EG_CHECK(file_.good(), IoError, "cannot write {}: {}", path_, std::strerror(errno));
}

}  // namespace eigengrad::io
