#include "eigengrad/data/idx.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <filesystem>

#include "eigengrad/core/error.h"
#include "tests/data/files.h"

namespace eigengrad::data {
namespace {

Bytes header(int type, const std::vector<std::uint32_t>& extents) {
  Bytes bytes{0, 0, static_cast<std::uint8_t>(type), static_cast<std::uint8_t>(extents.size())};
  for (const std::uint32_t extent : extents)
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<std::uint8_t>(extent >> shift));
  return bytes;
}

const Bytes kTiny = joined(header(0x08, {2, 2, 3}), {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255});

TEST(Idx, ImagesRawAndPacked) {
  const TempFolder folder;
  for (const Bytes& file : {kTiny, gzip(kTiny)}) {
    const std::string path = write(folder, "images", file);
    const IdxBytes images = read_idx(path, 3);
    EXPECT_EQ(images.shape, (Shape{2, 2, 3}));
    EXPECT_EQ(images.values, Bytes(kTiny.begin() + 16, kTiny.end()));
    const Tensor x = read_idx_images(path);
    EXPECT_EQ(x.shape(), (Shape{2, 2, 3}));
    EXPECT_EQ(x.dtype(), kFloat32);
    EXPECT_EQ(x.data<float>()[1], 1 / 255.0f);
    EXPECT_EQ(x.data<float>()[11], 1.0f);
  }
}

TEST(Idx, EveryElementType) {
  const TempFolder folder;
  const auto read = [&](const Bytes& bytes) { return to_tensor(read_idx_array(write(folder, "array", bytes))); };
  using Integers = std::vector<std::int64_t>;
  EXPECT_EQ(read(joined(header(0x08, {2}), {1, 200})).to_vector<std::int64_t>(), (Integers{1, 200}));
  EXPECT_EQ(read(joined(header(0x09, {2}), {1, 200})).to_vector<std::int64_t>(), (Integers{1, -56}));
  EXPECT_EQ(read(joined(header(0x0B, {2}), {1, 2, 0xff, 0xfe})).to_vector<std::int64_t>(), (Integers{258, -2}));
  EXPECT_EQ(read(joined(header(0x0C, {1}), {0x80, 0, 0, 1})).to_vector<std::int64_t>(), (Integers{-2147483647}));
  EXPECT_EQ(read(joined(header(0x0D, {1}), {0xbf, 0xc0, 0, 0})).to_vector<float>(), (std::vector<float>{-1.5f}));
  EXPECT_EQ(read(joined(header(0x0E, {1, 1}), {0x40, 0x04, 0, 0, 0, 0, 0, 0})).to_vector<double>(),
            (std::vector<double>{2.5}));
  EXPECT_EQ(read(header(0x08, {0, 28, 28})).shape(), (Shape{0, 28, 28}));
}

TEST(Idx, EveryTruncationAndEveryExtraByteIsRefused) {
  const TempFolder folder;
  const Bytes packed = gzip(kTiny);
  for (const Bytes& whole : {kTiny, packed})
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const std::string path =
          write(folder, "cut", Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
      EXPECT_HAS(message_of<FormatError>([&] { read_idx_array(path); }), "cut: ");
    }
  const std::string longer = write(folder, "longer", joined(kTiny, {0}));
  EXPECT_HAS(message_of<FormatError>([&] { read_idx_array(longer); }),
             "longer: at byte 28: expected the contents to end");
  EXPECT_THROW(read_idx_array(write(folder, "longer.gz", gzip(joined(kTiny, {0})))), FormatError);
  EXPECT_THROW(read_idx_array(write(folder, "after.gz", joined(packed, {0}))), FormatError);
}

TEST(Idx, MessagesSayWhereWhatAndWhatElse) {
  const TempFolder folder;
  const auto refusal = [&](const Bytes& bytes) {
    const std::string path = write(folder, "bad", bytes);
    return message_of<FormatError>([&] { read_idx(path, 3); });
  };
  Bytes magic = kTiny, type = kTiny, unknown = kTiny;
  magic[0] = 'P';
  type[2] = 0x0D;
  unknown[2] = 0x0A;
  EXPECT_HAS(refusal(magic), "bad: at byte 0: found 5000, expected the 0000 of an IDX file");
  EXPECT_HAS(refusal(type), "at byte 2: found elements of type float32, expected uint8");
  EXPECT_HAS(refusal(unknown), "at byte 2: found the element type 0x0a");
  EXPECT_HAS(refusal(joined(header(0x08, {1}), {7})), "at byte 3: found 1 axes, expected 3");
  EXPECT_HAS(
      refusal(joined(header(0x08, {2, 2, 4}), Bytes(12))),
      "at byte 4: found the extents [2, 2, 4] of uint8, which take 16 bytes, expected at most the 12 that can follow");
  const std::string many = write(folder, "many", joined({0, 0, 8, 255}, Bytes(4 * 255)));
  EXPECT_HAS(message_of<FormatError>([&] { read_idx_array(many); }), "found 255 axes, expected 1 to 8");
  const std::string none = write(folder, "none", {0, 0, 8, 0, 1});
  EXPECT_HAS(message_of<FormatError>([&] { read_idx_array(none); }), "found 0 axes");
}

// The most memory that this process has taken, in bytes.
std::size_t peak_memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::size_t>(usage.ru_maxrss) * 1024;
}

