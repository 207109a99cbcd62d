#include "net/dial.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include "net/descriptors.h"
#include "net/testing.h"

namespace net {
namespace {

using base::Millis;
using testing::Peer;
using testing::TestLoop;
using testing::TestServer;

Result<Stream> dial(TestLoop& test, const std::vector<Endpoint>& to, base::Nanos limit,
                    Cancel* cancel = nullptr) {
  return test.await(connect(test.loop, to, test.loop.now() + limit, cancel));
}
Endpoint local(std::uint16_t port) {
  return *Endpoint::parse("127.0.0.1", port);
}

TEST(ConnectTest, HearsWhatAServerSaysThatHangsUpAtOnce) {
  TestServer server([](Peer& peer, int) { peer.write("busy"); });
  for (int i = 0; i < 50; ++i) {
    TestLoop test;
    auto stream = dial(test, {local(server.port())}, base::Seconds(5));
    ASSERT_TRUE(stream);
    stream->set_deadline(base::Seconds(5));
    char buffer[16];
    EXPECT_EQ(test.await(stream->read(buffer)), 4u);
    EXPECT_EQ(test.await(stream->read(buffer)), 0u);
  }
}

TEST(ConnectTest, TellsRefusalFromSilence) {
  TestLoop test;
  EXPECT_EQ(dial(test, {local(1)}, base::Seconds(5)).error().fault, Fault::kRefused);
  // A listener whose queue is full does not answer.
  const auto [listener, port] = testing::listen_on_loopback(0);
  const Endpoint at = local(port);
  std::vector<Stream> full;
  Result<Stream> last;
  while ((last = dial(test, {at}, Millis(60)))) full.push_back(std::move(*last));
  EXPECT_EQ(last.error().fault, Fault::kTimedOut);
  Cancel cancel;
  cancel.request();
  EXPECT_EQ(dial(test, {at}, base::Seconds(5), &cancel).error().fault, Fault::kCancelled);
  ::close(listener);
}

TEST(ConnectTest, TriesTheNextAddressWhenOneRefuses) {
  TestServer server([](Peer& peer, int) { peer.ended(); });
  TestLoop test;
  EXPECT_TRUE(dial(test, {local(1), local(server.port())}, base::Seconds(5)));
}

// What an address does: listen, refuse, or take no notice.
Endpoint at(const char* host, std::uint16_t port) {
  return *Endpoint::parse(host, port);
}

// A listener that takes no more connections, so that nobody hears of his.
struct Hole {
  Hole() {
    std::tie(listener, port) = testing::listen_on_loopback(0);
    Result<Stream> last;
    while ((last = dial(test, {local(port)}, Millis(60)))) full.push_back(std::move(*last));
  }
  ~Hole() { ::close(listener); }
  TestLoop test;
  std::vector<Stream> full;
  int listener = -1;
  std::uint16_t port = 0;
};

struct Timed {
  Result<Stream> stream;
  base::Nanos took;
};
Timed timed(TestLoop& test, const std::vector<Endpoint>& to, Laggards* laggards,
            base::Nanos limit = base::Seconds(5)) {
  test.turn();
  const base::Mono began = base::mono_now();
  auto stream = test.await(connect(test.loop, to, test.loop.now() + limit, nullptr, laggards));
  return {std::move(stream), base::mono_now() - began};
}

TEST(ConnectTest, GoesOnAfterAQuarterOfASecondAndRemembersWhy) {
  const Hole hole;
  TestServer server([](Peer& peer, int) { peer.ended(); });
  TestLoop test;
  Laggards laggards;
  const std::vector<Endpoint> addresses{local(hole.port), local(server.port())};
  const auto first = timed(test, addresses, &laggards);
  ASSERT_TRUE(first.stream);
  EXPECT_GE(first.took, Race::kHeadStart);
  EXPECT_TRUE(laggards.knows(addresses[0], test.loop.now()));
  EXPECT_FALSE(laggards.knows(addresses[1], test.loop.now()));
  const auto second = timed(test, addresses, &laggards);
  ASSERT_TRUE(second.stream);
  EXPECT_LT(second.took, Race::kHeadStart);
  EXPECT_GE(timed(test, addresses, nullptr).took, Race::kHeadStart) << "nobody has told it";
}

TEST(ConnectTest, ARefusalIsNotWaitedFor) {
  TestServer server([](Peer& peer, int) { peer.ended(); });
  TestLoop test;
  Laggards laggards;
  const auto done =
      timed(test, {local(1), at("127.0.0.9", 1), at("::1", 1), local(server.port())}, &laggards);
  ASSERT_TRUE(done.stream);
  EXPECT_LT(done.took, Race::kHeadStart);
  EXPECT_FALSE(laggards.knows(local(1), test.loop.now())) << "who refuses is not slow";
}

TEST(ConnectTest, OneWhoRefusesDoesNotEndTheHopeForOneWhoIsSilent) {
  const Hole hole;
  TestLoop test;
  Laggards laggards;
  const auto done = timed(test, {local(hole.port), local(1)}, &laggards, Millis(400));
  ASSERT_FALSE(done.stream);
  EXPECT_EQ(done.stream.error().fault, Fault::kTimedOut);
  EXPECT_GE(done.took, Millis(400));
  EXPECT_TRUE(laggards.knows(local(hole.port), test.loop.now()));
}

TEST(ConnectTest, WhoIsSlowButTheFirstAfterAllIsTaken) {
  Hole hole;
  TestLoop test;
  Laggards laggards;
  std::thread opens([&] {
    ::poll(nullptr, 0, 300);  // the kernel asks again a second after it has asked first
    for (std::size_t i = 0; i < hole.full.size(); ++i)
      ::close(::accept4(hole.listener, nullptr, nullptr, SOCK_CLOEXEC));
  });
  const auto done = timed(test, {local(hole.port), local(1)}, &laggards);
  opens.join();
  ASSERT_TRUE(done.stream) << done.stream.error().text;
  EXPECT_FALSE(laggards.knows(local(hole.port), test.loop.now()));
}

TEST(ConnectTest, WithoutRoomForTwoAttemptsTheSecondWaitsForTheFirst) {
  const Hole hole;
  TestServer server([](Peer& peer, int) { peer.ended(); });
  TestLoop test;
  const std::vector<Endpoint> addresses{local(hole.port), local(server.port())};
  descriptors().limit(2);
  const auto done = timed(test, addresses, nullptr, Millis(600));
  const auto refused = timed(test, {local(1), local(server.port())}, nullptr);
  descriptors().limit(1 << 20);
  ASSERT_FALSE(done.stream);
  EXPECT_EQ(done.stream.error().fault, Fault::kTimedOut);
  EXPECT_TRUE(refused.stream) << "one at a time there may be";
  EXPECT_TRUE(timed(test, addresses, nullptr, Millis(600)).stream);
}

// Sockets of this machine that wait for an answer from there.
int attempts_at(std::uint16_t port) {
  constexpr std::string_view kSynSent = "02";
  std::ifstream table("/proc/self/net/tcp");
  std::string line, number, here, there, state;
  std::getline(table, line);
  int found = 0;
  while (std::getline(table, line)) {
    std::istringstream(line) >> number >> here >> there >> state;
    found += state == kSynSent && std::stoi(there.substr(there.find(':') + 1), nullptr, 16) == port;
  }
  return found;
}

TEST(ConnectTest, LeavesNoAttemptBehind) {
  const Hole hole;
  TestServer server([](Peer& peer, int) { peer.ended(); });
  TestLoop test;
  ASSERT_TRUE(timed(test, {local(hole.port), local(server.port())}, nullptr).stream);
  EXPECT_EQ(attempts_at(hole.port), 0);
  EXPECT_FALSE(timed(test, {local(hole.port)}, nullptr, Millis(50)).stream);
  EXPECT_EQ(attempts_at(hole.port), 0);
  Cancel cancel;
  int meanwhile = 0;
  test.loop.post([&] {
    meanwhile = attempts_at(hole.port);
    cancel.request();
  });
  EXPECT_EQ(dial(test, {local(hole.port)}, base::Seconds(5), &cancel).error().fault, Fault::kCancelled);
  EXPECT_EQ(meanwhile, 1);
  EXPECT_EQ(attempts_at(hole.port), 0);
}

}  // namespace
}  // namespace net
