// The loop over the stages: who waits enters it again where it left, and pays once.
#include "gateway/walk.h"

#include <gmock/gmock.h>

#include <atomic>
#include <functional>

#include "gateway/session_testing.h"

namespace gateway {
namespace {

using net::testing::Peer;
using testing_support::Answer;
using testing_support::Client;

class WalkTest : public testing_support::SessionTest {
 protected:
  std::unique_ptr<Client> client() { return testing_support::kHttp1.client(connect()); }
  int ask(Client& client) {
    client.ask({});
    return answer_to(client).status;
  }
};

// An origin that answers nobody until it is let go.
struct Held {
  void operator()(Peer& peer, int) {
    while (!peer.read_head().empty()) {
      ++asked;
      holds.wait(true);
      peer.write("HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: 0\r\n\r\n");
    }
  }
  void let_go() {
    holds = false;
    holds.notify_all();
  }
  std::atomic<int> asked{0};
  std::atomic<bool> holds{true};
};

constexpr const char* kThreeAnHour = R"(
rates: { few: { requests: 3/h, per: address } }
limits: { rates: [ few ] })";

TEST_F(WalkTest, ChargesAWaitingRequestItsRateOnce) {
  Held held;
  Server server(*this, std::ref(held));
  configure_origin(server.port(), "concurrency: { max: 1, queue: 4, wait: 10s }", kThreeAnHour);
  const auto one = client(), two = client();
  one->ask({});
  ASSERT_TRUE(until([&] { return held.asked == 1; }));
  two->ask({});
  ASSERT_TRUE(until([&] { return queued() == 1; }));
  held.let_go();
  EXPECT_EQ(answer_to(*one).status, 200);
  EXPECT_EQ(answer_to(*two).status, 200);
  EXPECT_EQ(ask(*one), 200) << "the third token; one that waited would have had two";
  EXPECT_EQ(ask(*one), 429);
}

TEST_F(WalkTest, LetsAClientLeaveTheQueueItWaitsIn) {
  Held held;
  Server server(*this, std::ref(held));
  configure_origin(server.port(), "concurrency: { max: 1, queue: 4, wait: 10s }");
  const auto one = client(), two = client();
  one->ask({});
  ASSERT_TRUE(until([&] { return held.asked == 1; }));
  two->ask({});
  ASSERT_TRUE(until([&] { return queued() == 1; }));
  two->leave();
  EXPECT_TRUE(until([&] { return queued() == 0 && open_connections() == 1; }));
  held.let_go();
  EXPECT_EQ(answer_to(*one).status, 200);
  EXPECT_EQ(held.asked, 1) << "nobody is asked for who has left";
}

TEST_F(WalkTest, RefusesWhoWouldNotBeServedAnywayBeforeItTakesAToken) {
  configure_origin(9, "identity: staff", R"(
identities:
  staff: { type: jwt, issuer: "https://id.test", audience: sekisho, algorithms: HS256, keys: { inline: "${SECRET}" } }
)" + std::string(kThreeAnHour));
  const auto one = client();
  for (int i = 0; i < 6; ++i) EXPECT_EQ(ask(*one), 401);
}

}  // namespace
}  // namespace gateway
