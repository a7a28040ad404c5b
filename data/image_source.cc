#include "eigengrad/data/image_source.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <utility>

#include "eigengrad/core/check.h"
#include "eigengrad/core/file.h"
#include "eigengrad/core/random.h"
#include "eigengrad/core/utf8.h"
#include "eigengrad/data/gzip.h"
#include "eigengrad/data/idx.h"
#include "eigengrad/data/png.h"

namespace eigengrad::data {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMaxSide = 10'000;

// Names of what is in a folder, sorted; hidden ones are left out.
std::vector<std::string> names_in(const fs::path& folder, bool folders) {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator entries(folder, error);
  EG_CHECK(!error, IoError, "cannot read the folder {}: {}", printable(folder.string()), error.message());
  for (const fs::directory_iterator end; entries != end; entries.increment(error)) {
    const std::string name = entries->path().filename().string();
    std::error_code ignored;  // of a link that leads nowhere, or in a circle: opening it as a file says so
    if (!name.starts_with('.') && entries->is_directory(ignored) == folders) names.push_back(name);
  }
  EG_CHECK(!error, IoError, "cannot read the folder {}: {}", printable(folder.string()), error.message());
  std::sort(names.begin(), names.end());
  return names;
}

bool is_png(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return c | 0x20; });
  return name.ends_with(".png");
}

// The PNG images below a folder. Each folder is read once: links could lead in a circle.
void find_images(const fs::path& folder, std::set<fs::path>& seen, std::vector<std::string>& files) {
  std::error_code error;
  const fs::path real = fs::canonical(folder, error);
  EG_CHECK(!error, IoError, "cannot read the folder {}: {}", printable(folder.string()), error.message());
  EG_CHECK(seen.insert(real).second, IoError, "{}: a link leads to {} a second time, expected every folder once",
           printable(folder.string()), printable(real.string()));
  for (const std::string& name : names_in(folder, false))
    if (is_png(name)) files.push_back((folder / name).string());
  for (const std::string& name : names_in(folder, true)) find_images(folder / name, seen, files);
}

// The images below a folder of classes.
class FolderReader {
 public:
  FolderReader(ImageFolderOptions& options, fs::path folder, bool resize)
      : options_(options), folder_(std::move(folder)), resize_(resize) {}

  Images read() {
    if (options_.classes.empty()) options_.classes = names_in(folder_, true);
    EG_CHECK(options_.classes.size() >= 2, FormatError,
             "{}: found {} folders, expected one for each class, two at least", printable(folder_.string()),
             options_.classes.size());
    check_classes();
    Images images;
    images.class_names = options_.classes;
    for (std::size_t label = 0; label < options_.classes.size(); ++label)
      read_class(options_.classes[label], static_cast<std::int64_t>(label), images);
    images.shape = {channels(), options_.size->rows, options_.size->columns};
    return images;
  }

 private:
  void check_classes() const {
    for (const std::string& name : names_in(folder_, true)) {
      EG_CHECK(is_utf8(name), FormatError, "{}: the name of the folder {} is not UTF-8", printable(folder_.string()),
               printable(name));
      EG_CHECK(std::find(options_.classes.begin(), options_.classes.end(), name) != options_.classes.end(), FormatError,
               "{}: there is a folder {}, which is not one of the {} classes", printable(folder_.string()),
               printable(name), options_.classes.size());
    }
  }
  void read_class(const std::string& name, std::int64_t label, Images& images) {
    const fs::path folder = folder_ / name;
    const std::size_t before = images.labels.size();
    for (const std::string& file : names_in(folder, false)) {
      if (!is_png(file)) continue;
      append((folder / file).string(), images);
      images.labels.push_back(label);
    }
    EG_CHECK(images.labels.size() > before, FormatError, "{}: there is no .png file in it", printable(folder.string()));
  }
  void append(const std::string& path, Images& images) {
    Picture picture = read_png(path, channels());
    const Pair found(picture.shape[1], picture.shape[2]);
    // The first image says what the others have to be, unless the options do.
    if (!options_.size) options_.size = found;
    if (resize_)
      picture = resized(picture, options_.size->rows, options_.size->columns);
    else
      EG_CHECK(found == *options_.size, FormatError,
               "{}: found an image of {}x{}, but those before are of {}x{}: set \"size\" to resize them",
               printable(path), found.rows, found.columns, options_.size->rows, options_.size->columns);
    images.pixels.insert(images.pixels.end(), picture.levels.begin(), picture.levels.end());
  }
  std::int64_t channels() const { return options_.colour == Colour::Rgb ? 3 : 1; }

