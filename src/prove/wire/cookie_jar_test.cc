#include "prove/wire/cookie_jar.h"

#include <gtest/gtest.h>

namespace prove {
namespace {

constexpr base::Wall kNow{std::chrono::seconds(1'800'000'000)};

struct Jar {
  CookieJar jar;
  base::Wall now = kNow;

  void take(std::string_view field, std::string_view host = "a.example.com", std::string_view path = "/",
            bool secure = false) {
    jar.take(field, {.host = host, .path = path, .secure = secure}, now);
  }
  std::string sent(std::string_view path = "/", std::string_view host = "a.example.com",
                   bool secure = false) {
    std::string out;
    jar.append_to(out, {.host = host, .path = path, .secure = secure}, now);
    return out.empty() ? out : out.substr(8, out.size() - 10);
  }
};

TEST(CookieJarTest, SendsBackWhatItWasGiven) {
  Jar j;
  EXPECT_EQ(j.sent(), "");
  j.take("sid=31d4; HttpOnly");
  j.take("lang=en=us");
  EXPECT_EQ(j.sent(), "sid=31d4; lang=en=us");
  j.take("sid=77");
  EXPECT_EQ(j.sent("/x?y"), "sid=77; lang=en=us");
}

TEST(CookieJarTest, KeepsACookieToItsHostUnlessADomainMatches) {
  Jar j;
  j.take("own=1");
  j.take("all=2; Domain=.Example.com");
  j.take("other=3; Domain=example.org");
  j.take("part=4; Domain=ample.com");
  j.take("top=5; Domain=com");
  EXPECT_EQ(j.sent(), "own=1; all=2");
  EXPECT_EQ(j.sent("/", "b.example.com"), "all=2");
  EXPECT_EQ(j.sent("/", "example.com"), "all=2");
  EXPECT_EQ(j.sent("/", "badexample.com"), "");
}

TEST(CookieJarTest, NeverMatchesPartsOfAnAddress) {
  Jar j;
  j.take("a=1; Domain=0.0.1", "127.0.0.1");
  j.take("b=2; Domain=127.0.0.1", "127.0.0.1");
  EXPECT_EQ(j.sent("/", "127.0.0.1"), "b=2");
  EXPECT_EQ(j.sent("/", "1.127.0.0.1"), "");
}

TEST(CookieJarTest, SendsWhatThePathMatchesTheLongestFirst) {
  Jar j;
  j.take("root=1; Path=/");
  j.take("deep=2; Path=/shop/cart");
  j.take("shop=3", "a.example.com", "/shop/login?next=/a/b");
  EXPECT_EQ(j.sent("/shop/cart/x"), "deep=2; shop=3; root=1");
  EXPECT_EQ(j.sent("/shop"), "shop=3; root=1");
  EXPECT_EQ(j.sent("/shopping"), "root=1");
}

TEST(CookieJarTest, KeepsSecureOnesFromPlainConnections) {
  Jar j;
  j.take("a=1; Secure");
  EXPECT_EQ(j.sent("/", "a.example.com", true), "");
  j.take("a=1; Secure", "a.example.com", "/", true);
  EXPECT_EQ(j.sent("/", "a.example.com", true), "a=1");
  EXPECT_EQ(j.sent(), "");
}

TEST(CookieJarTest, ForgetsWhatHasExpired) {
  Jar j;
  j.take("a=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
  j.take("b=2; Expires=Fri, 15 Jan 2027 08:01:00 GMT");
  j.take("c=3; Max-Age=soon");
  EXPECT_EQ(j.sent(), "a=1; b=2; c=3");
  j.now += std::chrono::seconds(60);
  EXPECT_EQ(j.sent(), "c=3");
  j.take("c=; Max-Age=0");
  EXPECT_EQ(j.sent(), "");
}

TEST(CookieJarTest, DeletesByADateThatIsPast) {
  Jar j;
  j.take("a=1");
  j.take("a=; Expires=Thu, 01-Jan-70 00:00:00 GMT");
  EXPECT_EQ(j.sent(), "");
}

TEST(CookieJarTest, ReadsDatesAsTheyCome) {
  for (const std::string_view date : {"Fri, 15 Jan 2027 08:00:00 GMT", "Friday, 15-Jan-27 08:00:00 GMT",
                                      "Fri Jan 15 08:00:00 2027", "2027 jan 15 8:0:0"})
    EXPECT_EQ(cookie_date(date), 1'800'000'000) << date;
  for (const std::string_view wrong : {"", "soon", "Fri, 31 Feb 2027 08:00:00 GMT", "15 Jan 2027",
                                       "15 Jan 1500 00:00:00", "15 Jan 2027 24:00:00"})
    EXPECT_EQ(cookie_date(wrong), INT64_MIN) << wrong;
}

TEST(CookieJarTest, IsBounded) {
  Jar j;
  for (std::size_t i = 0; i < CookieJar::kMost + 1; ++i) j.take("c" + std::to_string(i) + "=x");
  const std::string all = j.sent();
  EXPECT_FALSE(all.contains("c0=")) << all;
  EXPECT_TRUE(all.contains("c64="));
  Jar big;
  big.take("a=" + std::string(CookieJar::kMostBytes, 'x'));
  big.take("=nameless");
  big.take("novalue");
  EXPECT_EQ(big.sent(), "");
}

}  // namespace
}  // namespace prove
