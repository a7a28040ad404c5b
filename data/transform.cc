#include "eigengrad/data/transform.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include "eigengrad/config/noting.h"
#include "eigengrad/core/check.h"
#include "eigengrad/core/parallel.h"
#include "eigengrad/ops/shape.h"

namespace eigengrad::data {
namespace {

constexpr std::int64_t kNumbersPerThread = 1 << 14;

template <class Options>
Options checked(const char* name, Options options) {
  config::check_options(name, options);
  return options;
}

// A whole number in [-limit, limit].
std::int64_t draw_within(std::int64_t limit, Generator& random) {
  return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(2 * limit + 1))) - limit;
}

// The window of `rows` by `columns` whose first pixel is (top, left) of the image; outside of the image is `fill`.
Image window(const Image& image, std::int64_t top, std::int64_t left, std::int64_t rows, std::int64_t columns,
             float fill) {
  const std::int64_t channels = image.shape[0], height = image.shape[1], width = image.shape[2];
  Image result{{channels, rows, columns},
               std::vector<float>(static_cast<std::size_t>(channels * rows * columns), fill)};
  const std::int64_t first = std::max<std::int64_t>(0, -left), last = std::min(columns, width - left);
  for (std::int64_t c = 0; c < channels; ++c)
    for (std::int64_t r = std::max<std::int64_t>(0, -top); r < std::min(rows, height - top); ++r)
      if (first < last)
        std::copy_n(image.values.begin() + (c * height + top + r) * width + left + first, last - first,
                    result.values.begin() + (c * rows + r) * columns + first);
  return result;
}

class Normalize : public Transform {
 public:
  explicit Normalize(NormalizeOptions options) : options_(checked("Normalize", std::move(options))) {}
  void apply(Image& image, Generator*) const override {
    const auto area = static_cast<std::size_t>(image.shape[1] * image.shape[2]);
    for (std::size_t i = 0; i < image.values.size(); ++i) {
      const std::size_t channel = i / area;
      image.values[i] = static_cast<float>((static_cast<double>(image.values[i]) - of(options_.mean, channel)) /
                                           of(options_.std, channel));
    }
  }
  Shape output_shape(const Shape& input) const override {
    for (const auto& [name, list] : {std::pair("mean", &options_.mean), std::pair("std", &options_.std)})
      EG_CHECK(list->size() == 1 || std::ssize(*list) == input[0], ShapeError,
               "[Normalize] {} has {} numbers, expected 1, or one for each of the {} channels", name, list->size(),
               input[0]);
    return input;
  }

 private:
  static double of(const std::vector<double>& list, std::size_t channel) {
    return list[list.size() == 1 ? 0 : channel];
  }
  const NormalizeOptions options_;
};

class RandomCrop : public Transform {
 public:
  explicit RandomCrop(RandomCropOptions options) : options_(checked("RandomCrop", std::move(options))) {}
  void apply(Image& image, Generator* random) const override {
    const Shape size = output_shape(image.shape);
    const auto [padding, fill] = std::pair(options_.padding, static_cast<float>(options_.fill));
    const std::int64_t rows = image.shape[1] + 2 * padding.rows - size[1],
                       columns = image.shape[2] + 2 * padding.columns - size[2];
    const auto place = [&](std::int64_t room) {
      return random ? static_cast<std::int64_t>(random->below(static_cast<std::uint64_t>(room) + 1)) : room / 2;
    };
    const std::int64_t top = place(rows) - padding.rows, left = place(columns) - padding.columns;
    image = window(image, top, left, size[1], size[2], fill);
  }
  Shape output_shape(const Shape& input) const override {
    const Pair size = options_.size.value_or(Pair(input[1], input[2]));
    EG_CHECK(
        size.rows <= input[1] + 2 * options_.padding.rows && size.columns <= input[2] + 2 * options_.padding.columns,
        ShapeError, "[RandomCrop] images of {}x{} with a padding of {} have no part of {}x{}", input[1], input[2],
        options_.padding, size.rows, size.columns);
    return {input[0], size.rows, size.columns};
  }

 private:
  const RandomCropOptions options_;
};

class RandomShift : public Transform {
 public:
  explicit RandomShift(RandomShiftOptions options) : options_(checked("RandomShift", std::move(options))) {}
  void apply(Image& image, Generator* random) const override {
    if (!random) return;
    const std::int64_t down = draw_within(options_.pixels.rows, *random),
                       right = draw_within(options_.pixels.columns, *random);
    image = window(image, -down, -right, image.shape[1], image.shape[2], static_cast<float>(options_.fill));
  }

 private:
  const RandomShiftOptions options_;
};

class RandomFlip : public Transform {
 public:
  RandomFlip(const char* name, RandomFlipOptions options, bool horizontal)
      : options_(checked(name, options)), horizontal_(horizontal) {}
  void apply(Image& image, Generator* random) const override {
    if (!random || random->uniform() >= options_.p) return;
    const std::int64_t width = image.shape[2], area = image.shape[1] * width;
    for (auto row = image.values.begin(); horizontal_ && row != image.values.end(); row += width)
      std::reverse(row, row + width);
    for (auto plane = image.values.begin(); !horizontal_ && plane != image.values.end(); plane += area)
      for (std::int64_t upper = 0, lower = area - width; upper < lower; upper += width, lower -= width)
        std::swap_ranges(plane + upper, plane + upper + width, plane + lower);
  }

