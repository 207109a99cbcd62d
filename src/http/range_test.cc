#include "http/range.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace http {
namespace {

using Kind = RangeSet::Kind;
using testing::ElementsAre;

RangeSet parse(std::string_view value, std::uint64_t size = 100) {
  return parse_range(value, size);
}

void expect_ranges(std::string_view value, const std::vector<ByteRange>& expected, std::uint64_t size = 100) {
  const RangeSet set = parse(value, size);
  ASSERT_EQ(set.kind, Kind::kSatisfiable) << value;
  EXPECT_EQ(std::vector<ByteRange>(set.ranges().begin(), set.ranges().end()), expected) << value;
}

TEST(Range, IsCutToTheObject) {
  expect_ranges("bytes=0-0", {{0, 0}});
  expect_ranges("bytes=10-19", {{10, 19}});
  expect_ranges("bytes=90-", {{90, 99}});
  expect_ranges("bytes=90-1000", {{90, 99}});
  expect_ranges("bytes=-10", {{90, 99}});
  expect_ranges("bytes=-1000", {{0, 99}});
  expect_ranges("Bytes=0-18446744073709551615", {{0, 99}});
  expect_ranges("bytes=0-0, 5-6,-1", {{0, 0}, {5, 6}, {99, 99}});
  expect_ranges("bytes=18446744073709551614-", {{UINT64_MAX - 1, UINT64_MAX - 1}}, UINT64_MAX);
}

TEST(Range, IsUnsatisfiableWhenNothingOfItIsThere) {
  for (const char* v : {"bytes=100-", "bytes=100-200", "bytes=-0", "bytes=100-,200-"})
    EXPECT_EQ(parse(v).kind, Kind::kUnsatisfiable) << v;
  EXPECT_EQ(parse("bytes=0-", 0).kind, Kind::kUnsatisfiable);
  EXPECT_EQ(parse("bytes=-5", 0).kind, Kind::kUnsatisfiable);
  expect_ranges("bytes=200-, 5-6", {{5, 6}});
}

TEST(Range, IsIgnoredWhenItIsMalformedOrNotInBytes) {
  for (const char* v : {"",
                        "bytes",
                        "bytes=",
                        "bytes=,",
                        "bytes=-",
                        "bytes=a-b",
                        "bytes=5",
                        "bytes=6-5",
                        "bytes=1-2-3",
                        "items=0-5",
                        "bytes 0-5",
                        "bytes=0 -5",
                        "bytes=0-5, x",
                        "bytes=+1-2",
                        "bytes=0x1-2",
                        "bytes=--5",
                        "bytes =0-5",
                        "bytes=18446744073709551616-",
                        "bytes=-18446744073709551616",
                        "bytes=0-18446744073709551616"})
    EXPECT_EQ(parse(v).kind, Kind::kIgnore) << v;
}

TEST(Range, MergesWhatOverlapsOrTouchesInTheOrderOfAsking) {
  expect_ranges("bytes=0-4,5-9", {{0, 9}});
  expect_ranges("bytes=5-9,0-4", {{0, 9}});
  expect_ranges("bytes=50-59,0-9,60-69", {{50, 69}, {0, 9}});
  expect_ranges("bytes=0-9,20-29,5-24", {{0, 29}});
  expect_ranges("bytes=80-89,0-9,20-29,10-19", {{80, 89}, {0, 29}});
  expect_ranges("bytes=0-9,20-29,40-49,10-39", {{0, 49}});
}

TEST(Range, IsIgnoredWhenItLooksLikeAnAttack) {
  std::string many = "bytes=0-0";
  for (int i = 1; i < 16; ++i) many += "," + std::to_string(2 * i) + "-" + std::to_string(2 * i);
  EXPECT_EQ(parse(many).size(), 16u);
  EXPECT_EQ(parse(many + ",50-50").kind, Kind::kIgnore);
  EXPECT_EQ(parse("bytes=0-,0-,0-").kind, Kind::kSatisfiable);
  EXPECT_EQ(parse("bytes=0-,0-,0-,0-").kind, Kind::kIgnore);
}

TEST(ContentRange, IsWrittenAndReadBack) {
  std::string text;
  append_content_range({5, 9}, 100, text);
  EXPECT_EQ(text, "bytes 5-9/100");
  const auto back = parse_content_range(text);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->range, (ByteRange{5, 9}));
  EXPECT_EQ(back->size, 100u);
  EXPECT_EQ(parse_content_range("bytes 0-0/*")->size, std::nullopt);
  std::string none;
  append_unsatisfied(UINT64_MAX, none);
  EXPECT_EQ(none, "bytes */18446744073709551615");
}

TEST(ContentRange, IsNotBelievedWhenItContradictsItself) {
  for (const char* v :
       {"", "bytes", "bytes 5-4/10", "bytes 0-10/10", "bytes */10", "items 0-1/2", "bytes 0-1", "bytes 0-1/",
        "bytes a-1/2", "bytes 0/1-2", "bytes 0-1/2/3", "bytes 0-18446744073709551615/*"})
    EXPECT_FALSE(parse_content_range(v)) << v;
}

TEST(Multipart, IsAsLongAsItSays) {
  const std::string boundary = make_boundary();
  EXPECT_EQ(boundary.size(), 24u);
  EXPECT_NE(boundary, make_boundary());
  const ByteRange ranges[] = {{0, 4}, {90, 99}};
  std::string body;
  for (const ByteRange& r : ranges) {
    append_part_head(boundary, "text/plain", r, 100, body);
    body += std::string(r.length(), 'x');
  }
  append_multipart_end(boundary, body);
  EXPECT_EQ(body.size(), multipart_length(boundary, "text/plain", ranges, 100));
  EXPECT_EQ(body,
            "\r\n--" + boundary +
                "\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-4/100\r\n\r\nxxxxx\r\n--" + boundary +
                "\r\nContent-Type: text/plain\r\nContent-Range: bytes 90-99/100\r\n\r\nxxxxxxxxxx\r\n--" +
                boundary + "--\r\n");
}

}  // namespace
}  // namespace http
