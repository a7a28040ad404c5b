// Small good files of every format (tests/fuzz/seeds, made by make_files.py), damaged in every simple way: each must be
// taken for what it then is, or refused by an exception of the right kind.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/readers.h"

namespace eigengrad::fuzz {
namespace {

using Bytes = std::vector<std::uint8_t>;

// Of a long file the bits are flipped at its start, where formats keep what matters.
constexpr std::size_t kMostFlipped = 1000;

class Damage : public testing::TestWithParam<std::string> {
 protected:
  std::string refusal(const Bytes& bytes) {
    file_.fill(bytes.data(), bytes.size());
    return refusal_of(find_reader(GetParam()), file_.path());
  }
  std::vector<Bytes> seeds() const {
    std::vector<Bytes> all;
    for (const auto& entry :
         std::filesystem::directory_iterator(EIGENGRAD_SOURCE_DIR "/tests/fuzz/seeds/" + GetParam())) {
      std::ifstream in(entry.path(), std::ios::binary);
      all.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }
    return all;
  }

 private:
  MemoryFile file_;
};

TEST_P(Damage, TheSeedsAreGood) {
  const std::vector<Bytes> all = seeds();
  EXPECT_FALSE(all.empty());
  for (const Bytes& seed : all) EXPECT_EQ(refusal(seed), "");
}

TEST_P(Damage, EveryTruncationIsHandled) {
  int refused = 0;
  for (const Bytes& seed : seeds())
    for (std::size_t size = 0; size < seed.size(); ++size)
      EXPECT_NO_THROW(refused +=
                      !refusal(Bytes(seed.begin(), seed.begin() + static_cast<std::ptrdiff_t>(size))).empty())
          << size;
  EXPECT_GT(refused, 0);
}

TEST_P(Damage, EveryFlippedBitIsHandled) {
  int refused = 0;
  for (const Bytes& seed : seeds())
    for (std::size_t bit = 0; bit < 8 * std::min(seed.size(), kMostFlipped); ++bit) {
      Bytes flipped = seed;
      flipped[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
      EXPECT_NO_THROW(refused += !refusal(flipped).empty()) << bit;
    }
  EXPECT_GT(refused, 0);
}

TEST_P(Damage, EveryLostByteIsHandled) {
  for (const Bytes& seed : seeds())
    for (std::size_t at = 0; at < std::min(seed.size(), kMostFlipped); ++at) {
      Bytes shorter = seed;
      shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(at));
      EXPECT_NO_THROW(refusal(shorter)) << at;
    }
}

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const Reader& reader : readers()) all.emplace_back(reader.name);
  return all;
}

INSTANTIATE_TEST_SUITE_P(Readers, Damage, testing::ValuesIn(names()), [](const auto& test) { return test.param; });

}  // namespace
}  // namespace eigengrad::fuzz
