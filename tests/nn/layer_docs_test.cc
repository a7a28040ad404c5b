// docs/layers.md is what the tables of layers and losses say.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include "eigengrad/nn/build.h"
#include "tests/table_docs.h"

namespace eigengrad::nn {
namespace {

constexpr const char* kPath = "docs/layers.md";
constexpr const char* kUpdate = "EIGENGRAD_UPDATE_DOCS=1 build/release/bin/nn_tests --gtest_filter='LayerDocs.*'";

std::string reference() {
  return fmt::format(
      "# Layers and losses\n\n<!-- Written by {} -->\n\n"
      "What a configuration can name, with its options; in C++ they are `nn::Linear` and so on, made from a struct of "
      "the "
      "same\noptions (`nn::Linear({{.in_features = 2, .out_features = 3}})`). Names, arguments and defaults are "
      "PyTorch's. "
      "Every one is\ncompared with PyTorch: outputs, gradients, buffers, print-outs (`tests/nn/reference_test.cc`).\n\n"
      "Layers are held by `Sequential` (one after another), `Residual` (added to its input, or to what a shortcut "
      "makes of "
      "it) and\n`Graph` (by name, each reading those in its `\"from\"`; `\"shared\"` runs one again); `nn/build.h` "
      "shows how "
      "they are written.\nSequences are `[N, L, E]` in a configuration, so recurrent layers and attention need "
      "`\"batch_first\": true`, as in PyTorch.\n\n"
      "## Layers\n{}\n## Losses\n\nLosses of several inputs find them side by side along axis 1 of the model's output "
      "(`nn/loss.h`).\n{}",
      kUpdate, section(layers()), section(losses()));
}

TEST(LayerDocs, AreThoseOfTheTables) { expect_documented(kPath, reference(), kUpdate); }

}  // namespace
}  // namespace eigengrad::nn
