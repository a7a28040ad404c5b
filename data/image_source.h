// Data sets of images from files: folders of PNG images, and CIFAR-10.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "eigengrad/config/registry.h"
#include "eigengrad/data/build.h"
#include "eigengrad/data/image.h"
#include "eigengrad/data/transform.h"

namespace eigengrad::data {

/// One channel, or three.
enum class Colour { Grey, Rgb };

/// A folder of classes: train/CLASS/*.png and test/CLASS/*.png, or CLASS/*.png of which a share is tested on.
struct ImageFolderOptions {
  std::string folder{};         ///< below the folder of the data; empty: that folder itself
  Colour colour = Colour::Rgb;  ///< one channel, or three
  std::optional<Pair> size{};   ///< rows and columns to which images are resized; none: they must all be of one size
  double test_fraction = 0.2;   ///< where there is no folder test
  std::int64_t seed = 0;        ///< by which that share is drawn
  config::ConfiguredRows transforms{};  ///< changes to the images, in order; random ones for training alone
  std::vector<std::string> classes{};   ///< in the order of their numbers; filled in: the names of the folders, sorted
};
void describe(config::Fields& f, ImageFolderOptions& o);

/// Throws IoError, FormatError for images of different sizes, for none, and for another set of classes in test.
Source image_folder(ImageFolderOptions& options, const std::string& folder);

/// The binary version of CIFAR-10 (Krizhevsky, "Learning multiple layers of features from tiny images", 2009):
/// data_batch_1.bin to data_batch_5.bin, test_batch.bin and batches.meta.txt, in the folder of the data or in
/// cifar-10-batches-bin below it.
struct Cifar10Options {
  config::ConfiguredRows transforms{};  ///< changes to the images, in order; random ones for training alone
  std::vector<std::string> classes{};   ///< filled in
};
void describe(config::Fields& f, Cifar10Options& o);

/// Throws IoError and FormatError, and ConfigError for other classes than those of the options, where they are given.
Source cifar10(Cifar10Options& options, const std::string& folder);

/// The records of files of CIFAR-10, each a label and 32x32 red, green and blue levels. Throws FormatError for a file
/// of another length than a multiple of 3073 bytes, and for a label above 9.
Images read_cifar10(const std::vector<std::string>& paths);

/// Reads PNG images, resized to the shape, and IDX files of bytes, [N, rows, columns] or [N, channels, rows, columns],
/// of exactly that shape; then applies the transforms, the random ones as for testing.
InputReaderPtr image_inputs(const Shape& shape, Transforms transforms, std::vector<std::string> class_names);

}  // namespace eigengrad::data