 private:
  const RandomFlipOptions options_;
  const bool horizontal_;
};

class RandomRotation : public Transform {
 public:
  explicit RandomRotation(RandomRotationOptions options) : options_(checked("RandomRotation", options)) {}
  void apply(Image& image, Generator* random) const override {
    if (!random) return;
    const double angle = (2 * random->uniform() - 1) * options_.degrees * std::numbers::pi / 180;
    const double cosine = std::cos(angle), sine = std::sin(angle);
    const Image before = image;
    const std::int64_t height = image.shape[1], width = image.shape[2];
    const double middle_y = static_cast<double>(height - 1) / 2, middle_x = static_cast<double>(width - 1) / 2;
    for (std::int64_t i = 0; i < std::ssize(image.values); ++i) {
      const double x = static_cast<double>(i % width) - middle_x,
                   y = static_cast<double>(i / width % height) - middle_y;
      image.values[static_cast<std::size_t>(i)] =
          between(before, i / (width * height), middle_y + cosine * y + sine * x, middle_x + cosine * x - sine * y);
    }
  }

 private:
  // The level between the four pixels around a place.
  float between(const Image& image, std::int64_t channel, double y, double x) const {
    const std::int64_t height = image.shape[1], width = image.shape[2];
    const double top = std::floor(y), left = std::floor(x), down = y - top, right = x - left;
    const auto at = [&](double row, double column) {
      const auto r = static_cast<std::int64_t>(row), c = static_cast<std::int64_t>(column);
      if (r < 0 || c < 0 || r >= height || c >= width) return options_.fill;
      return static_cast<double>(image.values[static_cast<std::size_t>((channel * height + r) * width + c)]);
    };
    return static_cast<float>((1 - down) * ((1 - right) * at(top, left) + right * at(top, left + 1)) +
                              down * ((1 - right) * at(top + 1, left) + right * at(top + 1, left + 1)));
  }

  const RandomRotationOptions options_;
};

constexpr double kMaxPixels = 10000;

void describe_fill(config::Fields& f, double& fill) {
  f("fill", fill, {.help = "the level of what comes in; 0: black"});
}

template <class Options, TransformPtr (*Make)(Options)>
TransformFunctions functions_of() {
  return {[](const void* options) { return Make(*static_cast<const Options*>(options)); }};
}

}  // namespace

void describe(config::Fields& f, NormalizeOptions& o) {
  f("mean", o.mean, {.help = "subtracted from levels, which are 0 to 1: one number, or one for each channel"});
  f("std", o.std, {.help = "by which they are divided then", .min = 0, .above_min = true});
}
void describe(config::Fields& f, RandomCropOptions& o) {
  f("size", o.size, {.help = "rows and columns; those of the image unless given", .min = 1, .max = kMaxPixels});
  f("padding", o.padding, {.help = "put on every side before", .min = 0, .max = kMaxPixels});
  describe_fill(f, o.fill);
}
void describe(config::Fields& f, RandomShiftOptions& o) {
  f("pixels", o.pixels, {.help = "at most so many rows and columns each way", .min = 0, .max = kMaxPixels});
  describe_fill(f, o.fill);
}
void describe(config::Fields& f, RandomFlipOptions& o) { f("p", o.p, {.help = "how often", .min = 0, .max = 1}); }
void describe(config::Fields& f, RandomRotationOptions& o) {
  f("degrees", o.degrees, {.help = "at most so far each way", .min = 0, .max = 180});
  describe_fill(f, o.fill);
}

TransformPtr normalize(NormalizeOptions o) {
  EG_CHECK(!o.mean.empty() && !o.std.empty(), ValueError, "[Normalize] expected at least one mean and one std");
  return std::make_shared<Normalize>(std::move(o));
}
TransformPtr random_crop(RandomCropOptions o) { return std::make_shared<RandomCrop>(o); }
TransformPtr random_shift(RandomShiftOptions o) { return std::make_shared<RandomShift>(o); }
TransformPtr random_horizontal_flip(RandomFlipOptions o) {
  return std::make_shared<RandomFlip>("RandomHorizontalFlip", o, true);
}
TransformPtr random_vertical_flip(RandomFlipOptions o) {
  return std::make_shared<RandomFlip>("RandomVerticalFlip", o, false);
}
TransformPtr random_rotation(RandomRotationOptions o) { return std::make_shared<RandomRotation>(o); }

