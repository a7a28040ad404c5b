#include "eigengrad/data/image_source.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <numeric>

#include "eigengrad/config/reader.h"
#include "eigengrad/core/error.h"
#include "tests/data/png_files.h"
#include "tests/expect_error.h"

namespace eigengrad::data {
namespace {

namespace fs = std::filesystem;
using Floats = std::vector<float>;
using Indices = std::vector<std::int64_t>;
using Strings = std::vector<std::string>;

Batch whole(const Dataset& dataset) {
  Indices all(static_cast<std::size_t>(dataset.size()));
  std::iota(all.begin(), all.end(), 0);
  return dataset.get(all);
}

// Grey images of one level.
void put(const TempFolder& folder, const std::string& name, std::uint8_t level, png_uint_32 rows = 2,
         png_uint_32 columns = 2) {
  fs::create_directories(fs::path(folder.file(name)).parent_path());
  write(folder, name, png(rows, columns, PNG_FORMAT_GRAY, Bytes(rows * columns, level)));
}

TEST(ImageFolder, SaysWhichTransformDoesNotFit) {
  const TempFolder folder;
  put(folder, "dog/1.png", 0, 4, 4);
  put(folder, "cat/1.png", 9, 4, 4);
  const auto with = [&](const std::string& steps) {
    const config::Value json = config::parse_json(R"({"type": "ImageFolder", "colour": "grey", "test_fraction": 0.5,
        "transforms": )" + steps + "}");
    config::Diagnostics diagnostics;
    const auto row = sources().read(json, "/data", diagnostics);
    diagnostics.throw_if_any();
    return sources().functions(*row).make(row->options.get(), folder.path());
  };
  EXPECT_EQ(with(R"([{"type": "RandomCrop", "size": 3}, "Normalize"])").train->input_shape(), (Shape{1, 3, 3}));
  expect_error<config::OptionError>([&] { with(R"(["Normalize", {"type": "Normalize", "mean": [0, 1, 2]}])"); },
                                    {"transforms/1: [Normalize] mean has 3 numbers, expected 1, or one for each of"});
  expect_error<config::OptionError>([&] { with(R"([{"type": "RandomCrop", "size": 5}])"); },
                                    {"transforms/0: [RandomCrop] images of 4x4"});
}

TEST(ImageFolder, ReadsFoldersOfClasses) {
  const TempFolder folder;
  put(folder, "train/dog/b.png", 51);
  put(folder, "train/dog/a.PNG", 255);
  put(folder, "train/cat/1.png", 0);
  put(folder, "test/cat/2.png", 102);
  put(folder, "test/dog/2.png", 102);
  write(folder, "train/dog/notes.txt", {1});
  write(folder, "train/dog/.hidden.png", {1});
  ImageFolderOptions options{.colour = Colour::Grey};
  const Source source = image_folder(options, folder.path());
  EXPECT_EQ(options.classes, (Strings{"cat", "dog"}));
  EXPECT_EQ(options.size, Pair(2, 2));
  EXPECT_EQ(source.train->class_names(), options.classes);
  EXPECT_EQ(source.train->input_shape(), (Shape{1, 2, 2}));
  const Batch train = whole(*source.train);
  EXPECT_EQ(train.targets.to_vector<std::int64_t>(), (Indices{0, 1, 1}));
  EXPECT_EQ(train.inputs.to_vector<float>(), (Floats{0, 0, 0, 0, 1, 1, 1, 1, 0.2f, 0.2f, 0.2f, 0.2f}));
  EXPECT_EQ(source.test->size(), 2);
  ImageFolderOptions colour;
  EXPECT_EQ(image_folder(colour, folder.path()).train->input_shape(), (Shape{3, 2, 2}));
}

TEST(ImageFolder, SplitsWhereThereIsNoTestFolder) {
  const TempFolder folder;
  for (int i = 0; i < 10; ++i)
    put(folder, "pets/" + std::string(i % 2 ? "cat/" : "dog/") + std::to_string(i) + ".png", 0);
  ImageFolderOptions options{.folder = "pets", .test_fraction = 0.3};
  const Source source = image_folder(options, folder.path());
  EXPECT_EQ(source.train->size(), 7);
  EXPECT_EQ(source.test->size(), 3);
  options.test_fraction = 0.01;
  expect_error<FormatError>([&] { image_folder(options, folder.path()); }, "too few");
}

TEST(ImageFolder, ResizesWhenASizeIsGiven) {
  const TempFolder folder;
  put(folder, "train/a/1.png", 10);
  put(folder, "train/b/2.png", 30, 3, 5);
  put(folder, "test/a/1.png", 10);
  put(folder, "test/b/1.png", 10, 4, 4);
  ImageFolderOptions options;
  expect_error<FormatError>([&] { image_folder(options, folder.path()); },
                            {"b/2.png: found an image of 3x5", "2x2", "\"size\""});
  ImageFolderOptions sized{.colour = Colour::Grey, .size = Pair(4, 3)};
  const Source source = image_folder(sized, folder.path());
  EXPECT_EQ(source.train->input_shape(), (Shape{1, 4, 3}));
  EXPECT_EQ(whole(*source.train).inputs.to_vector<float>()[12], 30 / 255.0f);
  put(folder, "train/b/2.png", 30);
  options.size.reset();
  expect_error<FormatError>([&] { image_folder(options, folder.path()); }, {"test/b/1.png", "4x4"});
}

TEST(ImageFolder, Refusals) {
  const TempFolder folder;
  ImageFolderOptions options;
  const auto fails = [&](std::initializer_list<std::string> words) {
    options = {};
    expect_error<Error>([&] { image_folder(options, folder.path()); }, words);
  };
  fails({"found 0 folders"});
  put(folder, "train/a/1.png", 1);
  fails({"train: found 1 folders"});
  fs::create_directories(folder.file("train/b"));
  fails({"train/b: there is no .png file"});
  put(folder, "train/b/1.png", 1);
  fails({"cannot read the folder", "test", "No such file"});
  put(folder, "test/a/1.png", 1);
  put(folder, "test/c/1.png", 1);
  fails({"test: there is a folder c"});
  fs::remove_all(folder.file("test/c"));
  fails({"cannot read the folder", "test/b"});
  put(folder, "test/b/1.png", 1);
  write(folder, "test/b/2.png", {137, 80, 78});
  fails({"test/b/2.png", "not a PNG"});
  fs::remove(folder.file("test/b/2.png"));
  fs::create_symlink("loop.png", folder.file("test/b/loop.png"));
  fails({"loop.png", "Too many levels of symbolic links"});
  options = {.folder = "none"};
  expect_error<IoError>([&] { image_folder(options, folder.path()); }, {"none", "No such file"});
}

Bytes cifar(std::initializer_list<std::uint8_t> labels) {
  Bytes bytes;
  for (const std::uint8_t label : labels) {
    bytes.push_back(label);
    for (int i = 0; i < 3072; ++i) bytes.push_back(static_cast<std::uint8_t>(i / 1024 * 100 + label));
  }
  return bytes;
}

TEST(Cifar10, ReadsTheBinaryVersion) {
  const TempFolder folder;
  fs::create_directories(folder.file("cifar-10-batches-bin"));
  const auto put_file = [&](const std::string& name, const Bytes& bytes) {
    write(folder, "cifar-10-batches-bin/" + name, bytes);
  };
  for (int i = 1; i <= 5; ++i)
    put_file("data_batch_" + std::to_string(i) + ".bin", cifar({static_cast<std::uint8_t>(i), 9}));
  put_file("test_batch.bin", cifar({3}));
  Cifar10Options options;
  const Source source = cifar10(options, folder.path());
  EXPECT_EQ(source.train->size(), 10);
  EXPECT_EQ(source.test->size(), 1);
  EXPECT_EQ(options.classes[9], "truck");
  EXPECT_EQ(source.train->input_shape(), (Shape{3, 32, 32}));
  const Batch batch = source.train->get(Indices{2});
  EXPECT_EQ(batch.targets.to_vector<std::int64_t>(), Indices{2});
  const Floats values = batch.inputs.to_vector<float>();
  EXPECT_EQ((Floats{values[0], values[1024], values[3071]}), (Floats{2 / 255.0f, 102 / 255.0f, 202 / 255.0f}));

  const std::string names = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n";
  put_file("batches.meta.txt", Bytes(names.begin(), names.end()));
  options = {};
  cifar10(options, folder.path());
  EXPECT_EQ(options.classes[9], "j");
  put_file("batches.meta.txt", {'a', '\n'});
  options = {};
  expect_error<FormatError>([&] { cifar10(options, folder.path()); }, {"batches.meta.txt: found 1 names"});
  fs::remove(folder.file("cifar-10-batches-bin/batches.meta.txt"));
  fs::remove(folder.file("cifar-10-batches-bin/data_batch_4.bin"));
  expect_error<IoError>([&] { cifar10(options, folder.path()); }, {"data_batch_4.bin"});
}

TEST(Cifar10, HandlesEveryTruncationAndBadLabel) {
  const TempFolder folder;
  const Bytes good = cifar({0, 9});
  EXPECT_EQ(read_cifar10({write(folder, "g.bin", good)}).labels, (Indices{0, 9}));
  for (std::size_t size = 0; size < good.size(); size += size < 3070 || size > 3076 ? 101 : 1) {
    if (size == 3073) continue;
    EXPECT_THROW(
        read_cifar10({write(folder, "t.bin", Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)))}),
        FormatError)
        << size;
  }
  expect_error<FormatError>(
      [&] {
        read_cifar10({write(folder, "l.bin", cifar({4, 10}))});
      },
      {"l.bin: at byte 3073: found the label 10, expected 0 to 9"});
}

