// How the fields of a reply are written.
#include "gateway/render.h"

#include <gmock/gmock.h>

#include "gateway/exchange_testing.h"

namespace gateway {
namespace {

using base::Millis;
using base::Seconds;

class Render : public testing_support::ExchangeTest {
 protected:
  std::string cache_fields(CacheUse use, base::Nanos age, base::Nanos freshness, std::string_view detail = {},
                           bool stored = false) {
    Exchange& now = receive("GET / HTTP/1.1\nHost: a\n");
    now.cache = use;
    now.cache_detail = detail;
    now.stored = stored;
    now.out.begin();
    append_cache_fields(now, age, freshness);
    return std::string(now.out.lines());
  }
  std::string end_to_end(std::string_view reply, bool stored) {
    receive("GET / HTTP/1.1\nHost: a\n");
    http::ResponseHead head;
    EXPECT_TRUE(http::parse_response(reply, http::Method::kGet, {}, head));
    std::string out;
    append_end_to_end(route(), head, stored, out);
    return out;
  }
};

TEST_F(Render, SaysOfAHitHowOldItIsAndHowLongItLasts) {
  EXPECT_EQ(cache_fields(CacheUse::kHit, Seconds(7), Seconds(60)),
            "Age: 7\r\nCache-Status: sekisho; hit; ttl=53\r\n");
  EXPECT_EQ(cache_fields(CacheUse::kHit, Millis(1999), Seconds(60)),
            "Age: 1\r\nCache-Status: sekisho; hit; ttl=58\r\n");
  EXPECT_EQ(cache_fields(CacheUse::kHit, Seconds(61), Seconds(60)),
            "Age: 61\r\nCache-Status: sekisho; hit; ttl=0\r\n")
      << "never a negative one";
}

TEST_F(Render, SaysOfTheRestWhyItWasNoHit) {
  EXPECT_EQ(cache_fields(CacheUse::kNone, {}, {}), "");
  EXPECT_EQ(cache_fields(CacheUse::kMiss, {}, {}), "Cache-Status: sekisho; fwd=miss\r\n");
  EXPECT_EQ(cache_fields(CacheUse::kMiss, Seconds(3), Seconds(9), {}, true),
            "Age: 3\r\nCache-Status: sekisho; fwd=miss; stored\r\n");
  EXPECT_EQ(cache_fields(CacheUse::kCollapsed, {}, {}), "Cache-Status: sekisho; fwd=miss; collapsed\r\n");
  EXPECT_EQ(cache_fields(CacheUse::kBypass, Seconds(3), {}, "authorization"),
            "Cache-Status: sekisho; fwd=bypass; detail=\"authorization\"\r\n");
}

TEST_F(Render, LetsNoOriginSetACookieThatIsACredential) {
  configure_route("", testing_support::kStaff);
  for (const std::string cookie :
       {"session=x", "session = x; Path=/", "=session=x", " = session=x", "session"})
    EXPECT_EQ(
        end_to_end("HTTP/1.1 200 OK\r\nSet-Cookie: " + cookie + "\r\nSet-Cookie: a=session=\r\n\r\n", false),
        "Set-Cookie: a=session=\r\n")
        << cookie;
}

TEST_F(Render, PassesOnWhatIsEndToEndAndWritesFramingItself) {
  configure_route("");
  const std::string reply =
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: a/b\r\nConnection: x-hop\r\nX-Hop: 1\r\n"
      "Keep-Alive: 5\r\nX-Request-Id: theirs\r\nAge: 4\r\nCache-Status: edge; hit\r\nSet-Cookie: a\r\n"
      "Set-Cookie: b\r\nRateLimit: x\r\nX-RateLimit-Limit: 9\r\n\r\n";
  EXPECT_EQ(end_to_end(reply, false),
            "Content-Type: a/b\r\nAge: 4\r\nCache-Status: edge; hit\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n"
            "RateLimit: x\r\nX-RateLimit-Limit: 9\r\n");
  EXPECT_EQ(end_to_end(reply, true),
            "Content-Type: a/b\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nRateLimit: x\r\nX-RateLimit-Limit: 9\r\n")
      << "what each reply gets anew is not kept";
}

TEST_F(Render, LetsNoOriginContradictOurRateLimits) {
  configure_route("rates: [ slow ]", "rates: { slow: { requests: 10/s, per: address } }");
  EXPECT_EQ(end_to_end("HTTP/1.1 200 OK\r\nRateLimit: x\r\nRatelimit-Policy: y\r\nX-RateLimit-Limit: 9\r\n"
                       "X-RateLimit-Remaining: 9\r\nX-RateLimit-Reset: 9\r\nServer: z\r\n\r\n",
                       false),
            "Server: z\r\n");
}

TEST(RenderedFields, AreFoundWhateverTheirCaseAndTakenOut) {
  const std::string_view fields = "ETag: \"a\"\r\nContent-Type: text/html\r\nX: \r\nETAG: \"b\"\r\n";
  EXPECT_EQ(rendered_value(fields, "content-type"), "text/html");
  EXPECT_EQ(rendered_value(fields, "etag"), "\"a\"");
  EXPECT_EQ(rendered_value(fields, "X"), "");
  EXPECT_EQ(rendered_value(fields, "tag"), "");
  EXPECT_EQ(rendered_value("", "etag"), "");
  std::string out = "before ";
  append_without(fields, "etag", out);
  EXPECT_EQ(out, "before Content-Type: text/html\r\nX: \r\n");
}

TEST(AppendNumber, WritesTheWholeRange) {
  std::string out;
  append_number(out, 0);
  append_number(out.append(" "), UINT64_MAX);
  EXPECT_EQ(out, "0 18446744073709551615");
}

}  // namespace
}  // namespace gateway
