#include "http/response_head.h"

#include <gtest/gtest.h>

#include <string>

namespace http {
namespace {

const HeadLimits kLimits;

ResponseHead accepted(const std::string& text, Method method = Method::kGet) {
  ResponseHead head;
  const auto used = parse_response(text, method, kLimits, head);
  EXPECT_TRUE(used.has_value()) << text << ": " << (used ? "" : used.error().text);
  EXPECT_EQ(used.value_or(0), text.size()) << text;
  return head;
}

void refused(const std::string& text) {
  ResponseHead head;
  const auto used = parse_response(text, Method::kGet, kLimits, head);
  ASSERT_FALSE(used.has_value()) << text;
  EXPECT_EQ(used.error().code, base::Code::kOriginBadReply);
}

std::string with(const std::string& fields) {
  return "HTTP/1.1 200 OK\r\n" + fields + "\r\n";
}

TEST(ResponseHead, GivesStatusReasonAndFields) {
  static const std::string text = "HTTP/1.1 404 Not  Found\r\nETag: \"x\"\r\nContent-Length: 3\r\n\r\n";
  const ResponseHead head = accepted(text);
  EXPECT_EQ(head.status, 404);
  EXPECT_EQ(head.reason, "Not  Found");
  EXPECT_EQ(head.value(FieldId::kEtag), "\"x\"");
  EXPECT_EQ(head.framing, Framing::kLength);
  EXPECT_EQ(head.content_length, 3u);
  EXPECT_TRUE(head.keep_alive);
}

TEST(ResponseHead, MayHaveNoReason) {
  EXPECT_EQ(accepted("HTTP/1.1 200 \r\n\r\n").reason, "");
  EXPECT_EQ(accepted("HTTP/1.1 200\r\n\r\n").reason, "");
}

TEST(ResponseHead, TakesWhiteSpaceInFrontOfAColonAway) {
  const std::string text = with("Content-Length : 3\r\nX-A\t : b\r\n");
  const ResponseHead head = accepted(text);
  EXPECT_EQ(head.content_length, 3u);
  EXPECT_EQ(head.fields[1].name, "X-A");
  EXPECT_EQ(head.fields[1].value, "b");
  EXPECT_EQ(accepted(with("Transfer-Encoding : chunked\r\n")).framing, Framing::kChunked);
  refused(with(" X: folded\r\n"));
  refused(with("A b : c\r\n"));
  refused(with("A \r\n"));
}

TEST(ResponseHead, AsksForMoreAtEachPrefix) {
  const std::string text = "HTTP/1.1 200 OK\r\nContent-Length : 10\r\nX: y\r\n\r\n";
  for (std::size_t n = 0; n < text.size(); ++n) {
    ResponseHead head;
    const auto used = parse_response(std::string_view(text).substr(0, n), Method::kGet, kLimits, head);
    ASSERT_TRUE(used.has_value()) << n << ": " << used.error().text;
    EXPECT_EQ(*used, 0u);
  }
}

TEST(ResponseHead, RefusesWhatIsNoReply) {
  for (const char* text :
       {"SSH-2.0-x\r\n", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 099 X\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n", "HTTP/1.1 200 OK\n\n",
        "HTTP/1.1 200 O\rK\r\n\r\n", "http/1.1 200 OK\r\n\r\n", "\r\nHTTP/1.1", "HTTP/1.1 200 \x01\r\n\r\n",
        "HTTP/1.1 200\n\n", "HTTP/1.1 200\tOK\r\n\r\n"})
    refused(text);
  for (const char* fields :
       {"X y: z\r\n", " x\r\n", "X: y\r\n z\r\n", "X: y\n", "X: a\rb\r\n", "X\r\n", "X: \x01\r\n"})
    refused(with(fields));
}

TEST(ResponseHead, RefusesEveryAmbiguityAboutTheLengthOfTheBody) {
  for (const char* fields :
       {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5, 6\r\n", "Content-Length: \r\n", "Content-Length: -1\r\n",
        "Content-Length: 1x\r\n", "Content-Length: ,\r\n", "Content-Length: 18446744073709551616\r\n",
        "Transfer-Encoding: gzip\r\n", "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked\t\r\n", "Content-Length: 5 \t\r\n"})
    refused(with(fields));
  refused("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(accepted(with("Content-Length: 5\r\nContent-Length: 5\r\n")).content_length, 5u);
  EXPECT_EQ(accepted(with("Content-Length: 5, 5\r\n")).content_length, 5u);
}

TEST(ResponseHead, KnowsWhereTheBodyEnds) {
  EXPECT_EQ(accepted(with("Transfer-Encoding: chunked\r\n")).framing, Framing::kChunked);
  const ResponseHead open = accepted(with(""));
  EXPECT_EQ(open.framing, Framing::kUntilClose);
  EXPECT_FALSE(open.keep_alive);
  EXPECT_EQ(accepted(with("Content-Length: 0\r\n")).framing, Framing::kLength);
  const ResponseHead head = accepted(with("Content-Length: 9\r\n"), Method::kHead);
  EXPECT_EQ(head.framing, Framing::kNone);
  EXPECT_TRUE(head.has_content_length);
  EXPECT_EQ(head.content_length, 9u);
  EXPECT_TRUE(head.keep_alive);
  for (const char* status : {"100 Continue", "103 Early Hints", "204 No Content", "304 Not Modified"}) {
    const ResponseHead h = accepted(std::string("HTTP/1.1 ") + status + "\r\nContent-Length: 5\r\n\r\n");
    EXPECT_EQ(h.framing, Framing::kNone) << status;
    EXPECT_TRUE(h.keep_alive) << status;
  }
  EXPECT_FALSE(accepted("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n").keep_alive);
}

TEST(ResponseHead, KeepsTheConnectionAsVersionAndConnectionSay) {
  EXPECT_FALSE(accepted(with("Content-Length: 0\r\nConnection: close\r\n")).keep_alive);
  EXPECT_FALSE(accepted("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").keep_alive);
  EXPECT_TRUE(accepted("HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n").keep_alive);
}

TEST(ResponseHead, HoldsItsLimits) {
  HeadLimits limits;
  limits.head = 64;
  limits.fields = 2;
  ResponseHead head;
  EXPECT_FALSE(parse_response("HTTP/1.1 200 " + std::string(60, 'x'), Method::kGet, limits, head));
  EXPECT_FALSE(parse_response(with("A: b\r\nA: b\r\nA: b\r\n"), Method::kGet, limits, head));
  EXPECT_TRUE(parse_response(with("A: b\r\nA: b\r\n"), Method::kGet, limits, head));
}

}  // namespace
}  // namespace http