TEST(ImageSources, AreReachedFromJsonWithTransforms) {
  const TempFolder folder;
  for (const char* part : {"train", "test"})
    for (const char* name : {"a", "b"}) put(folder, std::string(part) + "/" + name + "/1.png", 51, 6, 6);
  config::Diagnostics diagnostics;
  const auto row = sources().read(config::parse_json(R"({"type": "ImageFolder", "colour": "grey", "transforms": [
      {"type": "RandomShift", "pixels": 2}, {"type": "Normalize", "mean": [0.2], "std": [0.5]}]})"),
                                  "/data", diagnostics);
  ASSERT_TRUE(row);
  const Source source = sources().functions(*row).make(row->options.get(), folder.path());
  for (const float value : source.train->get(Indices{0}).inputs.to_vector<float>()) EXPECT_NEAR(value, 0, 1e-6f);
  bool moved = false;
  for (std::int64_t epoch = 0; epoch < 9; ++epoch)
    for (const float value : source.train->get_augmented(Indices{0}, epoch).inputs.to_vector<float>())
      moved = moved || value < -0.3f;
  EXPECT_TRUE(moved);

  const InputReaderPtr reader = sources().functions(*row).inputs(row->options.get());
  EXPECT_EQ(reader->class_names(), (Strings{"a", "b"}));
  EXPECT_EQ(reader->input_shape(), (Shape{1, 6, 6}));
  put(folder, "new.png", 102, 9, 9);
  const Inputs inputs = reader->read(folder.file("new.png"));
  EXPECT_EQ(inputs.name(0), folder.file("new.png"));
  EXPECT_EQ(inputs.inputs.shape(), (Shape{1, 1, 6, 6}));
  EXPECT_NEAR(inputs.inputs.to_vector<float>()[7], 0.4f, 1e-6f);
  const auto again = sources().read(sources().write(*row), "/data", diagnostics);
  ASSERT_TRUE(again);
  EXPECT_EQ(sources().write(*again), sources().write(*row));
}

