#include "prove/wire/reply_parser.h"

#include <gtest/gtest.h>

#include <vector>

namespace prove {
namespace {

using Event = ReplyParser::Event;

struct Seen {
  bool whole = false, bad = false;
  int heads = 0;
  std::uint16_t status = 0;
  std::string body, etag, rest;
  bool keep_alive = false;
  friend bool operator==(const Seen&, const Seen&) = default;
};

// Feeds pieces that end at the given places; each piece lies in memory of its own, so that what is kept of an
// earlier one shows under AddressSanitizer.
Seen read(std::string_view text, const std::vector<std::size_t>& cuts, bool to_head, bool then_end) {
  ReplyParser parser;
  parser.start(to_head);
  Seen seen;
  const auto take = [&](std::string_view in) {
    for (;;) {
      switch (parser.next(in)) {
        case Event::kMore:
          EXPECT_TRUE(in.empty());
          return false;
        case Event::kHead:
          ++seen.heads;
          seen.status = parser.status();
          seen.etag = parser.find("etag").value_or("none");
          break;
        case Event::kBody:
          seen.body += parser.piece();
          break;
        case Event::kEnd:
          seen.whole = true;
          seen.keep_alive = parser.keep_alive();
          seen.rest += in;
          return true;
        case Event::kBad:
          seen.bad = true;
          return true;
      }
    }
  };
  std::size_t from = 0;
  for (std::size_t i = 0; i <= cuts.size(); ++i) {
    const std::size_t to = i < cuts.size() ? cuts[i] : text.size();
    const std::vector<char> piece(text.begin() + static_cast<std::ptrdiff_t>(from),
                                  text.begin() + static_cast<std::ptrdiff_t>(to));
    from = to;
    if (take({piece.data(), piece.size()})) {
      if (seen.whole) seen.rest += text.substr(from);
      return seen;
    }
  }
  if (then_end) {
    const Event end = parser.ended();
    seen.whole = end == Event::kEnd;
    seen.bad = end == Event::kBad;
    seen.keep_alive = parser.keep_alive();
  }
  return seen;
}

// In one piece; and the same however it is cut in two, and byte by byte.
Seen read(std::string_view text, bool to_head = false, bool then_end = false) {
  const Seen whole = read(text, {}, to_head, then_end);
  std::vector<std::size_t> all;
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    EXPECT_EQ(read(text, {cut}, to_head, then_end), whole) << "cut at " << cut;
    all.push_back(cut);
  }
  EXPECT_EQ(read(text, all, to_head, then_end), whole) << "byte by byte";
  return whole;
}

TEST(ReplyParserTest, ReadsABodyOfKnownLengthAndLeavesWhatFollows) {
  const Seen seen = read("HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 ");
  EXPECT_TRUE(seen.whole);
  EXPECT_EQ(seen.heads, 1);
  EXPECT_EQ(seen.status, 200);
  EXPECT_EQ(seen.etag, "\"a\"");
  EXPECT_EQ(seen.body, "hello");
  EXPECT_EQ(seen.rest, "HTTP/1.1 ");
  EXPECT_TRUE(seen.keep_alive);
}

TEST(ReplyParserTest, ReadsChunksWithExtensionsAndTrailers) {
  const Seen seen = read(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
      "5\r\nhello\r\n00a ; name=\"value\"\r\n, world!!!\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n");
  EXPECT_TRUE(seen.whole);
  EXPECT_EQ(seen.body, "hello, world!!!");
  EXPECT_TRUE(seen.keep_alive);
}

TEST(ReplyParserTest, ReadsUntilTheConnectionEndsWhereNoLengthIsGiven) {
  const Seen seen = read("HTTP/1.1 200 OK\r\n\r\nall of it", false, true);
  EXPECT_TRUE(seen.whole);
  EXPECT_EQ(seen.body, "all of it");
  EXPECT_FALSE(seen.keep_alive);
}

TEST(ReplyParserTest, TakesNoBodyAfterHead204And304) {
  EXPECT_TRUE(read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true).whole);
  EXPECT_TRUE(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true).whole);
  EXPECT_TRUE(read("HTTP/1.1 204 No Content\r\n\r\n").whole);
  EXPECT_TRUE(read("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n").whole);
}

