#include "prove/record/markup.h"

#include <gtest/gtest.h>

namespace prove {
namespace {

TEST(Markup, HtmlEscapesWhatEndsTextOrAttribute) {
  EXPECT_EQ(html("<script>\"&'"), "&lt;script&gt;&quot;&amp;&#39;");
}

TEST(Markup, CleanReplacesWhatXmlCannotCarry) {
  EXPECT_EQ(clean("a\x01\x1b[31m\x7f"), "a\uFFFD\uFFFD[31m\uFFFD");
  EXPECT_EQ(clean("tab\tand\nline"), "tab\tand\nline");
  EXPECT_EQ(clean("\uFFFE"), "\uFFFD");
  EXPECT_EQ(clean("\u009b31m"), "\uFFFD31m") << "a terminal takes it for the start of a sequence";
  EXPECT_EQ(clean("é 関所 😀"), "é 関所 😀");
}

TEST(Markup, CleanReplacesBadUtf8) {
  EXPECT_EQ(clean("\xff"), "\uFFFD");
  EXPECT_EQ(clean("\xc0\xaf"), "\uFFFD\uFFFD") << "overlong";
  EXPECT_EQ(clean("\xe0\x80\xaf"), "\uFFFD\uFFFD\uFFFD") << "overlong";
  EXPECT_EQ(clean("\xed\xa0\x80"), "\uFFFD\uFFFD\uFFFD") << "surrogate";
  EXPECT_EQ(clean("\xf5\x80\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD") << "beyond U+10FFFF";
  EXPECT_EQ(clean("cut \xe9\x96"), "cut \uFFFD\uFFFD");
}

TEST(Markup, MarkdownKeepsTableAndMentionsHarmless) {
  EXPECT_EQ(markdown("a|b\nc"), "a\\|b c");
  EXPECT_EQ(markdown("<img>`*[x]"), "\\<img\\>\\`\\*\\[x\\]");
  EXPECT_EQ(markdown("@team"), "@\u200Bteam");
}

TEST(Markup, JsonIslandCannotEndItsScript) {
  EXPECT_EQ(json_island(R"({"a":"</script><!--"})"), R"({"a":"\u003c/script>\u003c!--"})");
}

}  // namespace
}  // namespace prove