TEST(ImageInputs, ReadArraysOfBytes) {
  const TempFolder folder;
  const InputReaderPtr reader = image_inputs({1, 1, 2}, {}, {"a"});
  const auto idx = [&](std::initializer_list<std::uint8_t> head, const Bytes& bytes) {
    return write(folder, "x.idx", joined(Bytes(head), bytes));
  };
  const Inputs inputs = reader->read(idx({0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2}, {0, 51, 255, 0}));
  EXPECT_EQ(inputs.inputs.shape(), (Shape{2, 1, 1, 2}));
  EXPECT_EQ(inputs.inputs.to_vector<float>(), (Floats{0, 0.2f, 1, 0}));
  EXPECT_EQ(inputs.name(1), folder.file("x.idx") + ":1");
  expect_error<FormatError>(
      [&] {
        reader->read(idx({0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 1}, {0, 51}));
      },
      {"found uint8 of shape [1, 2, 1], expected images, uint8, [1, 1, 1, 2]"});
  expect_error<FormatError>(
      [&] {
        reader->read(idx({0, 0, 9, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2}, {0, 51}));
      },
      {"int8"});
}

TEST(DigitSources, NormalizeBehindTransforms) {
  config::Diagnostics diagnostics;
  const auto make = [&](const char* json) {
    const auto row = sources().read(config::parse_json(json), "/data", diagnostics);
    diagnostics.throw_if_any();
    return sources().functions(*row).make(row->options.get(), "");
  };
  const Source plain = make(R"({"type": "Digits", "train": 20, "test": 5})"),
               moved = make(R"({"type": "Digits", "train": 20, "test": 5, "transforms": ["RandomShift"]})");
  const Floats a = whole(*plain.train).inputs.to_vector<float>(), b = whole(*moved.train).inputs.to_vector<float>();
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 1e-5f);
  EXPECT_NE(moved.train->get_augmented(Indices{0}, 1).inputs.to_vector<float>(),
            moved.train->get(Indices{0}).inputs.to_vector<float>());
}

}  // namespace
}  // namespace eigengrad::data
