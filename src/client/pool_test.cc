#include "client/pool.h"

#include <atomic>

#include "client/testing.h"

namespace client {
namespace {

using base::Millis;
using base::Seconds;
using net::Endpoint;
using net::testing::Peer;
using net::testing::TestServer;

// What the name means: 127.0.0.x for each of these.
std::atomic<int> first = 1, second = 0;
std::atomic<int> asked = 0;

net::Answer look_up(const std::string&) {
  ++asked;
  net::Answer out;
  for (const int last : {first.load(), second.load()})
    if (last != 0) out.addresses.push_back(*Endpoint::parse("127.0.0." + std::to_string(last), 0));
  return out;
}

class PoolTest : public testing::ClientTest {
 protected:
  PoolTest() { first = 1, second = 0, asked = 0; }
  ~PoolTest() override {
    pool->close_idle();
    test.await(resolver.drained());
  }

  static void answers(Peer& peer) {
    while (!peer.read_head().empty()) peer.write(testing::kHello);
  }
  void ask() {
    auto reply = get(pool);
    ASSERT_TRUE(reply) << reply.error().text;
    EXPECT_EQ(body(*reply), "hello");
  }
  TestServer server{[](Peer& peer, int) { answers(peer); }};
  net::testing::TestLookUps look_ups{&look_up};
  net::Resolver resolver{test.loop, look_ups};
  base::Ref<Pool> pool =
      base::make_ref<Pool>(test.loop, resolver,
                           Remote{.host = "name.example",
                                  .port = server.port(),
                                  .tls = false,
                                  .server_name = "",
                                  .timeouts = {},
                                  .pool = {.idle_timeout = Seconds(600), .resolve_every = Seconds(10)},
                                  .addresses = {}},
                           nullptr, stats);
};

TEST_F(PoolTest, HasTheNameLookedUpWhileItIsAlwaysWarm) {
  for (int i = 0; i < 3; ++i) {
    const base::ClockShift later(Seconds(11 * i));
    test.turn();
    ask();
    test.await(resolver.drained());
  }
  EXPECT_EQ(asked, 3);
  EXPECT_EQ(server.connections(), 1) << "the address has stayed";
}

TEST_F(PoolTest, ClosesWhatLeadsWhereTheNameDoesNotLeadAnyMore) {
  ask();
  EXPECT_EQ(stats->idle.read(), 1);
  first = 2;
  const base::ClockShift later(Seconds(11));
  test.turn();
  ask();  // where it led before: nobody waits for a look-up
  EXPECT_EQ(server.connections(), 1);
  test.await(resolver.drained());
  EXPECT_EQ(pool->take_idle(false), nullptr);
  EXPECT_EQ(stats->idle.read(), 0);
  EXPECT_EQ(get(pool).error().code, base::Code::kOriginRefused) << "nobody listens at the new address";
}

TEST_F(PoolTest, KeepsNoConnectionThatCameBackTooLate) {
  {
    auto reply = get(pool);
    ASSERT_TRUE(reply);
    first = 2;
    const base::ClockShift later(Seconds(11));
    test.turn();
    EXPECT_EQ(pool->take_idle(false), nullptr);
    test.await(resolver.drained());
    EXPECT_EQ(body(*reply), "hello") << "what is under way is finished";
  }
  EXPECT_TRUE(pool->unused());
}

TEST_F(PoolTest, AnotherOrderAndOneMoreAddressKeepConnections) {
  second = 2;
  ask();
  const int rounds[][2] = {{2, 1}, {3, 1}, {1, 0}};
  for (int i = 0; i < 3; ++i) {
    first = rounds[i][0], second = rounds[i][1];
    const base::ClockShift later(Seconds(11 * (i + 1)));
    test.turn();
    ask();
    test.await(resolver.drained());
    ask();
  }
  EXPECT_EQ(asked, 4);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(PoolTest, AFailedLookUpKeepsThem) {
  ask();
  first = 0;
  const base::ClockShift later(Seconds(11));
  test.turn();
  ask();
  test.await(resolver.drained());
  EXPECT_EQ(asked, 2);
  ask();
  EXPECT_EQ(server.connections(), 1);
}

}  // namespace
}  // namespace client
