#include "eigengrad/io/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "eigengrad/core/error.h"
#include "eigengrad/io/graph.h"
#include "tests/temp_folder.h"

namespace eigengrad::io {
namespace {

TEST(File, IsReplacedWhole) {
  const TempFolder folder;
  const std::string path = folder.file("a.txt");
  write_file(path, "first");
  EXPECT_EQ(read_file(path, 100), "first");
  const std::string_view pieces[] = {"one ", "", "two"};
  write_file(path, pieces);
  EXPECT_EQ(read_file(path, 100), "one two");
  EXPECT_EQ(folder.files(), std::vector<std::string>{"a.txt"});
}

TEST(File, AFailureLeavesTheOldOneAlone) {
  const TempFolder folder;
  EXPECT_THROW(write_file(folder.file("missing/a.txt"), "x"), IoError);
  std::filesystem::create_directory(folder.file("taken"));
  std::filesystem::create_directory(folder.file("taken/inside"));
  EXPECT_THROW(write_file(folder.file("taken"), "x"), IoError);  // a folder cannot be replaced by a file
  EXPECT_EQ(folder.files(), std::vector<std::string>{"taken"});
}

TEST(File, OnlyRegularFilesOfALimitedSizeAreRead) {
  const TempFolder folder;
  write_file(folder.file("a"), "12345");
  EXPECT_EQ(read_file(folder.file("a"), 5), "12345");
  EXPECT_THROW(read_file(folder.file("a"), 4), FormatError);
  EXPECT_THROW(read_file(folder.file("none"), 4), IoError);
  EXPECT_THROW(read_file(folder.path(), 4), IoError);
  ASSERT_EQ(mkfifo(folder.file("fifo").c_str(), 0600), 0);
  EXPECT_THROW(read_file(folder.file("fifo"), 4), IoError);
}

TEST(File, WhatIsWrittenIsSummedUp) {
  const TempFolder folder;
  const std::string large(100'000, 'x');
  const std::string_view pieces[] = {"small", large, "", "end"};
  const Written written = write_file(folder.file("a"), pieces);
  EXPECT_EQ(written.bytes, 100'008u);
  EXPECT_EQ(written.checksum, checksum_of_file(folder.file("a")));
  EXPECT_EQ(written.checksum, checksum("small" + large + "end"));
}

TEST(File, FoldersAreMadeWithThoseAbove) {
  const TempFolder folder;
  make_folders(folder.file("a/b/c/"));
  EXPECT_TRUE(std::filesystem::is_directory(folder.file("a/b/c")));
  make_folders(folder.file("a/b"));
  write_file(folder.file("file"), "x");
  EXPECT_THROW(make_folders(folder.file("file")), IoError);
  EXPECT_THROW(make_folders(folder.file("file/below")), IoError);
}

TEST(FolderLock, KeepsAFolderToOneAndCanBeAskedAbout) {
  const TempFolder folder;
  EXPECT_FALSE(is_locked(folder.path()));
  {
    const FolderLock lock(folder.path());
    EXPECT_TRUE(is_locked(folder.path()));
    EXPECT_TRUE(is_locked(folder.path())) << "asking changes nothing";
    EXPECT_THROW(FolderLock(folder.path()), IoError);
  }
  EXPECT_FALSE(is_locked(folder.path()));
  EXPECT_NO_THROW(FolderLock(folder.path()));
  EXPECT_FALSE(is_locked(folder.file("none")));
}

TEST(Svg, IsDrawnWhereGraphvizIs) {
  const TempFolder folder;
  write_file(folder.file("g.dot"), "digraph { a -> b }");
  if (!render_svg(folder.file("g.dot"), folder.file("g.svg"))) GTEST_SKIP() << "Graphviz is not there";
  EXPECT_NE(read_file(folder.file("g.svg"), 1 << 20).find("<svg"), std::string::npos);
  write_file(folder.file("bad.dot"), "digraph {");
  EXPECT_THROW(render_svg(folder.file("bad.dot"), folder.file("bad.svg")), IoError);
}

}  // namespace
}  // namespace eigengrad::io