TEST(Idx, ExtentsArePromisesNotFacts) {
  const TempFolder folder;
  constexpr std::uint32_t huge = 0xffffffff;
  const std::string bomb = write(folder, "bomb.gz", gzip(joined(header(0x08, {100}), Bytes(64 << 20))));
  const std::size_t before = peak_memory();
  for (const auto& extents : {std::vector<std::uint32_t>{huge, huge, huge},              // beyond 64 bits
                              std::vector<std::uint32_t>{4194305, 4194305, 2111061989},  // wraps around to little
                              std::vector<std::uint32_t>{0, huge, huge, huge},  // empty, yet its strides overflow
                              std::vector<std::uint32_t>{1 << 30},              // fits the cap, not the file
                              std::vector<std::uint32_t>{huge, 2}}) {           // beyond the cap
    for (const int type : {0x08, 0x0E}) {
      const Bytes file = joined(header(type, extents), Bytes(16));
      EXPECT_THROW(read_idx_array(write(folder, "huge", file)), FormatError);
      EXPECT_THROW(read_idx_array(write(folder, "huge.gz", gzip(file))), FormatError);
    }
  }
  EXPECT_HAS(message_of<FormatError>([&] { read_idx_array(bomb); }), "expected the contents to end");
  const std::string capped = write(folder, "capped", joined(header(0x08, {1000}), Bytes(1000)));
  EXPECT_THROW(read_idx_array(capped, 999), FormatError);
  EXPECT_EQ(read_idx_array(capped, 1000).bytes.size(), 1000u);
  EXPECT_LT(peak_memory() - before, std::size_t{16} << 20);
}

TEST(Idx, LabelsMustBeClasses) {
  const TempFolder folder;
  const std::string path = write(folder, "labels", joined(header(0x08, {4}), {5, 0, 9, 10}));
  EXPECT_EQ(read_idx_labels(path, 11).to_vector<std::int64_t>(), (std::vector<std::int64_t>{5, 0, 9, 10}));
  EXPECT_HAS(message_of<FormatError>([&] { read_idx_labels(path, 10); }),
             "labels: at byte 11: found the label 10 (sample 3), expected 0 to 9");
}

// A folder with both parts of MNIST in small, under the given style of names.
void write_mnist(const TempFolder& folder, const std::string& joint, bool packed, const Bytes& train_labels) {
  const Bytes images = joined(header(0x08, {3, 2, 2}), {0, 0, 0, 0, 255, 255, 255, 255, 0, 51, 102, 255});
  const auto write = [&](const std::string& name, const Bytes& bytes) {
    data::write(folder, name + (packed ? ".gz" : ""), packed ? gzip(bytes) : bytes);
  };
  for (const char* part : {"train", "t10k"}) write(std::string(part) + "-images" + joint + "idx3-ubyte", images);
  write("train-labels" + joint + "idx1-ubyte", train_labels);
  write("t10k-labels" + joint + "idx1-ubyte", joined(header(0x08, {3}), {1, 2, 3}));
}

TEST(Mnist, IsWholeOrNotThere) {
  const TempFolder folder;
  write_mnist(folder, "-", false, joined(header(0x08, {3}), {7, 0, 9}));
  EXPECT_TRUE(has_mnist(folder.path()));
  std::filesystem::remove(folder.file("t10k-labels-idx1-ubyte"));
  try {
    has_mnist(folder.path());
    FAIL() << "a file is missing";
  } catch (const IoError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("a part of MNIST alone: t10k-labels-idx1-ubyte not found"), std::string::npos) << text;
  }
}

