#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "text/json_reader.h"
#include "text/json_text.h"
#include "text/json_writer.h"
#include "text/utf8.h"

namespace text {
namespace {

std::string escaped(std::string_view s) {
  std::string out;
  append_json(out, s);
  return out;
}

TEST(JsonText, IsQuotedEscapedAndAlwaysUtf8) {
  EXPECT_EQ(escaped("a\"b\\c\n\x01\x7f"), "\"a\\\"b\\\\c\\u000a\\u0001\\u007f\"");
  EXPECT_EQ(escaped("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"), "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"");
  EXPECT_EQ(escaped("\xff"
                    "a\xc3"),
            "\"\\ufffda\\ufffd\"");
  EXPECT_EQ(escaped("\xed\xa0\x80"), "\"\\ufffd\\ufffd\\ufffd\"") << "a surrogate";
  EXPECT_EQ(escaped("\xc0\xaf"), "\"\\ufffd\\ufffd\"") << "overlong";
  EXPECT_EQ(escaped("\xf4\x90\x80\x80"), "\"\\ufffd\\ufffd\\ufffd\\ufffd\"") << "above U+10FFFF";
  EXPECT_EQ(escaped("\xc2\x9b"), "\"\\u009b\"") << "a terminal's control sequence introducer";
  EXPECT_EQ(escaped(""), "\"\"");
}

TEST(Utf8, IsToldFromWhatLooksLikeIt) {
  EXPECT_TRUE(valid_utf8(""));
  EXPECT_TRUE(
      valid_utf8("plain text of more than sixteen bytes, \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80 and on"));
  for (const std::string_view bad : {"\x80", "\xc0\xaf", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80",
                                     "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"})
    EXPECT_FALSE(valid_utf8("plain text of more than sixteen bytes " + std::string(bad))) << escaped(bad);
}

TEST(Utf8, IsWrittenAsItIsRead) {
  for (const std::uint32_t point : {0x24U, 0x7fU, 0x80U, 0x7ffU, 0x800U, 0xffffU, 0x10000U, 0x10ffffU}) {
    std::string out;
    append_utf8(point, out);
    EXPECT_EQ(utf8_length(out), out.size()) << point;
  }
}

bool takes(std::string_view text) {
  JsonSpace space;
  JsonReader in(text, space);
  for (std::string_view name; in.next(name);) in.skip();
  return in.complete();
}

TEST(JsonReader, TakesAnObjectAndNothingButWhiteSpaceAround) {
  EXPECT_TRUE(takes("{}"));
  EXPECT_TRUE(takes(" \t\r\n{} \t\r\n"));
  EXPECT_TRUE(takes(R"({ "a": [1, -2.5e3, null, true, {"b": "c"}], "d": "\ud83d\ude00" })"));
  for (const std::string_view bad : {"",
                                     "[]",
                                     "1",
                                     "{",
                                     R"({"a":1)",
                                     R"({"a":1,})",
                                     R"({"a" 1})",
                                     " ",
                                     "{}\v",
                                     "\f{}",
                                     "{}\xc2\xa0",
                                     "\xef\xbb\xbf{}",
                                     "{} {}",
                                     "{}{}",
                                     R"({"a":01})",
                                     R"({"a":1.})",
                                     R"({"a":+1})",
                                     R"({"a":1e999})",
                                     R"({"a":nul})",
                                     R"({'a':1})",
                                     R"({"a":"\x"})",
                                     R"({"a":"\ud83d"})",
                                     R"({"a":"\udc00"})",
                                     "{\"a\":\"\n\"}",
                                     "{\"a\":\"\xff\"}"})
    EXPECT_FALSE(takes(bad)) << bad;
}

TEST(JsonReader, RefusesANameThatStandsTwiceHoweverItIsSpelt) {
  EXPECT_FALSE(takes(R"({"a":1,"b":2,"a":3})"));
  EXPECT_FALSE(takes(R"({"a":1,"\u0061":3})"));
  EXPECT_FALSE(takes(R"({"x":{"a":1,"a":3}})"));
  EXPECT_FALSE(takes(R"({"x":[{"a":1,"a":3}]})"));
  EXPECT_TRUE(takes(R"({"a":{"a":1},"b":{"a":3}})"));
  std::string many = "{";
  for (int i = 0; i < 100; ++i) many += "\"n" + std::to_string(i) + "\":1,";
  EXPECT_TRUE(takes(many + "\"m\":1}"));
  EXPECT_FALSE(takes(many + "\"n7\":1}"));
}

TEST(JsonReader, BoundsTheDepth) {
  const auto nested = [](int depth) {
    return R"({"a":)" + std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']') + "}";
  };
  EXPECT_TRUE(takes(nested(JsonReader::kMaxDepth - 1)));
  EXPECT_FALSE(takes(nested(JsonReader::kMaxDepth)));
}

TEST(JsonReader, HandsOutStringsNumbersAndListsOfStrings) {
  JsonSpace space;
  JsonReader in(R"({"s":"a\tb","n":-12.5,"l":["x","\u00e4"]})", space);
  std::string_view name, string;
  double number = 0;
  std::vector<std::string> list;
  ASSERT_TRUE(in.next(name) && in.string(string));
  ASSERT_TRUE(in.next(name) && in.number(number));
  ASSERT_TRUE(in.next(name) && in.strings([&](std::string_view item) { list.emplace_back(item); }));
  EXPECT_FALSE(in.next(name));
  EXPECT_TRUE(in.complete());
  EXPECT_EQ(string, "a\tb");
  EXPECT_EQ(number, -12.5);
  EXPECT_EQ(list, (std::vector<std::string>{"x", "\xc3\xa4"}));
}

TEST(JsonReader, HandsOutFlagsListsAndObjectsAsTheyStand) {
  JsonSpace space;
  JsonReader in(R"({"yes":true,"no":false,"l":[1, {"x":[]} ,"s"],"e":[ ],"o":{ "a" : 1 }})", space);
  std::string_view name, raw;
  bool yes = false, no = true;
  std::vector<std::string> items;
  const auto item = [&] {
    if (!in.raw(raw)) return false;
    items.emplace_back(raw);
    return true;
  };
  ASSERT_TRUE(in.next(name) && in.at_boolean() && in.boolean(yes));
  ASSERT_TRUE(in.next(name) && in.boolean(no));
  ASSERT_TRUE(in.next(name) && in.at_array() && in.items(item));
  EXPECT_EQ(items, (std::vector<std::string>{"1", R"({"x":[]})", R"("s")"}));
  ASSERT_TRUE(in.next(name) && in.items(item));
  EXPECT_EQ(items.size(), 3U);
  ASSERT_TRUE(in.next(name) && in.at_object() && in.raw(raw));
  EXPECT_EQ(raw, R"({ "a" : 1 })");
  EXPECT_FALSE(in.next(name));
  EXPECT_TRUE(in.complete());
  EXPECT_TRUE(yes);
  EXPECT_FALSE(no);
}

TEST(JsonReader, FailsAListThatIsNoneOrWhoseItemIsRefused) {
  for (const std::string_view bad :
       {R"({"l":[1,]})", R"({"l":[1 2]})", R"({"l":[1})", R"({"l":1})", R"({"l":[x]})"}) {
    JsonSpace space;
    JsonReader in(bad, space);
    std::string_view name, raw;
    ASSERT_TRUE(in.next(name));
    EXPECT_FALSE(in.items([&] { return in.raw(raw); })) << bad;
    EXPECT_FALSE(in.complete());
  }
  JsonSpace space;
  JsonReader in(R"({"l":[1,2]})", space);
  std::string_view name;
  ASSERT_TRUE(in.next(name));
  EXPECT_FALSE(in.items([] { return false; }));
  EXPECT_FALSE(in.complete());
}

TEST(JsonWriter, PutsTheCommas) {
  std::string out;
  JsonWriter(out)
      .object()
      .member("a", 1)
      .member("b", "x\"")
      .member("c", true)
      .key("d")
      .array()
      .value(-2)
      .value(0.5)
      .object()
      .end_object()
      .array()
      .end_array()
      .json("null")
      .end_array()
      .member("e", std::string("z"))
      .end_object();
  EXPECT_EQ(out, R"({"a":1,"b":"x\"","c":true,"d":[-2,0.5,{},[],null],"e":"z"})");
}

}  // namespace
}  // namespace text
