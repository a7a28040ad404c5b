// Changes to images on their way to the model: the same for all (Normalize), or drawn at random for training.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "eigengrad/config/registry.h"
#include "eigengrad/core/random.h"
#include "eigengrad/data/dataset.h"

namespace eigengrad::data {

/// One image that is being changed: [channels, rows, columns], row-major.
struct Image {
  Shape shape;                ///< [channels, rows, columns]
  std::vector<float> values;  ///< row-major
};

/// A step of a pipeline. Safe to use from several threads at once.
class Transform {
 public:
  virtual ~Transform() = default;
  /// Changes an image. `random` is where to draw from; null for a sample that is not to be changed at random, which
  /// must come out with the same shape all the same.
  virtual void apply(Image& image, Generator* random) const = 0;
  /// The shape that comes of a shape. Throws ShapeError for one that cannot be taken.
  virtual Shape output_shape(const Shape& input) const { return input; }
};

/// Steps are shared, and not changed.
using TransformPtr = std::shared_ptr<const Transform>;
/// A pipeline.
using Transforms = std::vector<TransformPtr>;

/// (x - mean) / std, by channel; one number stands for all channels.
struct NormalizeOptions {
  std::vector<double> mean{0};  ///< for all channels, or for each
  std::vector<double> std{1};   ///< for all channels, or for each; above 0
};
void describe(config::Fields& f, NormalizeOptions& o);

/// Cuts a part of `size` at a random place, after padding every side; in the middle for samples that are not changed at
/// random.
struct RandomCropOptions {
  std::optional<Pair> size{};  ///< rows and columns; that of the image unless given
  Pair padding = 0;            ///< rows above and below, columns left and right
  double fill = 0;             ///< the level of the padding
};
void describe(config::Fields& f, RandomCropOptions& o);

/// Moves the image by whole pixels.
struct RandomShiftOptions {
  Pair pixels = 2;  ///< at most so many rows and columns each way
  double fill = 0;  ///< the level of what comes in
};
void describe(config::Fields& f, RandomShiftOptions& o);

struct RandomFlipOptions {
  double p = 0.5;  ///< how often
};
void describe(config::Fields& f, RandomFlipOptions& o);

/// Turns the image around its middle, with bilinear interpolation.
struct RandomRotationOptions {
  double degrees = 10;  ///< at most so far each way
  double fill = 0;      ///< the level of what comes in
};
void describe(config::Fields& f, RandomRotationOptions& o);

// Each throws ValueError for options that describe() does not allow.
/// (x - mean) / std. Throws ValueError for options that describe() does not allow, as those below.
TransformPtr normalize(NormalizeOptions options);
TransformPtr random_crop(RandomCropOptions options);
TransformPtr random_shift(RandomShiftOptions options = {});
TransformPtr random_horizontal_flip(RandomFlipOptions options = {});
TransformPtr random_vertical_flip(RandomFlipOptions options = {});
TransformPtr random_rotation(RandomRotationOptions options = {});

/// What the table knows of a transform besides its options.
struct TransformFunctions {
  /// From its options.
  TransformPtr (*make)(const void* options);
};
using TransformTable = config::Registry<TransformFunctions>;
/// Every transform that a configuration can name.
const TransformTable& transforms();

/// The field "transforms" of an image data set: a list, which may be empty.
void describe_transforms(config::Fields& f, config::ConfiguredRows& rows);
Transforms make_transforms(const config::ConfiguredRows& rows);

/// The shape of images that have gone through them. Throws OptionError for one that cannot take what comes to it.
Shape output_shape(const config::ConfiguredRows& rows, Shape shape);

/// Runs an image through a pipeline. `random` as in Transform::apply.
void apply(const Transforms& transforms, Image& image, Generator* random);
/// The shape that comes out of a pipeline. Throws ShapeError.
Shape output_shape(const Transforms& transforms, Shape shape);

/// A data set of images, float32 [channels, rows, columns], seen through a pipeline. What is drawn for a sample in an
/// epoch is a function of (seed, epoch, number of the sample) alone.
class TransformedDataset : public Dataset {
 public:
  /// Throws ValueError for null, ShapeError for samples that are not images or that a transform cannot take.
  TransformedDataset(DatasetPtr images, Transforms transforms, std::uint64_t seed = 0);
  std::int64_t size() const override { return images_->size(); }
  Batch get(std::span<const std::int64_t> indices) const override;
  Batch get_augmented(std::span<const std::int64_t> indices, std::int64_t epoch) const override;
  Shape input_shape() const override { return shape_; }
  Shape target_shape() const override { return images_->target_shape(); }
  std::int64_t classes() const override { return images_->classes(); }
  std::vector<std::string> class_names() const override { return images_->class_names(); }
  std::string description() const override { return images_->description(); }
  std::optional<std::uint64_t> fingerprint() const override { return images_->fingerprint(); }

 private:
  Batch changed(Batch batch, std::span<const std::int64_t> indices, std::optional<std::int64_t> epoch) const;

  DatasetPtr images_;
  Transforms transforms_;
  std::uint64_t seed_;
  Shape shape_;
};

}  // namespace eigengrad::data
