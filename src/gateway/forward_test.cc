// What of a request goes on to an origin, and who the client is. That it does so on a wire stands in
// tests/test_http_origin.py and tests/test_clients.py.
#include "gateway/forward.h"

#include <gmock/gmock.h>

#include "gateway/exchange_testing.h"
#include "http/via.h"
#include "http/websocket.h"

namespace gateway {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing_support::kStaff;

class Forward : public testing_support::ExchangeTest {
 protected:
  std::string sent(ForFill for_fill = ForFill::kNo) {
    std::string out;
    forward_fields(x(), for_fill, out);
    return out;
  }
  void trust() { configure_route("", "trusted_proxies: [ 192.0.2.0/24, 10.0.0.0/8 ]"); }
};

TEST_F(Forward, SendsOnWhatIsEndToEndAndOfOurOwnNamesOnlyOurs) {
  receive(
      "GET /a HTTP/1.1\nHost: example.com\nAccept: text/html\nAccept: text/*\nX-Own: 1\nConnection: x-hop, "
      "close\n"
      "X-Hop: 2\nKeep-Alive: 5\nTE: trailers\nProxy-Connection: x\nExpect: 100-continue\n");
  EXPECT_EQ(sent(),
            "Accept: text/html\r\nAccept: text/*\r\nX-Own: 1\r\n"
            "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: example.com\r\n"
            "X-Request-Id: our-id\r\nVia: 1.1 " +
                http::our_name() + "\r\n");
}

TEST_F(Forward, LetsNobodyNominateAwayWhatWeAdd) {
  receive("GET / HTTP/1.1\nHost: a\nConnection: x-forwarded-for, via, x-request-id, x-forwarded-host\n");
  EXPECT_THAT(sent(), AllOf(HasSubstr("X-Forwarded-For: 192.0.2.7\r\n"),
                            HasSubstr("Via: 1.1 " + http::our_name() + "\r\n"),
                            HasSubstr("X-Request-Id: our-id\r\n"), HasSubstr("X-Forwarded-Host: a\r\n")));
}

TEST_F(Forward, ReplacesWhatAStrangerSaysOfItself) {
  receive(
      "GET / HTTP/1.1\nHost: a\nX-Forwarded-For: 1.1.1.1\nX-Forwarded-Proto: https\nX-Forwarded-Host: evil\n"
      "Forwarded: for=1.1.1.1\nX-Request-Id: theirs\n");
  EXPECT_TRUE(learn_client(x()));
  EXPECT_EQ(x().client, "192.0.2.7");
  EXPECT_EQ(x().request_id, "our-id");
  EXPECT_EQ(sent(),
            "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n"
            "X-Request-Id: our-id\r\nVia: 1.1 " +
                http::our_name() + "\r\n");
}

TEST_F(Forward, GoesOnWithTheChainOfATrustedProxy) {
  trust();
  receive(
      "GET / HTTP/1.0\nHost: inner\nX-Forwarded-For: 1.1.1.1, 198.51.100.5\nX-Forwarded-For: 10.0.0.2\n"
      "X-Forwarded-Proto: https\nX-Forwarded-Host: outer\nX-Request-Id: theirs/1\nVia: 1.1 edge\n");
  EXPECT_TRUE(learn_client(x()));
  EXPECT_EQ(x().client, "198.51.100.5")
      << "the nearest that is not ours; what it says itself is a stranger's word";
  EXPECT_EQ(sent(),
            "X-Forwarded-For: 1.1.1.1, 198.51.100.5, 10.0.0.2, 192.0.2.7\r\nX-Forwarded-Proto: https\r\n"
            "X-Forwarded-Host: outer\r\nX-Request-Id: theirs/1\r\nVia: 1.1 edge, 1.0 " +
                http::our_name() + "\r\n");
}

TEST_F(Forward, TellsXForwardedForOfWhatForwardedSaid) {
  trust();
  receive("GET / HTTP/1.1\nHost: inner\nForwarded: for=198.51.100.5;proto=https;host=outer, for=10.0.0.2\n");
  EXPECT_TRUE(learn_client(x()));
  EXPECT_EQ(x().client, "198.51.100.5");
  EXPECT_THAT(sent(), AllOf(HasSubstr("X-Forwarded-For: 198.51.100.5, 192.0.2.7\r\n"),
                            HasSubstr("X-Forwarded-Proto: https\r\n"), Not(HasSubstr("Forwarded: for"))));
}

TEST_F(Forward, RefusesTwoStoriesOfOneClient) {
  trust();
  for (const char* fields :
       {"Forwarded: for=198.51.100.5\nX-Forwarded-For: 198.51.100.6\n",
        "Forwarded: for=198.51.100.5;proto=http\nX-Forwarded-For: 198.51.100.5\nX-Forwarded-Proto: https\n",
        "Forwarded: for=198.51.100.5;host=a\nX-Forwarded-For: 198.51.100.5\nX-Forwarded-Host: b\n",
        "Forwarded: for=\"198.51.100.5\n"}) {
    receive(std::string("GET / HTTP/1.1\nHost: a\n") + fields);
    EXPECT_FALSE(learn_client(x())) << fields;
    EXPECT_EQ(x().plan, Plan::kProblem);
    EXPECT_EQ(x().error.code, base::Code::kBadRequest) << fields;
  }
}

TEST_F(Forward, BelievesOnlyAnIdThatIsSafeInALog) {
  trust();
  for (const std::string id : {"", "a b", "a\"b", "\xc3\xa9"}) {
    receive("GET / HTTP/1.1\nHost: a\nX-Request-Id: " + id + "\n");
    EXPECT_TRUE(learn_client(x()));
    EXPECT_EQ(x().request_id, "our-id") << id;
  }
  receive("GET / HTTP/1.1\nHost: a\nX-Request-Id: " + std::string(129, 'a') + "\n");
  EXPECT_TRUE(learn_client(x()));
  EXPECT_EQ(x().request_id, "our-id");
}

TEST_F(Forward, BelievesNobodyForAProxyThatDidNotSayForWhom) {
  trust();
  receive("GET / HTTP/1.1\nHost: a\nX-Forwarded-For: 198.51.100.5\n");
  peer().nameless = true;
  EXPECT_TRUE(learn_client(x()));
  EXPECT_EQ(x().client, "192.0.2.7");
}

TEST_F(Forward, AsksForTheWholeObjectWhereItIsForTheCache) {
  receive(
      "GET / HTTP/1.1\nHost: a\nRange: bytes=1-2\nIf-Range: \"a\"\nIf-Match: \"a\"\nIf-None-Match: \"b\"\n"
      "If-Modified-Since: x\nIf-Unmodified-Since: y\nAccept: z\n");
  EXPECT_THAT(sent(ForFill::kYes), ::testing::StartsWith("Accept: z\r\nX-Forwarded-For"));
  EXPECT_THAT(sent(ForFill::kNo),
              AllOf(HasSubstr("Range: bytes=1-2\r\n"), HasSubstr("If-Range: \"a\"\r\n"),
                    HasSubstr("If-Match: \"a\"\r\n"), HasSubstr("If-None-Match: \"b\"\r\n"),
                    HasSubstr("If-Modified-Since: x\r\n"), HasSubstr("If-Unmodified-Since: y\r\n")));
  EXPECT_TRUE(selects(x().head.fields));
}

TEST_F(Forward, KeepsTheCredentialsThatIdentityConsumes) {
  configure_route("identity: staff", kStaff);
  receive(
      "GET / HTTP/1.1\nHost: a\nAuthorization: Bearer secret\nX-Token: secret\n"
      "Cookie: a=1; session=secret; b=2\nCookie: session=secret\n");
  EXPECT_THAT(sent(), AllOf(HasSubstr("Cookie: a=1; b=2\r\n"), Not(HasSubstr("secret"))));
  EXPECT_TRUE(credentials_go_on(x())) << "cookies of the origin's own";
  receive("GET / HTTP/1.1\nHost: a\nAuthorization: Bearer secret\nCookie: session=secret\n");
  EXPECT_THAT(sent(), AllOf(Not(HasSubstr("Cookie")), Not(HasSubstr("secret"))));
  EXPECT_FALSE(credentials_go_on(x()));
}

TEST_F(Forward, SendsThemOnWhereTheRouteSaysSo) {
  configure_route("identity: staff, forward_authorization: true", kStaff);
  receive("GET / HTTP/1.1\nHost: a\nAuthorization: Bearer secret\n");
  EXPECT_THAT(sent(), HasSubstr("Authorization: Bearer secret\r\n"));
  EXPECT_TRUE(credentials_go_on(x()));
}

TEST_F(Forward, KeepsThemAlsoWhereNobodyAsksForThem) {
  configure_route("", kStaff);
  receive(
      "GET / HTTP/1.1\nHost: a\nAuthorization: Bearer secret\nX_Token: secret\nx.TOKEN: secret\n"
      "Cookie: session=secret\nX-Toke: 1\n");
  EXPECT_THAT(sent(), AllOf(HasSubstr("X-Toke: 1\r\n"), Not(HasSubstr("secret"))));
  EXPECT_FALSE(credentials_go_on(x()));
  receive("GET / HTTP/1.1\nHost: a\nAuthorization: Basic eDp5\n");
  EXPECT_THAT(sent(), HasSubstr("Authorization: Basic eDp5\r\n"));
  EXPECT_TRUE(credentials_go_on(x())) << "of a scheme that no identity reads";
}

TEST_F(Forward, SendsOnThoseOfAnIdentityThatTheRouteNames) {
  configure_route("forward_credentials: staff", kStaff);
  receive("GET / HTTP/1.1\nHost: a\nX-Token: secret\nCookie: session=secret\n");
  EXPECT_THAT(sent(), AllOf(HasSubstr("X-Token: secret\r\n"), HasSubstr("Cookie: session=secret\r\n")));
  EXPECT_TRUE(credentials_go_on(x()));
  EXPECT_TRUE(route().credentials.queries().empty());
}

TEST_F(Forward, CutsTokensOutOfAReferer) {
  configure_route("", kStaff);
  receive("GET / HTTP/1.1\nHost: a\nReferer: http://b/c?x=1&t%6fken=secret#d\n");
  EXPECT_THAT(sent(), HasSubstr("Referer: http://b/c?x=1\r\n"));
  receive("GET / HTTP/1.1\nHost: a\nReferer: /c?token=secret\n");
  EXPECT_THAT(sent(), HasSubstr("Referer: /c\r\n"));
}

TEST_F(Forward, LeavesToTheOriginWhatAnOpenRouteDoesNotConsume) {
  receive("GET / HTTP/1.1\nHost: a\nAuthorization: Basic eDp5\n");
  EXPECT_THAT(sent(), HasSubstr("Authorization: Basic eDp5\r\n"));
  EXPECT_TRUE(credentials_go_on(x()));
  receive("GET / HTTP/1.1\nHost: a\n");
  EXPECT_FALSE(credentials_go_on(x()));
}

TEST_F(Forward, DropsWhatSteersAnOriginAndWhatOnlyAProxyMaySay) {
  configure_route("", "trusted_proxies: [10.0.0.0/8]");
  for (const char* peer : {"192.0.2.7", "10.0.0.1"}) {
    receive(
        "GET / HTTP/1.1\nHost: a\nX-Original-URL: /evil\nX-Forwarded-Prefix: /evil\nX-HTTP-Method-Override: "
        "evil\n"
        "X_Forwarded_For: evil\nX-Forwarded-User: evil\nX-Real-IP: evil\nRemote-User: evil\nX-Own: 1\n",
        peer);
    EXPECT_THAT(sent(), AllOf(Not(HasSubstr("evil")), HasSubstr("X-Own: 1\r\n")));
    EXPECT_FALSE(credentials_go_on(x()));
  }
}

TEST_F(Forward, SendsOnWhatTheRouteNamesAndTheKeySaysSo) {
  configure_route("forward_fields: [x_old, X-Real-IP, X-Api-Key]", "trusted_proxies: [10.0.0.0/8]");
  const char* const lines =
      "GET / HTTP/1.1\nHost: a\nX-Real-IP: 1.2.3.4\nX_Old: a\nX-Api-Key: k\nX_OLD: b\nConnection: x_old\n"
      "X-Forwarded-User: evil\n";
  const auto keyed = [this] {
    std::string out;
    append_keyed_fields(x(), out);
    return out;
  };
  receive(lines);
  EXPECT_THAT(sent(),
              AllOf(HasSubstr("X_Old: a\r\n"), HasSubstr("X_OLD: b\r\n"), HasSubstr("X-Api-Key: k\r\n"),
                    Not(HasSubstr("X-Real-IP")), Not(HasSubstr("evil"))));
  EXPECT_EQ(keyed(), "x_old: a\r\nx_old: b\r\nX-Api-Key: k\r\n");
  EXPECT_FALSE(credentials_go_on(x())) << "its holder has a copy of its own";
  receive(lines, "10.0.0.1");
  EXPECT_TRUE(learn_client(x()));
  EXPECT_THAT(sent(), HasSubstr("X-Real-IP: 1.2.3.4\r\n"));
  EXPECT_EQ(keyed(), "x_old: a\r\nx_old: b\r\nX-Real-IP: 1.2.3.4\r\nX-Api-Key: k\r\n");
}

TEST_F(Forward, TakesAFieldThatMaySayWhoAsksForACredential) {
  for (const char* field : {"X-Api-Key", "x-auth-token", "X-Session-Id", "X-Csrf-Token", "Private-Token"}) {
    receive("GET / HTTP/1.1\nHost: a\n" + std::string(field) + ": 1\n");
    EXPECT_THAT(sent(), HasSubstr(field));
    EXPECT_TRUE(credentials_go_on(x())) << field;
  }
  configure_route("identity: staff", kStaff);
  receive("GET / HTTP/1.1\nHost: a\nX-Token: secret\n");
  EXPECT_FALSE(credentials_go_on(x())) << "it does not go on";
}

TEST_F(Forward, AsksForTheCacheWithoutCookiesThatDoNotCount) {
  configure_route("cache: { ignore_cookies: [_ga, \"_g_*\"] }");
  receive("GET / HTTP/1.1\nHost: a\nCookie: _ga=1; _g_x=2\nCookie: _ga=3\n");
  EXPECT_FALSE(credentials_go_on(x()));
  EXPECT_THAT(sent(ForFill::kYes), Not(HasSubstr("Cookie")));
  EXPECT_THAT(sent(), HasSubstr("Cookie: _ga=1; _g_x=2\r\n"));
  for (const char* cookie : {"_gab=1", "session=1", "_GA=1", "_ga=1; x=2"}) {
    receive("GET / HTTP/1.1\nHost: a\nCookie: " + std::string(cookie) + "\n");
    EXPECT_TRUE(credentials_go_on(x())) << cookie;
  }
}

TEST_F(Forward, KnowsAWebSocketByGetVersionAndBothFields) {
  EXPECT_TRUE(http::asks_websocket(
      receive("GET / HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: WebSocket\n").head));
  for (const char* other : {"POST / HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: websocket\n",
                            "GET / HTTP/1.0\nHost: a\nConnection: Upgrade\nUpgrade: websocket\n",
                            "GET / HTTP/1.1\nHost: a\nUpgrade: websocket\n",
                            "GET / HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: h2c\n"})
    EXPECT_FALSE(http::asks_websocket(receive(other).head)) << other;
}

}  // namespace
}  // namespace gateway
