#include "prove/wire/inflater.h"

#include <gtest/gtest.h>

#include <string>

namespace prove {
namespace {

std::string gzip(std::string_view text) {
  z_stream stream{};
  EXPECT_EQ(::deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(::deflateBound(&stream, text.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(::deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}

struct Result {
  std::string text, why;
};
Result inflated(std::string_view coded, std::size_t piece) {
  Inflater inflater;
  inflater.start();
  Result out;
  for (std::size_t at = 0; at < coded.size(); at += piece)
    if (!inflater.feed(coded.substr(at, piece), [&](std::string_view t) { out.text += t; })) break;
  inflater.whole();
  out.why = inflater.why();
  return out;
}

TEST(InflaterTest, GivesWhatWentInHoweverItComes) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += std::to_string(i) + " ";
  const std::string coded = gzip(text);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, coded.size()}) {
    const Result r = inflated(coded, piece);
    EXPECT_EQ(r.why, "");
    EXPECT_TRUE(r.text == text) << piece;
  }
}

TEST(InflaterTest, ReadsMembersOneAfterTheOther) {
  EXPECT_EQ(inflated(gzip("one ") + gzip("two"), 3).text, "one two");
  EXPECT_EQ(inflated(gzip("") + gzip("two"), 100).text, "two");
}

TEST(InflaterTest, TakesNoBytesForAnEmptyBody) {
  EXPECT_EQ(inflated("", 1).why, "");
  EXPECT_EQ(inflated(gzip(""), 1).why, "");
}

TEST(InflaterTest, SaysWhatIsWrong) {
  const std::string coded = gzip("what is cut off is not whole");
  EXPECT_EQ(inflated(coded.substr(0, coded.size() - 1), 5).why, "it is cut off");
  EXPECT_EQ(inflated("plain text", 100).why, "it is no gzip");
  EXPECT_EQ(inflated(coded + "rest", 100).why, "it is no gzip");
  std::string broken = coded;
  broken[broken.size() - 6] = static_cast<char>(broken[broken.size() - 6] ^ 1);  // of the checksum
  EXPECT_EQ(inflated(broken, 100).why, "it is no gzip");
}

TEST(InflaterTest, IsBoundedAndUsedAgain) {
  const std::string coded = gzip(std::string(1 << 20, 'x'));
  std::string many;
  for (int i = 0; i < 257; ++i) many += coded;
  Inflater inflater;
  inflater.start();
  EXPECT_FALSE(inflater.feed(many, [](std::string_view) {}));
  EXPECT_EQ(inflater.why(), "more than 256 MiB come out of it");
  inflater.start();
  std::string out;
  EXPECT_TRUE(inflater.feed(gzip("again"), [&](std::string_view t) { out += t; }) && inflater.whole());
  EXPECT_EQ(out, "again");
}

}  // namespace
}  // namespace prove
