#include "config/values.h"

#include <gtest/gtest.h>

#include "config/address.h"
#include "config/env.h"

namespace config {
namespace {

using namespace std::chrono_literals;

TEST(Duration, NeedsAWholeNumberAndAUnit) {
  EXPECT_EQ(Duration::parse("500ms"), 500ms);
  EXPECT_EQ(Duration::parse("10s"), 10s);
  EXPECT_EQ(Duration::parse("10m"), 10min);
  EXPECT_EQ(Duration::parse("1h"), 1h);
  EXPECT_EQ(Duration::parse("1d"), 24h);
  EXPECT_EQ(Duration::parse("0s"), 0s);
  for (const char* bad : {"", "10", "0", "s", "-1s", "+1s", "1.5s", "1 s", " 1s", "1s ", "1S", "1us", "1w",
                          "99999999999999999999s", "9999999999999999d"})
    EXPECT_FALSE(Duration::parse(bad)) << bad;
}

TEST(Duration, TakesUnitsFromLargeToSmall) {
  EXPECT_EQ(Duration::parse("3m30s"), 210s);
  EXPECT_EQ(Duration::parse("1h30m"), 90min);
  EXPECT_EQ(Duration::parse("1m500ms"), 60'500ms);
  EXPECT_EQ(Duration::parse("1d2h3m4s5ms"), 93'784'005ms);
  EXPECT_EQ(Duration::parse("1h90m"), 150min);
  for (const char* bad : {"30s3m", "1m1m", "1h30", "1h 30m", "1h,30m", "h30m", "1h30m ", "1m-30s", "1ms1s",
                          "40000000000d400000000000h"})
    EXPECT_FALSE(Duration::parse(bad)) << bad;
}

TEST(Duration, ShowsWhatItParses) {
  for (const char* text : {"0s", "1ms", "1500ms", "10s", "1m", "90s", "1h", "1d", "36h"})
    EXPECT_EQ(Duration::show(*Duration::parse(text)), text);
}

TEST(WholeSeconds, RefusesAFraction) {
  EXPECT_EQ(WholeSeconds::parse("2000ms"), 2s);
  EXPECT_EQ(WholeSeconds::parse("1500ms").error(), "must be whole seconds");
}

TEST(Size, TakesDecimalAndBinaryUnits) {
  EXPECT_EQ(Size::parse("0"), 0U);
  EXPECT_EQ(Size::parse("512"), 512U);
  EXPECT_EQ(Size::parse("512B"), 512U);
  EXPECT_EQ(Size::parse("64KB"), 64'000U);
  EXPECT_EQ(Size::parse("16KiB"), 16'384U);
  EXPECT_EQ(Size::parse("16MiB"), 16U << 20);
  EXPECT_EQ(Size::parse("1GiB"), 1U << 30);
  for (const char* bad : {"", "-1", "1K", "1k", "1kb", "1Mi", "1 MiB", "0x10", "1.5GiB",
                          "99999999999999999999", "9999999999TiB"})
    EXPECT_FALSE(Size::parse(bad)) << bad;
}

TEST(Size, ShowsWhatItParses) {
  for (const char* text : {"0", "1", "1000", "16KiB", "1MiB", "3GiB", "1TiB"})
    EXPECT_EQ(Size::show(*Size::parse(text)), text);
}

TEST(Switch, IsNotYaml11) {
  EXPECT_EQ(Switch::parse("true"), true);
  EXPECT_EQ(Switch::parse("on"), true);
  EXPECT_EQ(Switch::parse("false"), false);
  EXPECT_EQ(Switch::parse("off"), false);
  for (const char* bad : {"yes", "no", "y", "n", "True", "ON", "1", "0", ""})
    EXPECT_FALSE(Switch::parse(bad)) << bad;
}

TEST(Address, IsALiteralIpAndAPort) {
  EXPECT_EQ(AddressText::show(*AddressText::parse("0.0.0.0:8080")), "0.0.0.0:8080");
  const auto v6 = AddressText::parse("[::1]:0");
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->host, "::1");
  EXPECT_EQ(AddressText::show(*v6), "[::1]:0");
  for (const char* bad :
       {"", ":8080", "8080", "localhost:8080", "*:80", "0.0.0.0", "0.0.0.0:", "0.0.0.0:65536", "0.0.0.0:-1",
        "::1:80", "[::1]", "[::1]80", "[1.2.3.4]:80", "1.2.3:80", "1.2.3.4:80 "})
    EXPECT_FALSE(AddressText::parse(bad)) << bad;
}

TEST(NameServer, IsALiteralIpWithOrWithoutAPort) {
  const auto shown = [](std::string_view text) {
    const auto server = NameServerText::parse(text);
    return server ? NameServerText::show(*server) : "";
  };
  EXPECT_EQ(shown("192.0.2.1"), "192.0.2.1:53");
  EXPECT_EQ(shown("192.0.2.1:5353"), "192.0.2.1:5353");
  EXPECT_EQ(shown("2001:db8::1"), "[2001:db8::1]:53");
  EXPECT_EQ(shown("[2001:db8::1]"), "[2001:db8::1]:53");
  EXPECT_EQ(shown("[::1]:5353"), "[::1]:5353");
  for (const char* bad : {"", ":53", "dns.example", "localhost", "192.0.2.1:", "192.0.2.1:0",
                          "192.0.2.1:65536", "[192.0.2.1]:53", "192.0.2.0/24", "[::1", "192.0.2.1 "})
    EXPECT_EQ(shown(bad), "") << bad;
}

std::array<std::uint8_t, 16> mapped(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
  return {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d};
}

TEST(Network, ContainsWhatSharesItsPrefix) {
  const Network ten = *NetworkText::parse("10.0.0.0/8");
  EXPECT_TRUE(ten.contains(mapped(10, 255, 0, 1)));
  EXPECT_FALSE(ten.contains(mapped(11, 0, 0, 1)));
  const Network twelve = *NetworkText::parse("172.16.0.0/12");
  EXPECT_TRUE(twelve.contains(mapped(172, 31, 255, 255)));
  EXPECT_FALSE(twelve.contains(mapped(172, 32, 0, 0)));
  const Network one = *NetworkText::parse("192.0.2.7");
  EXPECT_TRUE(one.contains(mapped(192, 0, 2, 7)));
  EXPECT_FALSE(one.contains(mapped(192, 0, 2, 6)));
  const Network every4 = *NetworkText::parse("0.0.0.0/0");
  EXPECT_TRUE(every4.contains(mapped(1, 2, 3, 4)));
  EXPECT_FALSE(every4.contains({0xfd}));
  EXPECT_TRUE(NetworkText::parse("::/0")->contains({0xfd}));
  EXPECT_TRUE(NetworkText::parse("fc00::/7")->contains({0xfd}));
}

TEST(Network, RefusesBitsBeyondItsPrefixAndNamesTheNetworkMeant) {
  EXPECT_EQ(NetworkText::parse("10.1.2.3/8").error(),
            "has bits beyond its prefix; that network is 10.0.0.0/8");
  EXPECT_EQ(NetworkText::parse("fd00::1/8").error(), "has bits beyond its prefix; that network is fd00::/8");
  for (const char* bad :
       {"", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0/8", "10.0.0.0/8/8", "example.com", "10.0.0.0/-1"})
    EXPECT_FALSE(NetworkText::parse(bad)) << bad;
}

TEST(Url, IsTakenApart) {
  const Url url = *UrlText::parse("HTTPS://API.Example.com:8443/v1/");
  EXPECT_TRUE(url.tls);
  EXPECT_EQ(url.host, "api.example.com");
  EXPECT_EQ(url.port, 8443);
  EXPECT_EQ(url.path, "/v1");
  EXPECT_EQ(url.authority(), "api.example.com:8443");
  EXPECT_EQ(UrlText::parse("http://[::1]/")->authority(), "[::1]");
  EXPECT_EQ(UrlText::parse("http://[::1]:81")->authority(), "[::1]:81");
  EXPECT_EQ(UrlText::parse("https://a")->port, 443);
  EXPECT_EQ(UrlText::parse("https://a:80")->authority(), "a:80");
  EXPECT_EQ(UrlText::parse("http://a:80/")->authority(), "a");
  EXPECT_EQ(UrlText::parse("http://a/%C3%A9")->path, "/%C3%A9");
}

TEST(Url, RefusesWhatAnOriginCannotBe) {
  for (const char* bad : {"",
                          "a",
                          "a:80",
                          "//a",
                          "ftp://a",
                          "http:/a",
                          "http://",
                          "http:///p",
                          "http://a?q",
                          "http://a#f",
                          "http://u@a",
                          "http://u:p@a",
                          "http://a:0",
                          "http://a:65536",
                          "http://a:",
                          "http://a b",
                          "http://a/ b",
                          "http://a/../b",
                          "http://a/./b",
                          "http://a//b",
                          "http://a/..",
                          "http://a/%2",
                          "http://a/é",
                          "http://[::1",
                          "http://[a]",
                          "http://1.2.3",
                          "http://0x7f.1",
                          "http://127.1",
                          "http://a..b",
                          "http://.a",
                          "http://a/\\b"})
    EXPECT_FALSE(UrlText::parse(bad)) << bad;
}

TEST(RoutePath, IsWrittenAsItIsMeant) {
  EXPECT_EQ(RoutePath::parse("/"), "/");
  EXPECT_EQ(RoutePath::parse("/a/b/"), "/a/b/");
  EXPECT_EQ(RoutePath::parse("/café"), "/café");
  for (const char* bad : {"", "a", "/a//b", "//", "/./a", "/a/..", "/%2e%2e/a", "/a%2fb", "/a%5cb", "/a\\b",
                          "/%0a", "/\n", "/%", "/%2", "/%zz", "/caf%C3%A9", "/%2541", "/a?b", "/a#b"})
    EXPECT_FALSE(RoutePath::parse(bad)) << bad;
}

TEST(Names, HoldOnlyWhatTheirPlaceCanCarry) {
  EXPECT_TRUE(HeaderName::parse("X-Token"));
  EXPECT_FALSE(HeaderName::parse("X Token"));
  EXPECT_FALSE(HeaderName::parse("X-Token:"));
  EXPECT_TRUE(QueryName::parse("access_token"));
  EXPECT_FALSE(QueryName::parse("a&b"));
  EXPECT_FALSE(Bucket::parse(".."));
  EXPECT_FALSE(Bucket::parse("a/b"));
  EXPECT_FALSE(AccessKeyId::parse("a/b"));
  EXPECT_FALSE(KeyPrefix::parse("/a"));
  EXPECT_TRUE(KeyPrefix::parse(""));
  EXPECT_FALSE(SecretText::parse("with\nnewline"));
}

std::expected<std::string, std::string> expand_with_a(std::string_view text) {
  return expand(text, [](const std::string& name) -> std::optional<std::string> {
    if (name == "A") return "1";
    if (name == "EMPTY") return "";
    if (name == "DOLLAR") return "${A}";
    return std::nullopt;
  });
}

TEST(Expand, PutsVariablesInOnce) {
  EXPECT_EQ(expand_with_a("x${A}y${A}"), "x1y1");
  EXPECT_EQ(expand_with_a("${DOLLAR}"), "${A}");
  EXPECT_EQ(expand_with_a("${EMPTY}"), "");
  EXPECT_EQ(expand_with_a("${EMPTY:-d}${NONE:-e}${A:-f}${NONE:-}"), "de1");
  EXPECT_EQ(expand_with_a("${NONE:-a:-b}"), "a:-b");
}

TEST(Expand, LeavesOtherDollarsAndTheEscapedOneAlone) {
  EXPECT_EQ(expand_with_a("$ $A $$ 5$"), "$ $A $$ 5$");
  EXPECT_EQ(expand_with_a("$${A}"), "${A}");
  EXPECT_EQ(expand_with_a("$$${A}"), "$${A}");
}

TEST(Expand, NamesTheVariableThatIsMissing) {
  EXPECT_EQ(expand_with_a("${NONE}").error(),
            "the environment variable NONE is not set, and ${NONE} gives no default");
  for (const char* bad : {"${", "${}", "${A", "${1}", "${A-b}", "${A B}", "${:-x}", "${NONE:-${A}}"})
    EXPECT_FALSE(expand_with_a(bad)) << bad;
}

}  // namespace
}  // namespace config
