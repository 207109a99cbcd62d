#include "net/stream.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <string>
#include <thread>

#include "net/listener.h"
#include "net/testing.h"

namespace net {
namespace {

using base::Millis;
using testing::Peer;
using testing::TestLoop;
using testing::TestServer;

class StreamTest : public ::testing::Test {
 protected:
  StreamTest() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    stream = Stream(test.loop, ends[0]);
    peer = std::make_unique<Peer>(ends[1]);
  }
  Result<std::size_t> read(std::span<char> out) { return test.await(stream.read(out)); }

  TestLoop test;
  Stream stream;
  std::unique_ptr<Peer> peer;
  char buffer[64];
};

TEST_F(StreamTest, ReadsWhatComesWhetherBeforeOrAfterItWaits) {
  peer->write("one");
  EXPECT_EQ(read(buffer), 3u);
  std::thread later([&] {
    ::poll(nullptr, 0, 10);
    peer->write("three");
  });
  EXPECT_EQ(read(buffer), 5u);
  later.join();
}

TEST_F(StreamTest, GivesTheDataThenTheEnd) {
  peer->write("last");
  peer->close();
  EXPECT_EQ(read(buffer), 4u);
  EXPECT_EQ(read(buffer), 0u);
  EXPECT_EQ(read(buffer), 0u);  // and says so again, rather than to wait
}

TEST_F(StreamTest, TimesOutAtItsDeadlineAndReadsOnAfterwards) {
  stream.set_deadline(Millis(20));
  EXPECT_EQ(read(buffer).error().fault, Fault::kTimedOut);
  peer->write("x");
  stream.set_deadline(Millis(2000));
  EXPECT_EQ(read(buffer), 1u);
}

Task<> cancel_later(Loop& loop, Stream& stream) {
  Event pause(loop);
  co_await pause.wait(loop.now() + Millis(5));
  stream.cancel();
}

TEST_F(StreamTest, CancelWakesTheReaderAndHoldsUntilItIsTakenBack) {
  test.scope.spawn(cancel_later(test.loop, stream));
  EXPECT_EQ(read(buffer).error().fault, Fault::kCancelled);
  EXPECT_EQ(read(buffer).error().fault, Fault::kCancelled);
  stream.uncancel();
  peer->write("x");
  EXPECT_EQ(read(buffer), 1u);
}

TEST_F(StreamTest, WritesAllToASlowReader) {
  const std::string big(4 << 20, 'b');
  std::string got;
  std::thread reader([&] { got = peer->read(big.size()); });
  EXPECT_TRUE(test.await(stream.write_all(big)));
  reader.join();
  EXPECT_EQ(got, big);
}

TEST_F(StreamTest, WritingToOneWhoLeftIsAnErrorAndNoSignal) {
  peer->close();
  const std::string big(4 << 20, 'b');
  EXPECT_EQ(test.await(stream.write_all(big)).error().fault, Fault::kClosed);
}

TEST_F(StreamTest, TellsItsOwnerThatThePeerHasLeft) {
  Cancel left;
  stream.watch().on_hangup = &left;
  peer->close();
  EXPECT_TRUE(test.until([&] { return left.requested(); }));
  EXPECT_TRUE(stream.hangup());
}

Task<Wake> wait_either(Stream& stream) {
  co_return co_await stream.either();
}

TEST_F(StreamTest, WaitsForEitherDirectionAndIsResumedOnce) {
  const std::string big(64 << 10, 'b');
  while (stream.try_write(big) != Stream::kAgain) {
  }
  EXPECT_EQ(stream.try_read(buffer), Stream::kAgain);
  std::thread writer([&] {
    ::poll(nullptr, 0, 10);
    peer->write("r");
  });
  EXPECT_EQ(test.await(wait_either(stream)), Wake::kReady);
  writer.join();
  EXPECT_TRUE(stream.watch().readable);
  EXPECT_FALSE(stream.watch().writable);
  EXPECT_EQ(stream.try_read(buffer), 1);
  stream.set_deadline(Millis(10));
  EXPECT_EQ(test.await(wait_either(stream)), Wake::kTimeout);
  test.scope.spawn(cancel_later(test.loop, stream));
  stream.clear_deadline();
  EXPECT_EQ(test.await(wait_either(stream)), Wake::kCancelled);
}

Endpoint local(std::uint16_t port) {
  return *Endpoint::parse("127.0.0.1", port);
}

TEST(ListenerTest, ServesWhoeverWasToldConnectedBeforeItStops) {
  TestLoop test;
  Listener listener(test.loop, local(0), true);
  int accepted = 0;
  std::vector<int> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::connect(clients.back(), listener.endpoint().raw(), listener.endpoint().length), 0);
  }
  listener.stop();
  test.await(listener.run([&](int fd, const Endpoint& peer) {
    ++accepted;
    EXPECT_EQ(peer.host(), "127.0.0.1");
    ::close(fd);
  }));
  EXPECT_EQ(accepted, 10);
  for (const int fd : clients) ::close(fd);
  EXPECT_THROW(Listener(test.loop, *Endpoint::parse("203.0.113.1", 1), true), std::runtime_error);
}

TEST(EndpointTest, ReadsLiteralsOnlyAndWritesThemBack) {
  EXPECT_EQ(Endpoint::parse("::1", 80)->text(), "[::1]:80");
  EXPECT_EQ(Endpoint::parse("127.0.0.1", 80)->text(), "127.0.0.1:80");
  EXPECT_EQ(Endpoint::parse("::ffff:10.0.0.1", 1)->host(), "10.0.0.1");
  EXPECT_EQ(Endpoint::parse("10.0.0.1", 1)->bytes(), Endpoint::parse("::ffff:10.0.0.1", 1)->bytes());
  for (const char* text : {"localhost", "[::1]", "1.2.3", "1.2.3.4.5", "", "0x7f.1"})
    EXPECT_FALSE(Endpoint::parse(text, 80)) << text;
}

TEST(EndpointTest, ComesBackFromItsBytes) {
  for (const char* text : {"10.0.0.1", "::1", "2001:db8::9", "0.0.0.0"}) {
    const Endpoint there = *Endpoint::parse(text, 80);
    const Endpoint back = Endpoint::of(there.bytes(), 80);
    EXPECT_EQ(back.text(), there.text());
    EXPECT_EQ(back.family(), there.family());
    EXPECT_EQ(back.length, there.length);
  }
  EXPECT_EQ(Endpoint::of(Endpoint::parse("::ffff:10.0.0.1", 1)->bytes(), 1).family(), AF_INET);
}

}  // namespace
}  // namespace net