  ImageFolderOptions& options_;
  const fs::path folder_;
  const bool resize_;
};

DatasetPtr seen_through(DatasetPtr images, const Transforms& transforms) {
  if (transforms.empty()) return images;
  return std::make_shared<TransformedDataset>(std::move(images), transforms, default_generator().seed());
}

DatasetPtr seen_through(DatasetPtr images, const config::ConfiguredRows& transforms) {
  output_shape(transforms, images->input_shape());  // tells which of them does not fit
  return seen_through(std::move(images), make_transforms(transforms));
}

constexpr std::size_t kCifarImage = 3 * 32 * 32;

void append_cifar10(const std::string& path, Images& images) {
  ByteReader reader(path);
  std::array<std::uint8_t, 1 + kCifarImage> record;
  while (true) {
    const std::uint64_t at = reader.offset();
    const std::size_t got = reader.read_some(record);
    if (got == 0) break;
    if (got < record.size())
      reader.fail(at + got, fmt::format("the contents end, expected records of {} bytes", record.size()));
    if (record[0] > 9) reader.fail(at, fmt::format("found the label {}, expected 0 to 9", record[0]));
    images.labels.push_back(record[0]);
    images.pixels.insert(images.pixels.end(), record.begin() + 1, record.end());
  }
  if (reader.offset() == 0) reader.fail(0, "the file is empty");
}

std::vector<std::string> cifar10_classes(const fs::path& folder) {
  const std::string path = (folder / "batches.meta.txt").string();
  std::error_code error;
  if (!fs::exists(path, error))
    return {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"};
  const std::vector<std::uint8_t> bytes = read_file(path, 1 << 16);
  std::vector<std::string> names(1);
  for (const std::uint8_t byte : bytes) {
    if (byte == '\n')
      names.emplace_back();
    else if (byte != '\r')
      names.back() += static_cast<char>(byte);
  }
  std::erase(names, "");
  EG_CHECK(names.size() == 10 && is_utf8(std::string(bytes.begin(), bytes.end())), FormatError,
           "{}: found {} names, expected those of 10 classes", printable(path), names.size());
  return names;
}

class ImageInputs : public InputReader {
 public:
  ImageInputs(const Shape& shape, Transforms transforms, std::vector<std::string> class_names)
      : shape_(shape), transforms_(std::move(transforms)), class_names_(std::move(class_names)) {}
  Shape input_shape() const override { return output_shape(transforms_, shape_); }
  std::vector<std::string> class_names() const override { return class_names_; }

  std::vector<std::string> files(const std::string& path) const override {
    std::error_code error;
    if (!fs::is_directory(path, error)) return {path};
    std::set<fs::path> seen;
    std::vector<std::string> found;
    find_images(path, seen, found);
    EG_CHECK(!found.empty(), IoError, "{}: found no .png file in the folder, expected images", printable(path));
    std::sort(found.begin(), found.end());
    return found;
  }
  Inputs read(const std::string& path) const override {
    Images images = is_png(path) ? read_picture(path) : read_array(path);
    const std::vector<std::int64_t> all = arange(std::ssize(images.labels)).to_vector<std::int64_t>();
    const auto dataset = std::make_shared<ImageDataset>(std::move(images), Normalization(), path);
    const Tensor inputs = seen_through(dataset, transforms_)->get(all).inputs;
    return {inputs, path, is_png(path) ? std::vector<std::int64_t>() : all};
  }

 private:
  // The labels are not known: all are the first class.
  Images images(std::vector<std::uint8_t> levels) const {
    const std::size_t count = levels.size() / static_cast<std::size_t>(checked_numel(shape_));
    return {std::move(levels), std::vector<std::int64_t>(count), shape_, {"unknown"}};
  }
  Images read_picture(const std::string& path) const {
    return images(resized(read_png(path, shape_[0]), shape_[1], shape_[2]).levels);
  }
  Images read_array(const std::string& path) const {
    IdxArray array = read_idx_array(path);
    Shape found = array.shape;
    if (shape_[0] == 1 && found.rank() == 3) found.insert(1, 1);
    Shape expected = shape_;
    expected.insert(0, found.empty() ? 0 : found[0]);
    EG_CHECK(array.type == IdxType::UInt8 && found == expected, FormatError,
             "{}: found {} of shape {}, expected images, uint8, {}", printable(path), to_string(array.type),
             array.shape, expected);
    return images(std::move(array.bytes));
  }

  const Shape shape_;
  const Transforms transforms_;
  const std::vector<std::string> class_names_;
};

}  // namespace

