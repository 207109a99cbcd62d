#include "prove/wire/redirect.h"

#include <gtest/gtest.h>

namespace prove {
namespace {

std::vector<Target> targets() {
  std::vector<Target> out(3);
  out[0].url.host = "a.example";
  out[0].url.port = 80;
  out[1].url.host = "b.example";
  out[1].url.port = 8080;
  out[2].url.host = "a.example";
  out[2].url.port = 443;
  out[2].url.tls = true;
  return out;
}

// "target path", or why not.
std::string hop(std::string_view location, std::string_view path = "/shop/cart?x=1") {
  const Hop hop = hop_to(location, targets(), 0, path);
  return hop.why.empty() ? std::to_string(hop.target) + " " + hop.path : std::string(hop.why);
}

TEST(RedirectTest, ResolvesReferences) {
  EXPECT_EQ(hop("/login"), "0 /login");
  EXPECT_EQ(hop("login?a=/b#here"), "0 /shop/login?a=/b");
  EXPECT_EQ(hop("../up/./x/../y/"), "0 /up/y/");
  EXPECT_EQ(hop("../../../.."), "0 /");
  EXPECT_EQ(hop("?page=2"), "0 /shop/cart?page=2");
  EXPECT_EQ(hop(""), "0 /shop/cart?x=1");
}

TEST(RedirectTest, GoesToTargetsAndNowhereElse) {
  EXPECT_EQ(hop("http://A.example/x"), "0 /x");
  EXPECT_EQ(hop("http://a.example:80?q"), "0 /?q");
  EXPECT_EQ(hop("//b.example:8080"), "1 /");
  EXPECT_EQ(hop("HTTPS://a.example/x"), "2 /x");
  EXPECT_EQ(hop("http://b.example/x"), "it leads to no target of the campaign");
  EXPECT_EQ(hop("https://a.example.org/"), "it leads to no target of the campaign");
  EXPECT_EQ(hop("http://user@a.example/"), "its Location is no URL");
  EXPECT_EQ(hop("http://a.example:x/"), "its Location is no URL");
  EXPECT_EQ(hop("/a b"), "its Location is no URL");
  EXPECT_EQ(hop("ftp://a.example/"), "its Location is of another scheme than http and https");
  EXPECT_EQ(hop("javascript:alert(1)"), "its Location is of another scheme than http and https");
}

constexpr std::string_view kHead =
    "POST /form HTTP/1.1\r\nHost: a.example\r\nUser-Agent: u\r\nAuthorization: Bearer t\r\nX-Api-Key: k\r\n"
    "Cookie: sid=1\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\n";

std::string followed(std::uint16_t status, bool elsewhere, bool drop_cookies = false) {
  const std::string bytes = std::string(kHead) + "body";
  const std::vector<Target> all = targets();
  std::string buffer;
  const Wire wire =
      follow({.bytes = bytes, .generated = 7, .head = kHead.size()}, {.target = 1, .path = "/next"},
             {.status = status, .to = &all[1], .elsewhere = elsewhere, .drop_cookies = drop_cookies}, buffer);
  EXPECT_EQ(wire.generated, status > 303 ? 7u : 0u);
  EXPECT_EQ(wire.bytes.substr(wire.head), status > 303 ? "body" : "");
  return std::string(wire.bytes.substr(0, wire.head));
}

TEST(RedirectTest, AsksWithoutABodyWhereItIsToGet) {
  for (const std::uint16_t status : std::initializer_list<std::uint16_t>{301, 302, 303})
    EXPECT_EQ(followed(status, false),
              "GET /next HTTP/1.1\r\nHost: a.example\r\nUser-Agent: u\r\nAuthorization: Bearer "
              "t\r\nX-Api-Key: k\r\n"
              "Cookie: sid=1\r\n\r\n");
}

TEST(RedirectTest, SendsTheSameAgainWhereItIsTo) {
  for (const std::uint16_t status : std::initializer_list<std::uint16_t>{307, 308})
    EXPECT_EQ(followed(status, false), "POST /next" + std::string(kHead.substr(10)));
}

TEST(RedirectTest, TakesNoCredentialElsewhere) {
  EXPECT_EQ(followed(308, true),
            "POST /next HTTP/1.1\r\nHost: b.example:8080\r\nUser-Agent: u\r\nContent-Type: text/plain\r\n"
            "Content-Length: 4\r\n\r\n");
}

TEST(RedirectTest, LeavesCookiesToTheJar) {
  EXPECT_FALSE(followed(302, false, true).contains("Cookie"));
}

TEST(RedirectTest, PutsAFieldIntoTheHead) {
  std::string buffer;
  Wire wire =
      with_field({.bytes = "GET /x HTTP/1.1\r\nHost: a\r\n\r\nbody", .head = 28}, "Cookie: a=1\r\n", buffer);
  EXPECT_EQ(path_of(wire), "/x");
  EXPECT_EQ(wire.bytes, "GET /x HTTP/1.1\r\nHost: a\r\nCookie: a=1\r\n\r\nbody");
  EXPECT_EQ(wire.bytes.substr(wire.head), "body");
  wire = with_field(wire, "B: 2\r\n", buffer);
  EXPECT_EQ(wire.bytes, "GET /x HTTP/1.1\r\nHost: a\r\nCookie: a=1\r\nB: 2\r\n\r\nbody");
}

}  // namespace
}  // namespace prove
