#include "http/chunked.h"

#include <gtest/gtest.h>

#include <string>

namespace http {
namespace {

struct Outcome {
  std::string body;
  bool done = false;
  std::string left;
  std::optional<base::Code> refused;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

// Feeds the text in pieces that end at `cut` and at every `step` bytes behind it.
Outcome decode(std::string_view text, std::size_t cut, std::size_t step, const ChunkedLimits& limits = {}) {
  ChunkedDecoder chunked(limits);
  Outcome out;
  while (!text.empty() && !out.done) {
    std::string_view piece = text.substr(0, cut == 0 ? step : cut);
    const std::size_t size = piece.size();
    cut = 0;
    while (!piece.empty() && !out.done) {
      const auto next = chunked.next(piece);
      if (!next) {
        out.refused = next.error().code;
        return out;
      }
      out.body += next->data;
      out.done = next->done;
    }
    text.remove_prefix(size - piece.size());
  }
  EXPECT_EQ(chunked.body_bytes(), out.body.size());
  out.left = text;
  return out;
}

// The outcome, after making sure that it is the same however the bytes are split.
Outcome decode(std::string_view text, const ChunkedLimits& limits = {}) {
  const Outcome whole = decode(text, 0, text.size() + 1, limits);
  EXPECT_EQ(decode(text, 0, 1, limits), whole) << text;
  for (std::size_t cut = 1; cut < text.size(); ++cut)
    EXPECT_EQ(decode(text, cut, text.size(), limits), whole) << text << " cut at " << cut;
  return whole;
}

void refused(std::string_view text, base::Code code = base::Code::kBadRequest,
             const ChunkedLimits& limits = {}) {
  EXPECT_EQ(decode(text, limits).refused, code) << text;
}

TEST(Chunked, GivesTheDataAndLeavesTheNextMessage) {
  const Outcome out = decode("5\r\nhello\r\nA\r\n, world!!!\r\n0\r\n\r\nGET /");
  EXPECT_EQ(out.body, "hello, world!!!");
  EXPECT_TRUE(out.done);
  EXPECT_EQ(out.left, "GET /");
}

TEST(Chunked, PassesOverExtensionsAndTrailers) {
  EXPECT_EQ(decode("3;a=b;c=\"d\"\r\nabc\r\n0;x\r\nTrailer: 1\r\nX:\r\n\r\n").body, "abc");
  EXPECT_TRUE(decode("0\r\n\r\n").done);
  EXPECT_TRUE(decode("000\r\n\r\n").done);
  EXPECT_EQ(decode("0000000000000001\r\nx\r\n0\r\n\r\n").body, "x");
}

TEST(Chunked, IsNotDoneBeforeItsEnd) {
  for (const char* text : {"", "5", "5\r", "5\r\n", "5\r\nhel", "5\r\nhello", "5\r\nhello\r\n", "0\r\n",
                           "0\r\n\r", "0\r\nX: y\r\n"}) {
    const Outcome out = decode(text);
    EXPECT_FALSE(out.done) << text;
    EXPECT_FALSE(out.refused) << text;
  }
}

TEST(Chunked, RefusesSizesThatReadersDisagreeAbout) {
  for (const char* size : {"", "0x5", "+5", "-5", " 5", "5 ", "5\t", "g", "5g", "5.", "5,", "5 ;a",
                           "00000000000000005", "10000000000000000", "fffffffffffffffff", "\"5\""})
    refused(std::string(size) + "\r\nhello\r\n0\r\n\r\n");
}

TEST(Chunked, RefusesEveryLineEndButCrlf) {
  for (const char* text : {"5\nhello\r\n0\r\n\r\n", "5\r\rhello", "5\r\nhello\n0\r\n\r\n",
                           "5\r\nhello0\r\n\r\n", "5\r\nhelloX\r\n0\r\n\r\n", "5\r\nhello\r0\r\n\r\n",
                           "0\n\n", "0\r\n\n", "0\r\n\rX", "5;a\nhello\r\n", "5;a=\"\n\"\r\nhello\r\n",
                           "5;a=\"\r\n\"\r\nhello\r\n0\r\n\r\n", "0\r\nA: b\n\r\n", "0\r\nA: b\rc\r\n\r\n"})
    refused(text);
}

TEST(Chunked, RefusesMalformedExtensionsAndTrailers) {
  for (const char* text :
       {"5;\x01\r\nhello", "5;\x7f\r\n", "0\r\n x\r\n\r\n", "0\r\nA b: c\r\n\r\n", "0\r\n: c\r\n\r\n",
        "0\r\nA\r\n\r\n", "0\r\nA : b\r\n\r\n", "0\r\nA: \x02\r\n\r\n", "0\r\nA: b\r\n c\r\n\r\n"})
    refused(text);
}

TEST(Chunked, HoldsItsLimits) {
  ChunkedLimits limits;
  limits.body = 8;
  limits.extension = 4;
  limits.extensions = 6;
  limits.trailers = 8;
  EXPECT_EQ(decode("5\r\nhello\r\n3\r\nabc\r\n0\r\n\r\n", limits).body, "helloabc");
  refused("9\r\n", base::Code::kBodyTooLarge, limits);
  refused("5\r\nhello\r\n4\r\n", base::Code::kBodyTooLarge, limits);
  refused("5\r\nhello\r\nffffffffffffffff\r\n", base::Code::kBodyTooLarge, limits);
  EXPECT_TRUE(decode("1;abcd\r\nx\r\n0\r\n\r\n", limits).done);
  refused("1;abcde\r\nx\r\n0\r\n\r\n", base::Code::kBadRequest, limits);
  refused("1;abc\r\nx\r\n1;abcd\r\nx\r\n0\r\n\r\n", base::Code::kBadRequest, limits);
  EXPECT_TRUE(decode("0\r\nA: bcd\r\n\r\n", limits).done);
  refused("0\r\nA: bcde\r\n\r\n", base::Code::kBadRequest, limits);
}

TEST(Chunked, NamesTheSideWhoseFaultItIsAndStaysRefused) {
  ChunkedDecoder chunked({}, base::Code::kOriginBadReply);
  std::string_view in = "x";
  EXPECT_EQ(chunked.next(in).error().code, base::Code::kOriginBadReply);
  in = "5\r\nhello";
  EXPECT_EQ(chunked.next(in).error().code, base::Code::kOriginBadReply);
}

TEST(Chunked, IsWrittenAsItIsRead) {
  for (const std::uint64_t size : {std::uint64_t{1}, std::uint64_t{255}, std::uint64_t{65536}, UINT64_MAX}) {
    char header[kChunkHeaderMax];
    const std::size_t n = write_chunk_header(size, header);
    std::string_view in(header, n);
    ChunkedDecoder chunked;
    ASSERT_TRUE(chunked.next(in).has_value());
    EXPECT_EQ(chunked.chunk_left(), size);
  }
  EXPECT_TRUE(decode(kLastChunk).done);
}

}  // namespace
}  // namespace http
