#include "gateway/key_refresh.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <condition_variable>
#include <mutex>

#include "identity/testing_jwks.h"
#include "net/testing.h"
#include "net/testing_tls.h"

namespace gateway {
namespace {

using base::Millis;
using base::Seconds;
using identity::FetchResult;
using identity::KeySource;
using identity::TestSigner;
using net::testing::Peer;
using net::testing::TestServer;
using ::testing::HasSubstr;

const std::string& keys() {
  static const TestSigner signer("1");
  static const std::string text = identity::jwks_of({&signer});
  return text;
}

std::string ok(const std::string& body, const std::string& fields = "") {
  return "HTTP/1.1 200 OK\r\n" + fields + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

// Answers every request alike, and keeps the heads.
struct Endpoint {
  explicit Endpoint(std::string reply) : text(std::move(reply)) {}
  void operator()(Peer& peer, int) {
    for (std::string head; !(head = peer.read_head()).empty();) {
      const std::lock_guard guard(lock);
      heads.push_back(head);
      peer.write(text);
    }
  }
  std::size_t asked() {
    const std::lock_guard guard(lock);
    return heads.size();
  }
  std::mutex lock;
  std::string text;
  std::vector<std::string> heads;
};

class KeyRefreshTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { ::signal(SIGPIPE, SIG_IGN); }

  static config::JwtIdentity rules(std::uint16_t port) {
    config::JwtIdentity made = identity::published_rules();
    made.jwks->url = config::Url{.tls = false, .host = "127.0.0.1", .port = port, .path = "/keys?v=%31"};
    made.jwks->cooldown = Seconds(0);
    return made;
  }
  std::shared_ptr<KeySource> watch(const config::JwtIdentity& made) {
    auto source = std::make_shared<KeySource>(made, base::mono_now());
    refresh.watch({source});
    return source;
  }
  static std::uint64_t count(KeySource& source, FetchResult result) {
    return source.figures(base::mono_now()).fetches[static_cast<std::size_t>(result)];
  }
  // Until the source has been asked `n` times with that result.
  bool came(KeySource& source, FetchResult result, std::uint64_t n = 1) {
    return test.until([&] { return count(source, result) >= n; });
  }

  net::testing::TestLoop test;
  net::Dns look_ups;
  KeyRefresh refresh{look_ups};
};

TEST_F(KeyRefreshTest, FetchesKeysBeforeAnybodyAsks) {
  Endpoint endpoint(ok(keys(), "Cache-Control: public, max-age=600\r\n"));
  TestServer server(std::ref(endpoint));
  const auto source = watch(rules(server.port()));
  ASSERT_TRUE(came(*source, FetchResult::kSuccess));
  EXPECT_EQ(source->keys()->keys.size(), 1U);
  EXPECT_GT(source->due() - base::mono_now(), Seconds(350));
  const std::lock_guard guard(endpoint.lock);
  ASSERT_EQ(endpoint.heads.size(), 1U);
  EXPECT_THAT(endpoint.heads[0], testing::StartsWith("GET /keys?v=%31 HTTP/1.1\r\nHost: 127.0.0.1:"));
  EXPECT_THAT(endpoint.heads[0], HasSubstr("\r\nAccept: application/json\r\n"));
}

TEST_F(KeyRefreshTest, FetchesWhatATokenWantsAndWakesWhoWaits) {
  Endpoint endpoint(ok(keys()));
  TestServer server(std::ref(endpoint));
  const auto source = watch(rules(server.port()));
  ASSERT_TRUE(came(*source, FetchResult::kSuccess));
  const base::Mono began = base::mono_now();
  ASSERT_TRUE(source->want(began));
  test.turn();
  test.await(keys_fetched(*source, test.loop, began + Seconds(30)));
  EXPECT_EQ(count(*source, FetchResult::kSuccess), 2U);
  EXPECT_LT(base::mono_now() - began, Seconds(10));
}

TEST_F(KeyRefreshTest, FindsKeysByDiscovery) {
  std::string issuer;
  Endpoint endpoint("");
  TestServer server([&](Peer& peer, int) {
    const std::string head = peer.read_head();
    const bool discovery = head.starts_with("GET /a/.well-known/openid-configuration HTTP/1.1\r\n");
    peer.write(ok(discovery ? R"({"issuer":")" + issuer + R"(","jwks_uri":")" + issuer + R"(/k"})"
                  : head.starts_with("GET /a/k HTTP/1.1\r\n") ? keys()
                                                              : "nothing"));
  });
  issuer = "http://127.0.0.1:" + std::to_string(server.port()) + "/a";
  config::JwtIdentity made = rules(server.port());
  made.issuer = issuer;
  made.jwks->url.reset();
  const auto source = watch(made);
  ASSERT_TRUE(came(*source, FetchResult::kSuccess)) << source->figures(base::mono_now()).reason;
}

TEST_F(KeyRefreshTest, FollowsNoRedirect) {
  TestServer elsewhere([](Peer& peer, int) { peer.read_head(), peer.write(ok(keys())); });
  Endpoint endpoint("HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: http://127.0.0.1:" +
                    std::to_string(elsewhere.port()) + "/keys\r\n\r\n");
  TestServer server(std::ref(endpoint));
  const auto source = watch(rules(server.port()));
  ASSERT_TRUE(came(*source, FetchResult::kStatus));
  EXPECT_EQ(elsewhere.connections(), 0);
}

TEST_F(KeyRefreshTest, ReadsABoundedReply) {
  Endpoint endpoint("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n" + std::string(2 << 20, ' '));
  TestServer server(std::ref(endpoint));
  const auto source = watch(rules(server.port()));
  ASSERT_TRUE(came(*source, FetchResult::kTooLarge));
}

TEST_F(KeyRefreshTest, SaysWhyAnIssuerIsAway) {
  const auto [fd, port] = net::testing::listen_on_loopback();
  ::close(fd);
  const auto source = watch(rules(port));
  ASSERT_TRUE(came(*source, FetchResult::kUnreachable, 2)) << "and asks again";
  EXPECT_NE(source->figures(base::mono_now()).reason, "");
}

TEST_F(KeyRefreshTest, SaysWhyItCannotAsk) {
  config::JwtIdentity made = rules(1);
  made.jwks->url->tls = true;
  made.jwks->tls.ca_file = "/nowhere/ca.pem";
  const auto source = watch(made);
  ASSERT_TRUE(came(*source, FetchResult::kUnreachable));
  EXPECT_THAT(source->figures(base::mono_now()).reason, HasSubstr("/nowhere/ca.pem"));
}

TEST_F(KeyRefreshTest, CountsTheTimeOfAFetchToItsLastByte) {
  TestServer server([](Peer& peer, int) {
    peer.read_head();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{");
    while (peer.write(" ")) ::usleep(20'000);
  });
  config::JwtIdentity made = rules(server.port());
  made.jwks->timeout = Millis(300);
  const auto source = watch(made);
  ASSERT_TRUE(came(*source, FetchResult::kUnreachable));
  EXPECT_EQ(source->figures(base::mono_now()).reason, "no reply in time");
}

TEST_F(KeyRefreshTest, StopsAtOnceAndLetsWaitersGo) {
  TestServer server([](Peer& peer, int) { peer.read_head(), peer.ended(); });
  const auto source = watch(rules(server.port()));
  ASSERT_TRUE(test.until([&] { return server.connections() == 1; }));
  int called = 0;
  source->on_fetched([&] { ++called; });
  const base::Mono began = base::mono_now();
  refresh.stop();
  EXPECT_EQ(called, 1);
  EXPECT_LT(base::mono_now() - began, Seconds(2));
  refresh.watch({source});  // too late, and harmless
}

TEST_F(KeyRefreshTest, AsksNoMoreOfWhatIsNotWatchedAndGoesOnWithWhatStays) {
  Endpoint left(ok(keys())), kept(ok(keys()));
  TestServer left_server(std::ref(left)), kept_server(std::ref(kept));
  const auto a = std::make_shared<KeySource>(rules(left_server.port()), base::mono_now());
  const auto b = std::make_shared<KeySource>(rules(kept_server.port()), base::mono_now());
  refresh.watch({a, b});
  ASSERT_TRUE(came(*a, FetchResult::kSuccess) && came(*b, FetchResult::kSuccess));
  EXPECT_EQ(refresh.sources().size(), 2U);
  refresh.watch({b});
  EXPECT_EQ(refresh.sources().size(), 1U);
  b->want(base::mono_now());
  ASSERT_TRUE(came(*b, FetchResult::kSuccess, 2));
  EXPECT_FALSE(a->want(base::mono_now())) << "nobody would hear it";
  b->want(base::mono_now());
  ASSERT_TRUE(came(*b, FetchResult::kSuccess, 3));
  EXPECT_EQ(left.asked(), 1U);
  refresh.watch({a, b});
  ASSERT_TRUE(test.until([&] { return a->want(base::mono_now()); }));
  ASSERT_TRUE(came(*a, FetchResult::kSuccess, 2)) << "it is driven again";
  EXPECT_EQ(kept.asked(), 3U);
}

TEST_F(KeyRefreshTest, TakesUpASourceAgainWhoseFetchItHasJustCut) {
  std::atomic<bool> silent{true};
  TestServer server([&](Peer& peer, int) {
    peer.read_head();
    if (silent)
      peer.ended();
    else
      peer.write(ok(keys()));
  });
  const auto source = watch(rules(server.port()));
  ASSERT_TRUE(test.until([&] { return server.connections() == 1; }));
  silent = false;
  refresh.watch({});
  refresh.watch({source});
  ASSERT_TRUE(came(*source, FetchResult::kSuccess));
}

TEST_F(KeyRefreshTest, TellsMetricsWhatItWatches) {
  Endpoint endpoint(ok(keys()));
  TestServer server(std::ref(endpoint));
  EXPECT_TRUE(refresh.sources().empty());
  const auto source = watch(rules(server.port()));
  ASSERT_TRUE(came(*source, FetchResult::kSuccess));
  const auto sources = refresh.sources();
  ASSERT_EQ(sources.size(), 1U);
  EXPECT_EQ(sources[0], source);
}

// ---- waiting, without a driver

TEST(KeysFetched, GivesUpWhenNobodyCalls) {
  net::testing::TestLoop test;
  KeySource source(identity::published_rules(), base::mono_now());
  source.want(base::mono_now());
  test.turn();
  test.await(keys_fetched(source, test.loop, test.loop.now() + Millis(50)));
}

TEST(KeysFetched, MindsNoCallThatComesWhenTheLoopIsGone) {
  KeySource source(identity::published_rules(), base::mono_now());
  source.want(base::mono_now());
  {
    net::testing::TestLoop test;
    test.turn();
    test.await(keys_fetched(source, test.loop, test.loop.now()));
  }
  identity::refresh(source, identity::no_reply(), base::mono_now());
}

TEST(KeysFetched, GoesOnAtOnceWhenNothingIsUnderWay) {
  net::testing::TestLoop test;
  KeySource source(identity::published_rules(), base::mono_now());
  identity::refresh(source, identity::no_reply(), base::mono_now());
  const base::Mono began = base::mono_now();
  test.await(keys_fetched(source, test.loop, began + Seconds(30)));
  EXPECT_LT(base::mono_now() - began, Seconds(10));
}

TEST(KeysFetched, EndsWhenTheClientLeaves) {
  net::testing::TestLoop test;
  KeySource source(identity::published_rules(), base::mono_now());
  source.want(base::mono_now());
  net::Cancel gone;
  test.loop.post([&] { gone.request(); });
  const base::Mono began = base::mono_now();
  test.await(keys_fetched(source, test.loop, began + Seconds(30), &gone));
  EXPECT_LT(base::mono_now() - began, Seconds(10));
}

TEST(KeysFetched, IsCalledFromAnotherThreadWhileItGivesUp) {
  for (int i = 0; i < 50; ++i) {
    net::testing::TestLoop test;
    KeySource source(identity::published_rules(), base::mono_now());
    source.want(base::mono_now());
    std::thread driver([&] { identity::refresh(source, identity::no_reply(), base::mono_now()); });
    test.turn();
    test.await(keys_fetched(source, test.loop, test.loop.now() + Millis(i % 2)));
    driver.join();
  }
}

}  // namespace
}  // namespace gateway