TEST(Mnist, FindsEveryStyleOfNames) {
  for (const char* joint : {"-", "."})
    for (const bool packed : {false, true}) {
      const TempFolder folder;
      EXPECT_FALSE(has_mnist(folder.path()));
      write_mnist(folder, joint, packed, joined(header(0x08, {3}), {7, 0, 9}));
      EXPECT_TRUE(has_mnist(folder.path()));
      const DatasetPtr train = mnist(folder.path(), true, {0, 1});
      EXPECT_EQ(train->size(), 3);
      EXPECT_EQ(train->input_shape(), (Shape{1, 2, 2}));
      EXPECT_EQ(train->target_shape(), Shape());
      EXPECT_EQ(train->classes(), 10);
      const std::vector<std::int64_t> indices{2, 0};
      const Batch batch = train->get(indices);
      EXPECT_EQ(batch.inputs.shape(), (Shape{2, 1, 2, 2}));
      EXPECT_EQ(batch.inputs.to_vector<float>(), (std::vector<float>{0, .2f, .4f, 1, 0, 0, 0, 0}));
      EXPECT_EQ(batch.targets.to_vector<std::int64_t>(), (std::vector<std::int64_t>{9, 7}));
      EXPECT_EQ(mnist(folder.path(), false)->get(indices).targets.to_vector<std::int64_t>(),
                (std::vector<std::int64_t>{3, 1}));
    }
}

TEST(Mnist, ImagesAreNotEmpty) {
  const TempFolder folder;
  write(folder, "train-images-idx3-ubyte", header(0x08, {1, 0, 0}));
  write(folder, "train-labels-idx1-ubyte", joined(header(0x08, {1}), {5}));
  EXPECT_HAS(message_of<FormatError>([&] { mnist(folder.path(), true); }),
             "train-images-idx3-ubyte: found images of 0x0");
}

TEST(Mnist, FilesMustBelongTogether) {
  const TempFolder folder;
  EXPECT_HAS(message_of<IoError>([&] { mnist(folder.path(), true); }), "train-images-idx3-ubyte");
  write_mnist(folder, "-", false, joined(header(0x08, {2}), {7, 0}));
  EXPECT_HAS(message_of<FormatError>([&] { mnist(folder.path(), true); }), "3 images");
  write_mnist(folder, "-", false, joined(header(0x08, {3}), {7, 10, 0}));
  EXPECT_HAS(message_of<FormatError>([&] { mnist(folder.path(), true); }), "at byte 9: found the label 10 (sample 1)");
}

// FNV-1a over all bytes.
std::uint64_t checksum(const std::vector<std::uint8_t>& bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const std::uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001b3;
  return hash;
}

TEST(Mnist, TheRealOne) {
  const char* const data = std::getenv("EIGENGRAD_TEST_DATA");
  if (!data) GTEST_SKIP() << "\n*** EIGENGRAD_TEST_DATA is not set: the reader is NOT tested on the real MNIST ***";
  const std::string folder = std::string(data) + "/mnist";
  const DatasetPtr train = mnist(folder, true), test = mnist(folder, false);
  EXPECT_EQ(train->size(), 60000);
  EXPECT_EQ(test->size(), 10000);
  EXPECT_EQ(train->input_shape(), (Shape{1, 28, 28}));
  const std::vector<std::int64_t> first{0, 1, 2, 3, 4};
  EXPECT_EQ(train->get(first).targets.to_vector<std::int64_t>(), (std::vector<std::int64_t>{5, 0, 4, 1, 9}));
  EXPECT_EQ(test->get(first).targets.to_vector<std::int64_t>(), (std::vector<std::int64_t>{7, 2, 1, 0, 4}));
  EXPECT_EQ(checksum(read_idx(folder + "/train-images-idx3-ubyte.gz", 3).values), 0xb6e6196608671562u);
  EXPECT_EQ(checksum(read_idx(folder + "/train-labels-idx1-ubyte.gz", 1).values), 0xe3a35dee662474a5u);
  EXPECT_EQ(checksum(read_idx(folder + "/t10k-images-idx3-ubyte.gz", 3).values), 0x8614c3e55764d65fu);
  EXPECT_EQ(checksum(read_idx(folder + "/t10k-labels-idx1-ubyte.gz", 1).values), 0xfca1a11d31bd96bbu);
}

}  // namespace
}  // namespace eigengrad::data
