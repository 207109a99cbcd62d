#include "redis/resp.h"

#include <gtest/gtest.h>

#include <cmath>

namespace redis {
namespace {

using base::Code;

// One reply out of `wire`, fed in pieces of `step` bytes; empty where it is refused or not whole.
Reply parse(std::string_view wire, std::size_t step = 1 << 20, const Bounds& bounds = {}) {
  Parser parser(bounds);
  while (!wire.empty()) {
    std::string_view piece = wire.substr(0, step);
    const std::size_t before = piece.size();
    const auto whole = parser.next(piece);
    if (!whole) {
      EXPECT_EQ(whole.error().code, Code::kOriginBadReply);
      return {};
    }
    wire.remove_prefix(before - piece.size());
    if (*whole) {
      EXPECT_EQ(wire, "") << "left over";
      return std::move(parser.reply());
    }
  }
  return {};
}

bool refused(std::string_view wire, const Bounds& bounds = {}) {
  Parser parser(bounds);
  while (!wire.empty()) {
    if (!parser.next(wire)) return true;
  }
  return false;
}

std::string text(std::string_view wire) {
  const Reply reply = parse(wire);
  return reply.empty() ? "(none)" : std::string(reply.text());
}

TEST(RespParser, ReadsEveryScalar) {
  EXPECT_EQ(parse("+OK\r\n").type(), Type::kSimple);
  EXPECT_EQ(text("+OK\r\n"), "OK");
  EXPECT_EQ(text("+\r\n"), "");
  EXPECT_EQ(text("$3\r\na\r\n\r\n"), "a\r\n");
  EXPECT_EQ(text("$0\r\n\r\n"), "");
  EXPECT_EQ(parse(":-42\r\n").root().integer, -42);
  EXPECT_EQ(parse(":+7\r\n").root().integer, 7);
  EXPECT_EQ(parse(":-9223372036854775808\r\n").root().integer, INT64_MIN);
  EXPECT_EQ(parse("_\r\n").type(), Type::kNull);
  EXPECT_EQ(parse("#t\r\n").root().integer, 1);
  EXPECT_EQ(parse("#f\r\n").root().integer, 0);
  EXPECT_EQ(parse(",1.5e3\r\n").root().real, 1500);
  EXPECT_EQ(parse(",10\r\n").root().real, 10);
  EXPECT_TRUE(std::isinf(parse(",-inf\r\n").root().real));
  EXPECT_TRUE(std::isnan(parse(",nan\r\n").root().real));
  EXPECT_EQ(text("(3492890328409238509324850943850943825024385\r\n"),
            "3492890328409238509324850943850943825024385");
  EXPECT_EQ(parse("=7\r\ntxt:foo\r\n").type(), Type::kVerbatim);
  EXPECT_EQ(text("=7\r\ntxt:foo\r\n"), "foo");
  EXPECT_EQ(text("!8\r\nERR a\r\nb\r\n"), "ERR a\r\nb");
}

TEST(RespParser, TakesTheNullsOfResp2) {
  EXPECT_EQ(parse("$-1\r\n").type(), Type::kNull);
  EXPECT_EQ(parse("*-1\r\n").type(), Type::kNull);
  EXPECT_EQ(parse("*1\r\n$-1\r\n").nodes().size(), 2u);
}

TEST(RespParser, ListsAggregatesInTheOrderOfTheWire) {
  const Reply reply = parse("*3\r\n:1\r\n%1\r\n+key\r\n~2\r\n#t\r\n_\r\n*0\r\n");
  ASSERT_EQ(reply.nodes().size(), 8u);
  EXPECT_EQ(reply.root().integer, 3);
  EXPECT_EQ(reply.nodes()[2].type, Type::kMap);
  EXPECT_EQ(reply.nodes()[2].integer, 2) << "a pair is two elements";
  EXPECT_EQ(reply.text(reply.nodes()[3]), "key");
  EXPECT_EQ(reply.nodes()[4].type, Type::kSet);
  EXPECT_EQ(reply.nodes()[5].depth, 3);
  EXPECT_EQ(reply.nodes()[7].type, Type::kArray);
  EXPECT_EQ(reply.nodes()[7].depth, 1);
}

TEST(RespParser, DropsAttributesWhereverTheyStand) {
  const Reply plain = parse("*2\r\n:1\r\n$1\r\na\r\n");
  EXPECT_EQ(parse("|1\r\n+ttl\r\n:3\r\n*2\r\n:1\r\n$1\r\na\r\n"), plain);
  EXPECT_EQ(parse("*2\r\n|1\r\n$1\r\nx\r\n*2\r\n=5\r\ntxt:y\r\n|1\r\n+a\r\n+b\r\n+c\r\n:1\r\n$1\r\na\r\n"),
            plain);
  EXPECT_EQ(parse("*2\r\n:1\r\n|0\r\n$1\r\na\r\n"), plain);
}

TEST(RespParser, ReadsPushesBetweenReplies) {
  Parser parser(Bounds{});
  std::string_view wire = ">2\r\n+message\r\n+x\r\n+OK\r\n";
  ASSERT_TRUE(parser.next(wire).value());
  EXPECT_EQ(parser.reply().type(), Type::kPush);
  ASSERT_TRUE(parser.next(wire).value());
  EXPECT_EQ(parser.reply().text(), "OK");
  EXPECT_TRUE(parser.idle());
}

TEST(RespParser, SaysTheSameHoweverTheBytesAreSplit) {
  const std::string_view wire =
      "*6\r\n|1\r\n+a\r\n$3\r\nxyz\r\n$5\r\nab\r\nc\r\n%1\r\n+k\r\n,1.25\r\n=8\r\nmkd:text\r\n!5\r\nERR "
      "x\r\n(12345678901234567890\r\n_\r\n";
  const Reply whole = parse(wire);
  ASSERT_EQ(whole.nodes().size(), 9u);
  for (std::size_t step = 1; step < wire.size(); ++step) EXPECT_EQ(parse(wire, step), whole) << step;
}

TEST(RespParser, RefusesWhatIsNotResp3) {
  for (const std::string_view wire : {"OK\r\n",
                                      "HTTP/1.1 400 Bad Request\r\n",
                                      "+a\nb\r\n",
                                      "+a\rb\r\n",
                                      ":\r\n",
                                      ":1 \r\n",
                                      ":0x1\r\n",
                                      ":9223372036854775808\r\n",
                                      ":+-1\r\n",
                                      ":--1\r\n",
                                      "_x\r\n",
                                      "#\r\n",
                                      "#true\r\n",
                                      ",\r\n",
                                      ",.5\r\n",
                                      ",5.\r\n",
                                      ",1e999\r\n",
                                      ",infinity\r\n",
                                      ",+-1\r\n",
                                      ",0x1p3\r\n",
                                      "(\r\n",
                                      "(1.5\r\n",
                                      "$\r\n",
                                      "$+1\r\n",
                                      "$01\r\n",
                                      "$-2\r\n",
                                      "$1\r\nab",
                                      "$1\r\na\n",
                                      "=3\r\nabc\r\n",
                                      "=4\r\ntxt.\r\n",
                                      "*-2\r\n",
                                      "%-1\r\n",
                                      "~-1\r\n",
                                      ">0\r\n",
                                      "*1\r\n>1\r\n",
                                      "!-1\r\n",
                                      "$18446744073709551616\r\n"})
    EXPECT_TRUE(refused(wire)) << wire;
}

TEST(RespParser, RefusesStreamedTypes) {
  for (const std::string_view wire : {"$?\r\n", "*?\r\n", "~?\r\n", "%?\r\n", ";4\r\n", ".\r\n"})
    EXPECT_TRUE(refused(wire)) << wire;
}

TEST(RespParser, RefusesWhatGoesBeyondItsBounds) {
  EXPECT_FALSE(refused("*1\r\n*1\r\n:1\r\n", {.depth = 2}));
  EXPECT_TRUE(refused("*1\r\n*1\r\n*1\r\n:1\r\n", {.depth = 2}));
  EXPECT_TRUE(refused("+abcde\r\n", {.line = 4}));
  EXPECT_TRUE(refused("+abcde", {.line = 4})) << "before its end has come";
  EXPECT_TRUE(refused("$5\r\n", {.bulk = 4})) << "before the bytes have come";
  EXPECT_TRUE(refused("*2\r\n$3\r\nabc\r\n$3\r\n", {.reply = 5}));
  EXPECT_TRUE(refused("*3\r\n", {.elements = 3})) << "the array is one itself";
  EXPECT_TRUE(refused("%2\r\n+a\r\n+a\r\n+a\r\n+a\r\n", {.elements = 4}));
  EXPECT_TRUE(refused("*18446744073709551615\r\n"));
  std::string attributes;
  for (int i = 0; i < 20; ++i) attributes += "|0\r\n";
  EXPECT_TRUE(refused(attributes, {.elements = 10})) << "without end";
}

TEST(RespParser, AClaimedLengthReservesNothing) {
  Parser parser(Bounds{});
  std::string_view wire = "*1000000\r\n$60000000\r\nabc";
  EXPECT_FALSE(parser.next(wire).value());
  EXPECT_EQ(wire, "");
}

TEST(RespParser, BeginsAnewAfterAReset) {
  Parser parser(Bounds{});
  std::string_view wire = "*2\r\n$5\r\nab";
  EXPECT_FALSE(parser.next(wire).value());
  parser.reset();
  wire = "+OK\r\n";
  ASSERT_TRUE(parser.next(wire).value());
  EXPECT_EQ(parser.reply().text(), "OK");
}

TEST(RespReply, ErrorCodeIsTheFirstWordAndNothingElse) {
  EXPECT_EQ(parse("-WRONGPASS invalid username-password pair\r\n").error_code(), "WRONGPASS");
  EXPECT_EQ(parse("-ERR\r\n").error_code(), "ERR");
  EXPECT_EQ(parse("-secret word\r\n").error_code(), "") << "not in capitals: who knows what it is";
  EXPECT_EQ(parse("+OK\r\n").error_code(), "");
  EXPECT_TRUE(parse("-NOSCRIPT No matching script.\r\n").is_error("NOSCRIPT"));
}

TEST(RespReply, GivesIntegersOfAFlatArrayOnly) {
  std::int64_t out[2];
  EXPECT_TRUE(parse("*2\r\n:5\r\n:-1\r\n").integers(out));
  EXPECT_EQ(out[0], 5);
  EXPECT_EQ(out[1], -1);
  EXPECT_FALSE(parse("*3\r\n:5\r\n:-1\r\n:1\r\n").integers(out));
  EXPECT_FALSE(parse("*2\r\n:5\r\n+1\r\n").integers(out));
  EXPECT_FALSE(parse("*1\r\n*1\r\n:1\r\n").integers(out));
}

TEST(RespWriter, WritesAnyBytesAsBulkStrings) {
  std::string out;
  append_command(out, {"SET", "a\r\nb", ""});
  EXPECT_EQ(out, "*3\r\n$3\r\nSET\r\n$4\r\na\r\nb\r\n$0\r\n\r\n");
}

TEST(RespWriter, WritesRepliesThatReadTheSame) {
  const Reply reply = parse(
      "*9\r\n+a\r\n-ERR "
      "b\r\n:-1\r\n$2\r\n\r\n\r\n=5\r\ntxt:x\r\n,0.1\r\n(9\r\n%1\r\n#t\r\n_\r\n~1\r\n,-inf\r\n");
  std::string wire;
  append_reply(wire, reply);
  EXPECT_EQ(parse(wire), reply) << wire;
}

}  // namespace
}  // namespace redis
