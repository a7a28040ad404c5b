#include "eigengrad/core/utf8.h"

#include <gtest/gtest.h>

#include "eigengrad/core/file.h"

namespace eigengrad {
namespace {

TEST(Utf8, KnowsCharacters) {
  for (const char* good : {"", "a", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                           "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "a\xC3\xA9\xE6\xBC\xA2"})
    EXPECT_TRUE(is_utf8(good)) << good;
  for (const char* bad : {"\x80", "\xC1\xBF", "\xC3", "\xC3\x28", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
                          "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "a\xFF"})
    EXPECT_FALSE(is_utf8(bad)) << bad;
  EXPECT_EQ(utf8_length("a\xE6\xBC\xA2", 1), 3u);
  EXPECT_EQ(utf8_length("a\xE6\xBC\xA2", 2), 0u);
}

TEST(Printable, EscapesWhatATerminalMayObey) {
  EXPECT_EQ(printable("plain \xC3\xA9 \xE6\xBC\xA2"), "plain \xC3\xA9 \xE6\xBC\xA2");
  EXPECT_EQ(printable("\x1B[2J\n\x7F"), "\\x1b[2J\\x0a\\x7f");
  EXPECT_EQ(printable("\xC2\x9B\xC2\xA0"), "\\xc2\\x9b\xC2\xA0");  // U+009B begins commands, as ESC [ does
  EXPECT_EQ(printable("\xE9z\xFF"), "\\xe9z\\xff");
}

}  // namespace
}  // namespace eigengrad
