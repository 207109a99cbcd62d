#include "http/forwarded.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace http {
namespace {

using Kind = ForwardedNode::Kind;
using Bytes = std::array<std::uint8_t, 16>;

constexpr Bytes v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
  return {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d};
}
constexpr Bytes kSix = {0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x17};

ForwardedNode at(const Bytes& address) {
  return {.kind = Kind::kAddress, .address = address};
}

// All elements; an empty list also when it is refused (the tests below tell these apart).
base::Result<std::vector<ForwardedElement>> read(std::string_view value) {
  std::vector<ForwardedElement> out;
  for (;;) {
    ForwardedElement element;
    const auto more = next_forwarded(value, element);
    if (!more) return std::unexpected(more.error());
    if (!*more) return out;
    out.push_back(element);
  }
}

ForwardedElement one(std::string_view value) {
  const auto all = read(value);
  EXPECT_TRUE(all && all->size() == 1) << value;
  return all && all->size() == 1 ? all->front() : ForwardedElement{};
}

TEST(Forwarded, ReadsTheExamplesOfTheStandard) {
  EXPECT_EQ(one("for=\"_gazonk\"").client.kind, Kind::kObfuscated);
  EXPECT_EQ(one("For=\"[2001:db8::17]:4711\"").client, at(kSix));
  EXPECT_EQ(one("for=192.0.2.60;proto=http;by=203.0.113.43"),
            (ForwardedElement{.client = at(v4(192, 0, 2, 60)), .proto = "http", .host = {}}));
  const auto list = read("for=192.0.2.43, for=198.51.100.17");
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 2U);
  EXPECT_EQ(list->back().client, at(v4(198, 51, 100, 17)));
  EXPECT_EQ(read("for=_hidden, for=_SEVKISEK")->size(), 2U);
  EXPECT_EQ(read("for=192.0.2.43,for=\"[2001:db8::17]\",for=unknown")->back().client.kind, Kind::kUnknown);
}

TEST(Forwarded, ReadsHostProtoAndParametersThatItDoesNotKnow) {
  const ForwardedElement got = one("secret=\"a,b;c\\\"d\";host=\"shop.test:8443\";PROTO=https;for=UNKNOWN");
  EXPECT_EQ(got.host, "shop.test:8443");
  EXPECT_EQ(got.proto, "https");
  EXPECT_EQ(got.client.kind, Kind::kUnknown);
}

TEST(Forwarded, ReadsPortsAndEscapes) {
  EXPECT_EQ(one("for=\"192.0.2.60:0\"").client, at(v4(192, 0, 2, 60)));
  EXPECT_EQ(one("for=\"192.0.2.60:_x.y\"").client, at(v4(192, 0, 2, 60)));
  EXPECT_EQ(one("for=\"unknown:65535\"").client.kind, Kind::kUnknown);
  EXPECT_EQ(one("for=\"\\[2001:db8::17\\]\"").client, at(kSix));
}

TEST(Forwarded, MappedIpv4IsTheSameAddress) {
  EXPECT_EQ(one("for=\"[::ffff:192.0.2.60]\"").client, at(v4(192, 0, 2, 60)));
}

TEST(Forwarded, PassesOverEmptyElementsAndSpaceAroundSemicolons) {
  EXPECT_EQ(read("")->size(), 0U);
  EXPECT_EQ(read(" , ,")->size(), 0U);
  EXPECT_EQ(read(",for=192.0.2.1 ,\t, for=192.0.2.2,")->size(), 2U);
  EXPECT_EQ(one("for=192.0.2.1 ; proto=https;").proto, "https");
}

TEST(Forwarded, AnElementWithoutForSaysNothingOfTheClient) {
  EXPECT_EQ(one("proto=https").client.kind, Kind::kNone);
}

TEST(Forwarded, RefusesWhatTwoReadersWouldReadDifferently) {
  for (const std::string_view value : {
           "for",
           "for=",
           "=x",
           "for =192.0.2.1",
           "for= 192.0.2.1",
           "for=\"192.0.2.1",
           "for=\"192.0.2.1\\\"",
           "for=\"192.0.2.1\"x",
           "for=192.0.2.1 x=y",
           "for=192.0.2.1;for=192.0.2.2",
           "proto=http;proto=https",
           "host=a;host=b",
           "for=2001:db8::17",
           "for=[2001:db8::17]",
           "for=\"2001:db8::17\"",
           "for=\"[2001:db8::17\"",
           "for=\"[2001:db8::17]4711\"",
           "for=\"[192.0.2.1]\"",
           "for=\"[]\"",
           "for=\"[\"",
           "for=\"\"",
           "for=192.0.2.1:80",
           "for=\"192.0.2.1:\"",
           "for=\"192.0.2.1:65536\"",
           "for=\"192.0.2.1:00080x\"",
           "for=\"192.0.2.1:123456\"",
           "for=192.0.2.256",
           "for=192.0.2",
           "for=0x7f.1",
           "for=192.0.2.01x",
           "for=_",
           "for=_~",
           "for=somebody",
           "for=\"[fe80::1%eth0]\"",
           "proto=\"ht tp\"",
           "proto=1http",
           "host=\"a b\"",
           "host=\"\"",
           "{json}",
       })
    EXPECT_FALSE(read(value)) << value;
  EXPECT_FALSE(read("for=\"" + std::string(500, '1') + "\""));
}

// What a stranger left open must not swallow what our proxy put behind it.
TEST(Forwarded, AnOpenQuoteRefusesTheWholeField) {
  EXPECT_FALSE(read("for=\"evil, for=192.0.2.1"));
  EXPECT_FALSE(read("for=192.0.2.7, for=\"evil, for=192.0.2.1"));
}

TEST(ForwardedFor, ReadsHopsAsProxiesWriteThem) {
  EXPECT_EQ(parse_forwarded_for("192.0.2.60"), v4(192, 0, 2, 60));
  EXPECT_EQ(parse_forwarded_for(" 192.0.2.60:4711\t"), v4(192, 0, 2, 60));
  EXPECT_EQ(parse_forwarded_for("::ffff:192.0.2.60"), v4(192, 0, 2, 60));
  EXPECT_EQ(parse_forwarded_for("2001:db8::17"), kSix);
  EXPECT_EQ(parse_forwarded_for("[2001:db8::17]"), kSix);
  EXPECT_EQ(parse_forwarded_for("[2001:db8::17]:4711"), kSix);
}

TEST(ForwardedFor, ReadsNothingElse) {
  for (const std::string_view hop :
       {"", "unknown", "_hidden", "192.0.2", "192.0.2.1.5", "192.0.2.60:", "192.0.2.60:x", "[192.0.2.60]",
        "[2001:db8::17", "2001:db8::17]", "[2001:db8::17]4711", "192.0.2.60 192.0.2.61", "fe80::1%1",
        "\"192.0.2.60\"", "192.0.2.60;drop"})
    EXPECT_FALSE(parse_forwarded_for(hop)) << hop;
}

}  // namespace
}  // namespace http
