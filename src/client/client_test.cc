#include "client/client.h"

#include <gmock/gmock.h>
#include <signal.h>

#include <atomic>
#include <functional>
#include <mutex>

#include "client/redirect.h"
#include "config/address.h"
#include "net/testing.h"
#include "net/testing_tls.h"

namespace client {
namespace {

using base::Code;
using base::Millis;
using base::Seconds;
using net::Endpoint;
using net::testing::Peer;
using net::testing::TestServer;
using ::testing::HasSubstr;
using ::testing::Not;

std::string with_body(std::string_view body, std::string_view fields = "",
                      std::string_view status = "200 OK") {
  const std::string_view close = fields.contains("Connection:") ? "" : "Connection: close\r\n";
  return "HTTP/1.1 " + std::string(status) + "\r\n" + std::string(fields) + std::string(close) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

// For a server that keeps its connection, whose client closes it before the server ends (it serves one at a
// time).
std::string kept(std::string_view body, std::string_view fields = "") {
  return with_body(body, std::string(fields) + "Connection: keep-alive\r\n");
}

// Answers every request on every connection, and keeps what it was asked.
class Server {
 public:
  using Answer = std::function<std::string(const std::string& head)>;
  explicit Server(Answer answer)
      : answer_(std::move(answer)), server_([this](Peer& peer, int) {
          for (std::string head; !(head = peer.read_head()).empty();) {
            const std::size_t at = head.find("Content-Length: ");
            const std::string body =
                at == std::string::npos ? "" : peer.read(std::stoul(head.substr(at + 16)));
            const std::lock_guard guard(lock_);
            heads_.push_back(head + body);
            peer.write(answer_(head));
          }
        }) {}
  explicit Server(const std::string& always) : Server([always](const std::string&) { return always; }) {}

  std::uint16_t port() const { return server_.port(); }
  int connections() const { return server_.connections(); }
  std::vector<std::string> heads() {
    const std::lock_guard guard(lock_);
    return heads_;
  }

 private:
  std::mutex lock_;
  std::vector<std::string> heads_;
  Answer answer_;
  TestServer server_;
};

// What names mean; changed by a test as a name server would.
std::atomic<int> last_byte = 1, another = 0;
net::Answer look_up(const std::string&) {
  net::Answer out;
  for (const int last : {last_byte.load(), another.load()})
    if (last != 0) out.addresses.push_back(*Endpoint::parse("127.0.0." + std::to_string(last), 0));
  return out;
}

struct Only final : AddressFilter {
  explicit Only(std::string h) : host(std::move(h)) {}
  bool passes(const Endpoint& address) const override { return address.host() == host; }
  std::string host;
};

class ClientTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ::signal(SIGPIPE, SIG_IGN); }
  ClientTest() { last_byte = 1, another = 0; }
  ~ClientTest() override { client.close_idle(); }

  static config::Url url(std::uint16_t port, std::string path = "/", std::string host = "127.0.0.1") {
    return {.tls = false, .host = std::move(host), .port = port, .path = std::move(path)};
  }
  base::Result<Response> fetch(Request request, net::Cancel* cancel = nullptr) {
    return test.await(client.fetch(std::move(request), cancel));
  }
  static Code code(const base::Result<Response>& response) {
    return response ? Code::kCount : response.error().code;
  }