const TransformTable& transforms() {
  static const TransformTable table = [] {
    TransformTable all("transform");
    all.add<NormalizeOptions>("Normalize", "(level - mean) / std, by channel",
                              functions_of<NormalizeOptions, normalize>());
    all.add<RandomCropOptions>("RandomCrop", "a part of the image at a random place; the middle when testing",
                               functions_of<RandomCropOptions, random_crop>());
    all.add<RandomShiftOptions>("RandomShift", "moves the image by whole pixels",
                                functions_of<RandomShiftOptions, random_shift>());
    all.add<RandomFlipOptions>("RandomHorizontalFlip", "swaps left and right",
                               functions_of<RandomFlipOptions, random_horizontal_flip>());
    all.add<RandomFlipOptions>("RandomVerticalFlip", "swaps top and bottom",
                               functions_of<RandomFlipOptions, random_vertical_flip>());
    all.add<RandomRotationOptions>("RandomRotation", "turns the image around its middle",
                                   functions_of<RandomRotationOptions, random_rotation>());
    return all;
  }();
  return table;
}

void describe_transforms(config::Fields& f, config::ConfiguredRows& rows) {
  f.custom("transforms",
           {.read =
                [&rows](const config::Value& value, const std::string& pointer, config::Diagnostics& diagnostics) {
                  rows.clear();
                  if (value.as_array() && value.as_array()->empty()) return;
                  rows = transforms().read_rows(value, pointer, diagnostics);
                  for (const auto& row : rows)
                    config::noting(diagnostics, row->pointer, row->position,
                                   [&] { transforms().functions(*row).make(row->options.get()); });
                },
            .write = [&rows] { return transforms().write_rows(rows); },
            .schema =
                [] {
                  config::Value items = config::Value::object();
                  items.set("$ref", "#/$defs/transform");
                  config::Value schema = config::Value::object();
                  schema.set("type", "array");
                  schema.set("items", std::move(items));
                  return schema;
                }},
           {.help = "changes to the images, in order; random ones for training alone"});
}

Transforms make_transforms(const config::ConfiguredRows& rows) {
  Transforms result;
  for (const auto& row : rows) result.push_back(transforms().functions(*row).make(row->options.get()));
  return result;
}

Shape output_shape(const config::ConfiguredRows& rows, Shape shape) {
  const Transforms steps = make_transforms(rows);
  for (std::size_t i = 0; i < steps.size(); ++i) try {
      shape = steps[i]->output_shape(shape);
    } catch (const ShapeError& error) {
      throw config::OptionError(fmt::format("/transforms/{}", i), error.what());
    }
  return shape;
}

void apply(const Transforms& transforms, Image& image, Generator* random) {
  for (const TransformPtr& transform : transforms) transform->apply(image, random);
}

Shape output_shape(const Transforms& transforms, Shape shape) {
  for (const TransformPtr& transform : transforms) shape = transform->output_shape(shape);
  return shape;
}

TransformedDataset::TransformedDataset(DatasetPtr images, Transforms transforms, std::uint64_t seed)
    : images_(std::move(images)), transforms_(std::move(transforms)), seed_(seed ^ Generator::stream_id("transforms")) {
  EG_CHECK(images_ && std::find(transforms_.begin(), transforms_.end(), nullptr) == transforms_.end(), ValueError,
           "[TransformedDataset] expected a data set and transforms, found null");
  EG_CHECK(images_->input_shape().rank() == 3, ShapeError,
           "[TransformedDataset] expected images [channels, rows, columns], found samples of shape {}",
           images_->input_shape());
  shape_ = output_shape(transforms_, images_->input_shape());
}

Batch TransformedDataset::get(std::span<const std::int64_t> indices) const {
  return changed(images_->get(indices), indices, std::nullopt);
}

Batch TransformedDataset::get_augmented(std::span<const std::int64_t> indices, std::int64_t epoch) const {
  return changed(images_->get_augmented(indices, epoch), indices, epoch);
}

Batch TransformedDataset::changed(Batch batch, std::span<const std::int64_t> indices,
                                  std::optional<std::int64_t> epoch) const {
  EG_CHECK(batch.inputs.dtype() == kFloat32, DtypeError, "[TransformedDataset] expected images of float32, found {}",
           batch.inputs.dtype());
  const Tensor original = contiguous(batch.inputs);
  const Shape from = images_->input_shape();
  const std::int64_t before = checked_numel(from), after = checked_numel(shape_);
  Shape shape = shape_;
  shape.insert(0, std::ssize(indices));
  const Tensor inputs = empty(shape);
  parallel_evenly(std::ssize(indices), std::max<std::int64_t>(1, kNumbersPerThread / std::max<std::int64_t>(1, before)),
                  [&](std::int64_t begin, std::int64_t end) {
                    Image image;
                    for (std::int64_t i = begin; i < end; ++i) {
                      const float* const values = original.raw<const float>() + i * before;
                      image.shape = from;
                      image.values.assign(values, values + before);
                      // A stream for every sample, and a part of it for every epoch.
                      Generator random(seed_, static_cast<std::uint64_t>(indices[static_cast<std::size_t>(i)]));
                      random.set_offset(static_cast<std::uint64_t>(epoch.value_or(0)) << 32);
                      apply(transforms_, image, epoch ? &random : nullptr);
                      std::copy(image.values.begin(), image.values.end(), inputs.raw<float>() + i * after);
                    }
                  });
  return {inputs, batch.targets};
}

}  // namespace eigengrad::data