TEST(ReplyParserTest, SkipsInterimReplies) {
  const Seen seen = read(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nETag: \"no\"\r\n\r\n"
      "HTTP/1.1 201 Created\r\nETag: \"yes\"\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_EQ(seen.heads, 1);
  EXPECT_EQ(seen.status, 201);
  EXPECT_EQ(seen.etag, "\"yes\"");
  EXPECT_EQ(seen.body, "ok");
}

TEST(ReplyParserTest, SaysThatTheConnectionEndsWithTheReply) {
  EXPECT_FALSE(read("HTTP/1.1 200 OK\r\nConnection: x , Close\r\nContent-Length: 0\r\n\r\n").keep_alive);
  EXPECT_FALSE(read("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").keep_alive);
  EXPECT_TRUE(read("HTTP/1.1 200 OK\r\nConnection: closed\r\nContent-Length: 0\r\n\r\n").keep_alive);
}

TEST(ReplyParserTest, IsCutOffWhereTheConnectionEndsFirst) {
  for (const std::string_view text :
       {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "HTTP/1.1 100 Continue\r\n\r\n"})
    EXPECT_TRUE(read(text, false, true).bad) << text;
}

TEST(ReplyParserTest, RefusesWhatIsAmbiguousOrNoHttp) {
  for (const std::string_view text : {
           "SSH-2.0-OpenSSH_9\r\n",
           "HTTP/2 200 OK\r\n\r\n",
           "HTTP/1.2 200 OK\r\n\r\n",
           "HTTP/1.1  200 OK\r\n\r\n",
           "HTTP/1.1 20 OK\r\n\r\n",
           "HTTP/1.1 2000 OK\r\n\r\n",
           "HTTP/1.1 099 OK\r\n\r\n",
           "HTTP/1.1 600 OK\r\n\r\n",
           "HTTP/1.1 101 Switching\r\n\r\n",
           "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
           "HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n",
           "HTTP/1.1 200 OK\r\nA: b\rC: d\r\n\r\n",
           "HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n",
           "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
           "HTTP/1.1 200 OK\r\n: b\r\n\r\n",
           "HTTP/1.1 200 OK\r\nnothing\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nno field\r\n\r\n",
       })
    EXPECT_TRUE(read(text).bad) << text;
  EXPECT_TRUE(read(std::string_view("HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n", 27)).bad);
}

TEST(ReplyParserTest, BoundsHeadsAndLines) {
  const std::string head = "HTTP/1.1 200 OK\r\nA: " + std::string(ReplyParser::kMaxHead, 'a');
  EXPECT_TRUE(read(head, {}, false, false).bad);
  EXPECT_TRUE(read(head, {10, 20'000}, false, false).bad);
  const std::string chunk =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;" + std::string(9'000, 'x');
  EXPECT_TRUE(read(chunk, {}, false, false).bad);
  EXPECT_TRUE(read(chunk, {60, 5'000}, false, false).bad);
}

TEST(ReplyParserTest, StartsAnew) {
  ReplyParser parser;
  parser.start(false);
  std::string_view junk = "junk";
  EXPECT_EQ(parser.next(junk), Event::kBad);
  EXPECT_FALSE(parser.why().empty());
  parser.start(false);
  EXPECT_FALSE(parser.begun());
  std::string_view fine = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  EXPECT_EQ(parser.next(fine), Event::kHead);
  EXPECT_TRUE(parser.begun());
  EXPECT_EQ(parser.next(fine), Event::kEnd);
}

}  // namespace
}  // namespace prove