void describe(config::Fields& f, ImageFolderOptions& o) {
  f("folder", o.folder,
    {.help = "below the folder of the data, with train/CLASS/*.png and test/CLASS/*.png, or with CLASS/*.png"});
  f.choice<Colour>("colour", o.colour, {{"grey", Colour::Grey}, {"rgb", Colour::Rgb}},
                   {.help = "one channel, or three"});
  f("size", o.size,
    {.help = "rows and columns to which images are resized; null: all must be of one size", .min = 1, .max = kMaxSide});
  f("test_fraction", o.test_fraction,
    {.help = "share that is tested on where there is no folder test",
     .min = 0,
     .max = 1,
     .above_min = true,
     .below_max = true});
  f("seed", o.seed, {.help = "by which that share is drawn", .min = 0});
  describe_transforms(f, o.transforms);
  f("classes", o.classes, {.help = "the folders, in the order of their numbers; none: as found, sorted"});
}

void describe(config::Fields& f, Cifar10Options& o) {
  describe_transforms(f, o.transforms);
  f("classes", o.classes, {.help = "names of the classes; none: those of batches.meta.txt, or else the public ones"});
}

Source image_folder(ImageFolderOptions& o, const std::string& data_folder) {
  const fs::path folder = path_in(data_folder, o.folder);
  std::error_code error;
  const bool resize = o.size.has_value(), parted = fs::is_directory(folder / "train", error);
  const auto dataset = [&](const fs::path& where) {
    Images images = FolderReader(o, where, resize).read();
    return seen_through(std::make_shared<ImageDataset>(std::move(images), Normalization(), where.string()),
                        o.transforms);
  };
  if (!parted) {
    const auto [train, test] = random_split(dataset(folder), o.test_fraction, static_cast<std::uint64_t>(o.seed));
    EG_CHECK(train->size() > 0 && test->size() > 0, FormatError, "{}: {} images are too few to train and test on",
             printable(folder.string()), train->size() + test->size());
    return {train, test};
  }
  const DatasetPtr train = dataset(folder / "train");
  return {train, dataset(folder / "test")};
}

Images read_cifar10(const std::vector<std::string>& paths) {
  Images images;
  images.shape = {3, 32, 32};
  for (const std::string& path : paths) append_cifar10(path, images);
  return images;
}

Source cifar10(Cifar10Options& o, const std::string& data_folder) {
  std::error_code error;
  fs::path folder = path_in(data_folder, "");
  if (fs::is_directory(folder / "cifar-10-batches-bin", error)) folder /= "cifar-10-batches-bin";
  if (o.classes.empty()) o.classes = cifar10_classes(folder);
  EG_CHECK(o.classes.size() == 10, ConfigError, "classes has {} names, expected 10", o.classes.size());
  std::vector<std::string> files;
  for (int i = 1; i <= 5; ++i) files.push_back((folder / fmt::format("data_batch_{}.bin", i)).string());
  const auto dataset = [&](const std::vector<std::string>& paths, const char* name) {
    Images images = read_cifar10(paths);
    images.class_names = o.classes;
    return seen_through(std::make_shared<ImageDataset>(std::move(images), Normalization(), name), o.transforms);
  };
  return {dataset(files, "CIFAR-10, training set"),
          dataset({(folder / "test_batch.bin").string()}, "CIFAR-10, test set")};
}

InputReaderPtr image_inputs(const Shape& shape, Transforms transforms, std::vector<std::string> class_names) {
  return std::make_shared<ImageInputs>(shape, std::move(transforms), std::move(class_names));
}

}  // namespace eigengrad::data