  net::testing::TestLoop test;
  net::testing::TestLookUps look_ups{&look_up};
  net::Resolver resolver{test.loop, look_ups};
  Client client{test.loop, resolver};
};

TEST_F(ClientTest, GivesTheReplyAsAWholeAndKeepsTheConnection) {
  Server server(kept("hello", "X-One: 1\r\n"));
  for (int i = 0; i < 2; ++i) {
    const auto response = fetch({.url = url(server.port(), "/a?b=%20"),
                                 .fields = "Accept: x/y\r\n",
                                 .credentials = "Authorization: z\r\n"});
    ASSERT_TRUE(response) << response.error().text;
    EXPECT_EQ(response->status(), 200);
    EXPECT_EQ(response->fields().find("x-one")->value, "1");
    EXPECT_EQ(response->body, "hello");
  }
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(server.heads()[0], "GET /a?b=%20 HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) +
                                   "\r\nAccept: x/y\r\nAuthorization: z\r\n\r\n");
  client.close_idle();
}

TEST_F(ClientTest, SendsABodyWithItsLengthAndGivesRepliesOfAnyStatus) {
  Server server(with_body("no", "", "403 Forbidden"));
  const auto response = fetch({.method = http::Method::kPost, .url = url(server.port()), .body = "a=1"});
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status(), 403);
  EXPECT_EQ(response->body, "no");
  EXPECT_THAT(server.heads()[0], ::testing::StartsWith("POST / HTTP/1.1\r\n"));
  EXPECT_THAT(server.heads()[0], ::testing::EndsWith("\r\nContent-Length: 3\r\n\r\na=1"));
}

// ---- one deadline for all of it

TEST_F(ClientTest, ABodyThatDripsGainsNoTime) {
  TestServer server([](Peer& peer, int) {
    peer.read_head();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    while (peer.write("x")) ::poll(nullptr, 0, 10);
  });
  const base::Mono began = base::mono_now();
  const auto response = fetch({.url = url(server.port()), .total = Millis(200)});
  EXPECT_EQ(code(response), Code::kOriginTimeout);
  EXPECT_GE(base::mono_now() - began, Millis(200));
  EXPECT_LT(base::mono_now() - began, Seconds(5));
}

TEST_F(ClientTest, AHeadThatDripsGainsNoTime) {
  TestServer server([](Peer& peer, int) {
    peer.read_head();
    peer.write("HTTP/1.1 200 OK\r\nX: ");
    while (peer.write("x")) ::poll(nullptr, 0, 10);
  });
  EXPECT_EQ(code(fetch({.url = url(server.port()), .total = Millis(200)})), Code::kOriginTimeout);
}

// Each hop well within the deadline, all of them not.
TEST_F(ClientTest, RedirectsGainNoTime) {
  Server server([](const std::string&) {
    ::poll(nullptr, 0, 40);
    return with_body("", "Location: /again\r\n", "302 Found");
  });
  EXPECT_EQ(code(fetch({.url = url(server.port()), .total = Millis(250), .max_redirects = 1000})),
            Code::kOriginTimeout);
}

std::atomic<bool> hold = false;
net::Answer look_up_slowly(const std::string&) {
  while (hold) ::poll(nullptr, 0, 1);
  return {};
}

TEST_F(ClientTest, ALookUpCountsToo) {
  net::testing::TestLookUps slowly(&look_up_slowly);
  net::Resolver slow(test.loop, slowly);
  Client asker(test.loop, slow);
  hold = true;
  const auto response =
      test.await(asker.fetch({.url = url(80, "/", "slow.example"), .total = Millis(100)}, nullptr));
  hold = false;
  EXPECT_EQ(code(response), Code::kOriginTimeout);
  test.await(slow.drained());
}

TEST_F(ClientTest, EndsWhenItsCallerDoes) {
  TestServer server([](Peer& peer, int) { peer.read(1 << 20); });  // until the client leaves
  net::Cancel cancel;
  test.loop.post([&] { cancel.request(); });
  EXPECT_EQ(code(fetch({.url = url(server.port()), .total = Seconds(30)}, &cancel)), Code::kCancelled);
}

// ---- bounded

