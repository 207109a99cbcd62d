#include "http/head.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace http {
namespace {

using base::Code;
using namespace std::string_literals;

const HeadLimits kLimits;

// What comes of a whole head: the bytes used, or the code.
struct Outcome {
  std::size_t used = 0;
  std::optional<Code> refused;
};

Outcome read(std::string_view text, RequestHead& head, const HeadLimits& limits = kLimits) {
  const auto used = parse_request(text, limits, head);
  return used ? Outcome{*used, {}} : Outcome{0, used.error().code};
}

RequestHead accepted(const std::string& text) {
  RequestHead head;
  const auto used = parse_request(text, kLimits, head);
  EXPECT_TRUE(used.has_value()) << text << ": " << (used ? "" : used.error().text);
  EXPECT_EQ(used.value_or(0), text.size()) << text;
  return head;
}

Code refused(const std::string& text, const HeadLimits& limits = kLimits) {
  RequestHead head;
  const Outcome outcome = read(text, head, limits);
  EXPECT_TRUE(outcome.refused.has_value())
      << "not refused: " << text << " (" << outcome.used << " bytes used)";
  return outcome.refused.value_or(Code::kCount);
}

std::string with(const std::string& fields) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

TEST(RequestHead, GivesMethodTargetVersionAndFieldsAsViews) {
  static const std::string text =
      "POST /a/b?c=d HTTP/1.1\r\nHost: example.com:8080\r\nX-Odd:  two words \t\r\ncontent-LENGTH: "
      "12\r\n\r\nbody";
  RequestHead head;
  const auto used = parse_request(text, kLimits, head);
  ASSERT_TRUE(used.has_value());
  EXPECT_EQ(*used, text.size() - 4);
  EXPECT_EQ(head.method, Method::kPost);
  EXPECT_EQ(head.method_text, "POST");
  EXPECT_EQ(head.target, "/a/b?c=d");
  EXPECT_EQ(head.minor, 1);
  EXPECT_EQ(head.host, "example.com:8080");
  ASSERT_EQ(head.fields.size(), 3u);
  EXPECT_EQ(head.fields[1].name, "X-Odd");
  EXPECT_EQ(head.fields[1].value, "two words");
  EXPECT_EQ(head.fields[1].id, FieldId::kOther);
  EXPECT_EQ(head.fields[2].id, FieldId::kContentLength);
  EXPECT_EQ(head.framing, Framing::kLength);
  EXPECT_EQ(head.content_length, 12u);
  EXPECT_EQ(head.fields.find("x-odd"), &head.fields[1]);
}

TEST(RequestHead, AsksForMoreAtEachPrefixAndNeverRefusesOne) {
  const std::string text =
      "GET /photos/2026?a=%20 HTTP/1.1\r\nHost: media.example.com\r\nAuthorization: Bearer abc.def.ghi\r\n"
      "Connection: keep-alive\r\nIf-None-Match: \"x\"\r\n\r\n";
  for (std::size_t n = 0; n < text.size(); ++n) {
    RequestHead head;
    const auto used = parse_request(std::string_view(text).substr(0, n), kLimits, head);
    ASSERT_TRUE(used.has_value()) << n << ": " << used.error().text;
    EXPECT_EQ(*used, 0u) << n;
  }
  accepted(text);
}

TEST(RequestHead, IsReadWholeWhenItArrivesByteByByteAndSeenIsCarried) {
  const std::string text = "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n";
  RequestHead head;
  std::size_t seen = 0;
  for (std::size_t n = 1; n < text.size(); ++n) {
    const auto used = parse_request(std::string_view(text).substr(0, n), kLimits, head, &seen);
    ASSERT_TRUE(used.has_value());
    ASSERT_EQ(*used, 0u);
  }
  const auto used = parse_request(text, kLimits, head, &seen);
  ASSERT_TRUE(used.has_value());
  EXPECT_EQ(*used, text.size());
  EXPECT_EQ(seen, 0u) << "ready for the next head";
  EXPECT_EQ(head.fields.size(), 2u);
}

TEST(RequestHead, IsRefusedAtTheFirstByteThatCannotBelongToOne) {
  EXPECT_EQ(refused("\x16"), Code::kBadRequest) << "a TLS ClientHello";
  EXPECT_EQ(refused("\r\n\r"), Code::kBadRequest);
  EXPECT_EQ(refused("GET / HTTQ"), Code::kBadRequest);
  EXPECT_EQ(refused("GET / HTTP/2"), Code::kVersionUnsupported);
  EXPECT_EQ(refused("GET  "), Code::kBadRequest);
  EXPECT_EQ(refused(std::string(kLongestMethod + 1, 'A')), Code::kMethodUnknown);
  EXPECT_EQ(refused("GET / HTTP/1.1\r\nHost:a\r\nX y"), Code::kBadRequest);
}

TEST(RequestHead, ToleratesOneEmptyLineInFrontAndNotTwo) {
  const RequestHead head = accepted("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(head.method, Method::kGet);
  EXPECT_EQ(refused("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), Code::kBadRequest);
  EXPECT_EQ(refused("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), Code::kBadRequest);
}

TEST(RequestHead, TakesAnyTokenForAMethodAndKnowsSome) {
  const auto method_of = [](const std::string& m) {
    const std::string text = m + " / HTTP/1.1\r\nHost: a\r\n\r\n";
    const RequestHead head = accepted(text);
    EXPECT_EQ(head.method_text, m);
    return head.method;
  };
  EXPECT_EQ(method_of("GET"), Method::kGet);
  EXPECT_EQ(method_of("HEAD"), Method::kHead);
  EXPECT_EQ(method_of("PUT"), Method::kPut);
  EXPECT_EQ(method_of("DELETE"), Method::kDelete);
  EXPECT_EQ(method_of("PATCH"), Method::kPatch);
  EXPECT_EQ(method_of("OPTIONS"), Method::kOptions);
  EXPECT_EQ(method_of("TRACE"), Method::kTrace);
  EXPECT_EQ(method_of("Trace"), Method::kTrace) << "an origin might read it so";
  const std::string longest(kLongestMethod, 'X');
  for (const std::string& m :
       {std::string("PROPFIND"), std::string("QUERY"), std::string("get"), std::string("GETX"),
        std::string("G"), std::string("~!#$%&'*+-.^_`|"), longest}) {
    EXPECT_EQ(method_of(m), Method::kOther) << m;
    EXPECT_FALSE(is_safe(method_of(m)) || is_idempotent(method_of(m))) << m;
  }
  EXPECT_EQ(refused(longest + "X / HTTP/1.1\r\nHost: a\r\n\r\n"), Code::kMethodUnknown);
  for (const char* m : {"CONNECT", "connect"}) {
    EXPECT_EQ(refused(std::string(m) + " / HTTP/1.1\r\nHost: a\r\n\r\n"), Code::kMethodUnknown);
    EXPECT_EQ(refused(std::string(m) + " a:443 HTTP/1.1\r\nHost: a\r\n\r\n"), Code::kMethodUnknown);
  }
  EXPECT_EQ(refused("G(T / HTTP/1.1\r\nHost: a\r\n\r\n"), Code::kBadRequest);
}

TEST(RequestHead, AnswersOtherVersionsWithTheirOwnCode) {
  for (const char* v : {"HTTP/2.0", "HTTP/0.9", "HTTP/3.0"})
    EXPECT_EQ(refused(std::string("GET / ") + v + "\r\nHost: a\r\n\r\n"), Code::kVersionUnsupported) << v;
  EXPECT_EQ(refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Code::kVersionUnsupported);
  for (const char* v :
       {"http/1.1", "HTTP/1", "HTTP/1.", "HTTP/1.1 ", "HTTP/11", "HTTP/1.10", "HTTP 1.1", "HTTP/+1.1", ""})
    EXPECT_EQ(refused(std::string("GET / ") + v + "\r\nHost: a\r\n\r\n"), Code::kBadRequest) << v;
  EXPECT_EQ(refused("GET /\r\n\r\n"), Code::kBadRequest) << "HTTP/0.9";
  EXPECT_EQ(accepted("GET / HTTP/1.7\r\nHost: a\r\n\r\n").minor, 1);
  EXPECT_EQ(accepted("GET / HTTP/1.0\r\n\r\n").minor, 0);
}

TEST(RequestHead, RefusesALooseRequestLine) {
  for (const char* line : {"GET  / HTTP/1.1\r\n",
                           "GET /  HTTP/1.1\r\n",
                           "GET\t/ HTTP/1.1\r\n",
                           "GET /\tHTTP/1.1\r\n",
                           " GET / HTTP/1.1\r\n",
                           "GET / HTTP/1.1 \r\n",
                           "GET / HTTP/1.1\n",
                           "GET / HTTP/1.1\r",
                           "GET / x HTTP/1.1\r\n",
                           "GET /\x7f HTTP/1.1\r\n",
                           "GET /\xc3\xa4 HTTP/1.1\r\n",
                           "GET a HTTP/1.1\r\n",
                           "GET * HTTP/1.1\r\n",
                           "GET ** HTTP/1.1\r\n",
                           "GET /a#b HTTP/1.1\r\n",
                           "GET http://a#b HTTP/1.1\r\n",
                           "GET ftp://a/ HTTP/1.1\r\n",
                           "GET http:/// HTTP/1.1\r\n",
                           "GET http://u@a/ HTTP/1.1\r\n",
                           "OPTIONS *x HTTP/1.1\r\n"})
    EXPECT_EQ(refused(std::string(line) + "Host: a\r\n\r\n"), Code::kBadRequest) << line;
  EXPECT_EQ(refused("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"s), Code::kBadRequest);
}

TEST(RequestHead, RefusesEveryLineEndButCrlf) {
  for (const char* text :
       {"GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\r\nHost: a\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\n",
        "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n",
        "GET / HTTP/1.1\r\n\rHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nX: b\nY: c\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\rX"})
    EXPECT_EQ(refused(text), Code::kBadRequest) << text;
}

TEST(RequestHead, RefusesFieldLinesThatReadersDisagreeAbout) {
  for (const char* field : {"X : b\r\n", "X\t: b\r\n", ": b\r\n", " folded\r\n", "\tfolded\r\n",
                            "X: a\r\n b\r\n", "X\r\n", "X y: b\r\n", "X(: b\r\n", "X\x01: b\r\n",
                            "X: a\x01\r\n", "X: a\x7f\r\n", "X: \x0b\r\n", "X\xc3: b\r\n", "\"X\": b\r\n"})
    EXPECT_EQ(refused(with(field)), Code::kBadRequest) << field;
  EXPECT_EQ(refused(with("X: a\0b\r\n"s)), Code::kBadRequest);
  EXPECT_EQ(accepted(with("X:\r\n")).fields[1].value, "");
  EXPECT_EQ(accepted(with("X: \t \r\n")).fields[1].value, "");
  EXPECT_EQ(accepted(with("X: \xc3\xa4\tb\r\n")).fields[1].value, "\xc3\xa4\tb");
}

TEST(RequestHead, NeedsExactlyOneHostOfAHost) {
  EXPECT_EQ(refused("GET / HTTP/1.1\r\n\r\n"), Code::kBadRequest);
  EXPECT_EQ(refused(with("Host: a\r\n")), Code::kBadRequest);
  EXPECT_EQ(refused(with("host: b\r\n")), Code::kBadRequest);
  EXPECT_EQ(refused("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"), Code::kBadRequest);
  for (const char* h : {"a b",
                        "a/b",
                        "a@b",
                        "a,b",
                        "a:b",
                        "a:80:80",
                        ":80",
                        "[::1",
                        "[::g]",
                        "[]",
                        "a]",
                        "a:65536",
                        "a:000080",
                        "a?b",
                        "a#",
                        "[::1]x",
                        "[1:2:3:4:5:6:7:8:9]",
                        "a%2f",
                        "[fe80::1%25en0]",
                        "[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb]"})
    EXPECT_EQ(refused(std::string("GET / HTTP/1.1\r\nHost: ") + h + "\r\n\r\n"), Code::kBadRequest) << h;
  for (const char* h :
       {"", "a", "a:", "a:80", "EXAMPLE.com", "127.0.0.1:8080", "[::1]", "[::ffff:1.2.3.4]:443", "a_b-c.~d"})
    EXPECT_EQ(accepted(std::string("GET / HTTP/1.1\r\nHost: ") + h + "\r\n\r\n").fields.size(), 1u) << h;
}

TEST(RequestHead, TakesTheAuthorityOfAnAbsoluteTargetOverTheHostField) {
  const std::string text = "GET HTTP://one.example:81/a HTTP/1.1\r\nHost: two.example\r\n\r\n";
  EXPECT_EQ(accepted(text).host, "one.example:81");
  const std::string no_path = "GET https://[::1]?q HTTP/1.1\r\nHost: two.example\r\n\r\n";
  EXPECT_EQ(accepted(no_path).host, "[::1]");
  EXPECT_EQ(refused("GET http://one/ HTTP/1.1\r\n\r\n"), Code::kBadRequest) << "Host is needed all the same";
  const std::string star = "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n";
  EXPECT_EQ(accepted(star).target, "*");
}

TEST(RequestHead, RefusesEveryAmbiguityAboutTheLengthOfTheBody) {
  for (const char* fields : {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                             "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
                             "Content-Length: 5\r\nContent-Length: 5\r\n",
                             "Content-Length: 5\r\nContent-Length: 6\r\n",
                             "Content-Length: 5, 5\r\n",
                             "Content-Length: +5\r\n",
                             "Content-Length: -5\r\n",
                             "Content-Length: 0x5\r\n",
                             "Content-Length: 5 5\r\n",
                             "Content-Length: \r\n",
                             "Content-Length: 5.0\r\n",
                             "Content-Length: 18446744073709551616\r\n",
                             "Content-Length: 99999999999999999999999\r\n",
                             "Transfer-Encoding: gzip\r\n",
                             "Transfer-Encoding: xchunked\r\n",
                             "Transfer-Encoding: chunked, identity\r\n",
                             "Transfer-Encoding: identity\r\n",
                             "Transfer-Encoding: gzip, chunked\r\n",
                             "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                             "Transfer-Encoding: chunked;q=1\r\n",
                             "Transfer-Encoding: \"chunked\"\r\n",
                             "Transfer-Encoding: \r\n",
                             "Transfer-Encoding: chunked,\r\n",
                             "Transfer-Encoding: \vchunked\r\n",
                             "Transfer-Encoding: chunked \t\r\n",
                             "Content-Length: 5\t\r\n"})
    EXPECT_EQ(refused(with(fields)), Code::kBadRequest) << fields;
  EXPECT_EQ(refused("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), Code::kBadRequest);
}

TEST(RequestHead, KnowsWhereTheBodyEnds) {
  EXPECT_EQ(accepted(with("")).framing, Framing::kNone);
  EXPECT_FALSE(accepted(with("")).has_body());
  const RequestHead zero = accepted(with("Content-Length: 0\r\n"));
  EXPECT_EQ(zero.framing, Framing::kLength);
  EXPECT_FALSE(zero.has_body());
  EXPECT_EQ(accepted(with("Content-Length: 18446744073709551615\r\n")).content_length, UINT64_MAX);
  EXPECT_EQ(accepted(with("Content-Length: 007\r\n")).content_length, 7u);
  EXPECT_EQ(accepted(with("Transfer-Encoding: chunked\r\n")).framing, Framing::kChunked);
  EXPECT_TRUE(accepted(with("Transfer-Encoding: Chunked\r\n")).has_body());
}

TEST(RequestHead, ForgetsThePreviousRequestWhenItIsReused) {
  RequestHead head;
  ASSERT_FALSE(read("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nExpect: 100-continue\r\n"
                    "Connection: close, upgrade\r\nUpgrade: websocket\r\n\r\n",
                    head)
                   .refused);
  EXPECT_TRUE(head.expect_continue);
  EXPECT_TRUE(head.upgrade);
  EXPECT_FALSE(head.keep_alive);
  ASSERT_FALSE(read("GET / HTTP/1.1\r\nHost:\r\n\r\n", head).refused);
  EXPECT_EQ(head.content_length, 0u);
  EXPECT_EQ(head.framing, Framing::kNone);
  EXPECT_FALSE(head.expect_continue);
  EXPECT_FALSE(head.upgrade);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_EQ(head.host, "");
  EXPECT_EQ(head.find(FieldId::kContentLength), nullptr);
}

TEST(RequestHead, KeepsTheConnectionAsVersionAndConnectionSay) {
  EXPECT_TRUE(accepted(with("")).keep_alive);
  EXPECT_FALSE(accepted(with("Connection: close\r\n")).keep_alive);
  EXPECT_FALSE(accepted(with("Connection: x, CLOSE\r\n")).keep_alive);
  EXPECT_FALSE(accepted(with("Connection: close\r\nConnection: keep-alive\r\n")).keep_alive);
  EXPECT_FALSE(accepted("GET / HTTP/1.0\r\n\r\n").keep_alive);
  EXPECT_TRUE(accepted("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keep_alive);
  EXPECT_TRUE(accepted(with("Connection: disclose\r\n")).keep_alive);
}

TEST(RequestHead, WantsAnUpgradeOnlyWhenBothFieldsSaySo) {
  EXPECT_TRUE(accepted(with("Connection: Upgrade\r\nUpgrade: websocket\r\n")).upgrade);
  EXPECT_FALSE(accepted(with("Upgrade: websocket\r\n")).upgrade);
  EXPECT_FALSE(accepted(with("Connection: Upgrade\r\n")).upgrade);
  EXPECT_FALSE(accepted("GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n").upgrade);
}

TEST(RequestHead, MeetsNoExpectationBut100Continue) {
  EXPECT_TRUE(accepted(with("Expect: 100-Continue\r\n")).expect_continue);
  EXPECT_FALSE(accepted("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n").expect_continue);
  EXPECT_EQ(refused(with("Expect: 200-ok\r\n")), Code::kExpectationFailed);
  EXPECT_EQ(refused(with("Expect: 100-continue, x\r\n")), Code::kExpectationFailed);
  EXPECT_EQ(refused(with("Expect: 100-continue\r\nExpect: 100-continue\r\n")), Code::kExpectationFailed);
}

TEST(RequestHead, HoldsItsLimits) {
  HeadLimits limits;
  limits.target = 10;
  limits.fields = 3;
  limits.head = 100;
  const std::string start = "GET / HTTP/1.1\r\nHost: a\r\n";
  RequestHead head;
  EXPECT_FALSE(read("GET /123456789 HTTP/1.1\r\nHost: a\r\n\r\n", head, limits).refused);
  EXPECT_EQ(refused("GET /1234567890 HTTP/1.1\r\nHost: a\r\n\r\n", limits), Code::kTargetTooLong);
  EXPECT_EQ(refused("GET /1234567890", limits), Code::kTargetTooLong) << "without waiting for its end";
  EXPECT_FALSE(read(start + "A: b\r\nA: b\r\n\r\n", head, limits).refused);
  EXPECT_EQ(refused(start + "A: b\r\nA: b\r\nA: b\r\n\r\n", limits), Code::kHeadTooLarge);
  const std::string full = start + "A: " + std::string(100 - start.size() - 7, 'x') + "\r\n\r\n";
  ASSERT_EQ(full.size(), 100u);
  EXPECT_EQ(read(full, head, limits).used, 100u);
  EXPECT_EQ(refused(start + "A: " + std::string(100 - start.size() - 6, 'x') + "\r\n\r\n", limits),
            Code::kHeadTooLarge);
  EXPECT_EQ(refused(start + "A: " + std::string(100, 'x'), limits), Code::kHeadTooLarge);
}

TEST(RequestHead, TakesMoreFieldsThanTheListHasRoomForAtFirst) {
  HeadLimits limits;
  limits.fields = 1000;
  std::string text = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 127; ++i) text += "A: b\r\n";
  RequestHead head;
  EXPECT_FALSE(read(text + "\r\n", head, limits).refused);
  EXPECT_EQ(head.fields.size(), 128u);
  text += "A: b\r\nC: d\r\n\r\n";
  EXPECT_FALSE(read(text, head, limits).refused);
  EXPECT_EQ(head.fields.size(), 130u);
  EXPECT_EQ(head.fields[129].value, "d");
}

TEST(RequestHead, RefusesTooLongTargetsAlsoWhenTheyDrip) {
  HeadLimits limits;
  limits.target = 50;
  std::string text = "GET /";
  RequestHead head;
  std::size_t seen = 0;
  for (int i = 0; i < 100; ++i) {
    text += 'a';
    const auto used = parse_request(text, limits, head, &seen);
    if (used) continue;
    EXPECT_EQ(used.error().code, Code::kTargetTooLong);
    EXPECT_LT(i, 80);
    return;
  }
  FAIL() << "never refused";
}

}  // namespace
}  // namespace http