TEST_F(ClientTest, AReplyThatNeverEndsIsTooLarge) {
  TestServer server([](Peer& peer, int) {
    peer.read_head();
    peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (peer.write("8\r\nfor ever\r\n")) {
    }
  });
  const auto response = fetch({.url = url(server.port()), .max_body = 100'000});
  EXPECT_EQ(code(response), Code::kReplyTooLarge);
}

TEST_F(ClientTest, TakesExactlyWhatItMayAndNoByteMore) {
  Server server([](const std::string& head) {
    const std::string body(head.starts_with("GET /1000") ? 1000 : 1001, 'x');
    if (head.contains("/chunked"))
      return "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n" +
             std::string(body.size() == 1000 ? "3e8" : "3e9") + "\r\n" + body + "\r\n0\r\n\r\n";
    return with_body(body);
  });
  for (const char* const how : {"", "/chunked"}) {
    const auto most = fetch({.url = url(server.port(), std::string("/1000") + how), .max_body = 1000});
    ASSERT_TRUE(most) << how;
    EXPECT_EQ(most->body, std::string(1000, 'x'));
    EXPECT_EQ(code(fetch({.url = url(server.port(), std::string("/1001") + how), .max_body = 1000})),
              Code::kReplyTooLarge);
  }
}

TEST_F(ClientTest, ABodyThatEndsEarlyIsNoReply) {
  TestServer server([](Peer& peer, int) {
    peer.read_head();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort");
  });
  EXPECT_EQ(code(fetch({.url = url(server.port())})), Code::kOriginBadReply);
}

// ---- redirects

TEST_F(ClientTest, FollowsNoRedirectUnlessAsked) {
  Server server(with_body("", "Location: /b\r\n", "302 Found"));
  const auto response = fetch({.url = url(server.port(), "/a")});
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status(), 302);
  EXPECT_EQ(server.heads().size(), 1U);
}

TEST_F(ClientTest, FollowsAsManyAsItMay) {
  Server server([](const std::string& head) {
    return head.starts_with("GET /c") ? with_body("there") : with_body("", "Location: c?d\r\n", "301 Moved");
  });
  const auto response = fetch({.url = url(server.port(), "/a/b"), .max_redirects = 1});
  EXPECT_EQ(code(response), Code::kOriginBadReply) << "/a/c?d is no /c";
  EXPECT_THAT(server.heads()[1], ::testing::StartsWith("GET /a/c?d HTTP/1.1\r\n"));
  const auto there = fetch({.url = url(server.port(), "/b"), .max_redirects = 1});
  ASSERT_TRUE(there);
  EXPECT_EQ(there->body, "there");
  EXPECT_EQ(there->url.path, "/c?d");
}

TEST_F(ClientTest, CredentialsStayWithTheirOrigin) {
  Server other(with_body("other"));
  Server server([&](const std::string& head) {
    if (head.starts_with("GET /same")) return with_body("same");
    const std::string to =
        head.starts_with("GET /in") ? "/same" : "http://127.0.0.1:" + std::to_string(other.port());
    return with_body("", "Location: " + to + "\r\n", "307 Temporary Redirect");
  });
  for (const char* const path : {"/in", "/out"}) {
    const auto response = fetch({.url = url(server.port(), path),
                                 .fields = "X-A: 1\r\nCookie: secret\r\nX-B: 2\r\n",
                                 .credentials = "X-Key: secret\r\n",
                                 .max_redirects = 1});
    ASSERT_TRUE(response) << response.error().text;
  }
  EXPECT_THAT(server.heads()[1], HasSubstr("\r\nCookie: secret\r\nX-B: 2\r\nX-Key: secret\r\n"));
  ASSERT_EQ(other.heads().size(), 1U);
  EXPECT_THAT(other.heads()[0], HasSubstr("\r\nX-A: 1\r\nX-B: 2\r\n\r\n"));
  EXPECT_THAT(other.heads()[0], Not(HasSubstr("secret")));
}

TEST_F(ClientTest, ABodyGoesOnWithinItsOriginOnlyAndNotAsAGet) {
  Server other(with_body("other"));
  Server server([&](const std::string& head) {
    if (head.contains(" /same")) return with_body("same");
    if (head.contains(" /see")) return with_body("", "Location: /same\r\n", "303 See Other");
    if (head.contains(" /in")) return with_body("", "Location: /same\r\n", "307 Temporary Redirect");
    return with_body("", "Location: //127.0.0.1:" + std::to_string(other.port()) + "/\r\n",
                     "308 Permanent Redirect");
  });
  const auto post = [&](std::string path) {
    return fetch({.method = http::Method::kPost,
                  .url = url(server.port(), std::move(path)),
                  .body = "secret=1",
                  .max_redirects = 3});
  };
  ASSERT_TRUE(post("/see"));
  EXPECT_THAT(server.heads()[1], ::testing::StartsWith("GET /same"));
  EXPECT_THAT(server.heads()[1], Not(HasSubstr("secret")));
  ASSERT_TRUE(post("/in"));
  EXPECT_THAT(server.heads()[3], ::testing::StartsWith("POST /same"));
  EXPECT_THAT(server.heads()[3], HasSubstr("\r\n\r\nsecret=1"));
  EXPECT_EQ(code(post("/out")), Code::kOriginBadReply);
  EXPECT_EQ(other.connections(), 0);
}

TEST_F(ClientTest, ARedirectIsAskedWhereItLeadsBeforeItIsFollowed) {
  Server server(with_body("", "Location: http://127.0.0.2:1/\r\n", "302 Found"));
  const Only here("127.0.0.1");
  const auto response = fetch({.url = url(server.port()), .max_redirects = 3, .filter = &here});
  EXPECT_EQ(code(response), Code::kAddressRefused);
}

// ---- addresses

TEST_F(ClientTest, ConnectsToNoAddressThatHasNotPassed) {
  Server server(with_body("inside"));
  for (const char* const host : {"127.0.0.1", "inside.example"})
    EXPECT_EQ(code(fetch({.url = url(server.port(), "/", host), .filter = &public_addresses()})),
              Code::kAddressRefused)
        << host;
  EXPECT_EQ(server.connections(), 0);
}

// A connection that another request has left behind is no way round the filter.
TEST_F(ClientTest, AKeptConnectionDoesNotPassForAnother) {
  Server server(kept("inside"));
  ASSERT_TRUE(fetch({.url = url(server.port(), "/", "name.example")}));
  const Only elsewhere("192.0.2.1"), here("127.0.0.1");
  EXPECT_EQ(code(fetch({.url = url(server.port(), "/", "name.example"), .filter = &elsewhere})),
            Code::kAddressRefused);
  ASSERT_TRUE(fetch({.url = url(server.port(), "/", "name.example"), .filter = &here}));
  EXPECT_EQ(server.connections(), 1) << "the same address has passed both times";
  client.close_idle();
}

TEST_F(ClientTest, AnotherOrderOfTheSameAddressesIsTheSameServer) {
  Server server(kept("hello"));
  config::Pool keep;
  keep.resolve_every = Millis(0);
  Client asker(test.loop, resolver, keep);
  for (int i = 0; i < 6; ++i) {
    last_byte = 1 + i % 2, another = 2 - i % 2;
    ASSERT_TRUE(test.await(
        asker.fetch({.url = url(server.port(), "/", "name.example"), .total = Seconds(2)}, nullptr)));
    test.await(resolver.drained());
  }
  EXPECT_EQ(server.connections(), 1);
  asker.close_idle();
  test.await(resolver.drained());
}

TEST_F(ClientTest, ANameThatNowMeansSomethingElseGetsNoOldConnection) {
  Server server(kept("old"));
  config::Pool keep;
  keep.resolve_every = Millis(0);
  Client asker(test.loop, resolver, keep);
  const auto ask = [&] {
    return test.await(
        asker.fetch({.url = url(server.port(), "/", "name.example"), .total = Seconds(2)}, nullptr));
  };
  ASSERT_TRUE(ask());
  last_byte = 2;  // where nobody listens
  ASSERT_TRUE(ask()) << "what is merely old serves while it is asked again";
  test.await(resolver.drained());
  EXPECT_EQ(code(ask()), Code::kOriginRefused);
  EXPECT_EQ(server.connections(), 1);
  asker.close_idle();
  test.await(resolver.drained());
}

TEST(PublicAddresses, AreNeitherOurOwnNorOurNeighbours) {
  for (const char* const text : {"127.0.0.1",
                                 "10.1.2.3",
                                 "172.16.0.1",
                                 "172.31.255.255",
                                 "192.168.1.1",
                                 "169.254.169.254",
                                 "100.64.0.1",
                                 "0.0.0.0",
                                 "224.0.0.1",
                                 "255.255.255.255",
                                 "192.0.2.1",
                                 "198.19.0.1",
                                 "::",
                                 "::1",
                                 "fe80::1",
                                 "fc00::1",
                                 "fd12::1",
                                 "ff02::1",
                                 "::ffff:127.0.0.1",
                                 "::ffff:10.0.0.1",
                                 "64:ff9b::7f00:1",
                                 "2002:7f00:1::",
                                 "2001:db8::1",
                                 "2001::1",
                                 "::127.0.0.1"})
    EXPECT_FALSE(public_addresses().passes(*Endpoint::parse(text, 80))) << text;
  for (const char* const text : {"8.8.8.8", "172.15.0.1", "172.32.0.1", "100.63.255.255", "100.128.0.1",
                                 "2606:4700::1111", "2a00::1", "::ffff:8.8.8.8", "223.255.255.255"})
    EXPECT_TRUE(public_addresses().passes(*Endpoint::parse(text, 80))) << text;
}

// ---- TLS

TEST_F(ClientTest, VerifiesWhoAnswersAndDoesNotGoOnWithoutTls) {
  const net::testing::TestCertificate certificate("DNS:api.example");
  TestServer server([&](Peer& peer, int) {
    net::testing::TlsPeer tls(peer, certificate);
    while (!tls.read_head().empty())
      tls.write(with_body("", "Location: http://127.0.0.1:1/\r\n", "302 Found"));
  });
  config::Url https = url(server.port());
  https.tls = true;
  const auto tls = std::make_shared<const net::TlsContext>(true, certificate.file());
  ASSERT_TRUE(fetch({.url = https, .tls = tls, .server_name = "api.example"}));
  EXPECT_EQ(code(fetch({.url = https, .tls = tls, .server_name = "other.example"})), Code::kOriginBadReply);
  EXPECT_EQ(code(fetch({.url = https, .tls = tls})), Code::kOriginBadReply);
  EXPECT_EQ(code(fetch({.url = https})), Code::kInternal);
  const auto down = fetch({.url = https, .max_redirects = 1, .tls = tls, .server_name = "api.example"});
  EXPECT_EQ(code(down), Code::kOriginBadReply);
  EXPECT_EQ(down.error().text, "the reply redirects from https to http");
}

// ---- references

TEST(ResolveReference, FollowsTheStandard) {
  const config::Url base{.tls = true, .host = "a.example", .port = 8443, .path = "/b/c/d?q"};
  const auto to = [&](std::string_view location) -> std::string {
    const auto url = resolve_reference(base, location);
    if (!url) return "";
    return (url->tls ? "https://" : "http://") + url->authority() + url->path;
  };
  const std::string here = "https://a.example:8443";
  EXPECT_EQ(to("g"), here + "/b/c/g");
  EXPECT_EQ(to("./g/"), here + "/b/c/g/");
  EXPECT_EQ(to("../g?y#s"), here + "/b/g?y");
  EXPECT_EQ(to("../../../../g"), here + "/g");
  EXPECT_EQ(to(".."), here + "/b/");
  EXPECT_EQ(to("/g/./h/../i"), here + "/g/i");
  EXPECT_EQ(to("?y"), here + "/b/c/d?y");
  EXPECT_EQ(to("g?y=../a"), here + "/b/c/g?y=../a");
  EXPECT_EQ(to("//g.example"), "https://g.example/");
  EXPECT_EQ(to("HTTP://G.example:81?y"), "http://g.example:81/?y");
  EXPECT_EQ(to("https://[::1]/x"), "https://[::1]/x");
  for (const char* const bad : {"ftp://x/", "javascript:1", "http://u@x/", "http://u:p@x/", "http://",
                                "http://x:99999/", "/a b", "/a\r\nX: 1", "/\xc3\xa9", "\\\\x\\y"})
    EXPECT_EQ(to(bad), "") << bad;
}

}  // namespace
}  // namespace client
