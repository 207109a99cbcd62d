#include "net/splice.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <thread>

#include "net/testing.h"

namespace net {
namespace {

using base::Millis;
using testing::Peer;
using testing::TestLoop;

// Two TCP connections on the loopback: far_from → from | to → far_to.
class SpliceTest : public ::testing::Test {
 protected:
  SpliceTest() {
    connect_pair(from, far_from);
    connect_pair(to, far_to);
  }

  void connect_pair(Stream& near_end, std::unique_ptr<Peer>& far) {
    const auto [listener, port] = testing::listen_on_loopback();
    const Endpoint at = *Endpoint::parse("127.0.0.1", port);
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_GE(fd, 0);
    ASSERT_EQ(::connect(fd, at.raw(), at.length), 0);
    far = std::make_unique<Peer>(::accept(listener, nullptr, nullptr));
    ::close(listener);
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
    near_end = Stream(test.loop, fd);
  }

  Result<> relay(std::uint64_t n, base::Nanos from_idle = base::Seconds(5),
                 base::Nanos to_idle = base::Seconds(5)) {
    auto pipe = pool.take();
    EXPECT_TRUE(pipe);
    done = {};
    return test.await(splice_exactly(pool, pipe, from, to, n, from_idle, to_idle, {}, done));
  }

  TestLoop test;
  PipePool pool;
  Stream from, to;
  std::unique_ptr<Peer> far_from, far_to;
  Relayed done;
};

TEST_F(SpliceTest, MovesExactlyTheBytesAskedForThroughStalls) {
  std::mt19937 random(3);
  std::string sent(8'000'000, '\0');
  for (char& c : sent) c = static_cast<char>(random());
  const std::size_t n = sent.size() - 1000;  // the rest belongs to somebody else
  std::string got;
  std::thread producer([&, seed = random()]() mutable {
    std::mt19937 r(static_cast<unsigned>(seed));
    for (std::string_view rest = sent; !rest.empty();) {
      const std::size_t piece = std::min<std::size_t>(rest.size(), 1 + r() % 300'000);
      far_from->write(rest.substr(0, piece));
      rest.remove_prefix(piece);
      if (r() % 4 == 0) ::poll(nullptr, 0, 2);
    }
  });
  std::thread consumer([&, seed = random()]() mutable {
    std::mt19937 r(static_cast<unsigned>(seed));
    while (got.size() < n) {
      got += far_to->read(std::min<std::size_t>(n - got.size(), 1 + r() % 500'000));
      if (r() % 4 == 0) ::poll(nullptr, 0, 2);
    }
  });
  EXPECT_TRUE(relay(n));
  producer.join();
  consumer.join();
  EXPECT_EQ(done.bytes, n);
  EXPECT_EQ(got, sent.substr(0, n));
  std::string rest(2000, '\0');
  std::size_t left = 0;
  while (left < 1000) {
    const auto more = test.await(from.read(std::span(rest).subspan(left)));
    ASSERT_TRUE(more && *more > 0);
    left += *more;
  }
  EXPECT_EQ(rest.substr(0, left), sent.substr(n));
}

TEST_F(SpliceTest, ASourceThatEndsEarlyIsItsFault) {
  far_from->write("short");
  far_from->close();
  EXPECT_EQ(relay(100).error().fault, Fault::kClosed);
  EXPECT_TRUE(done.from_failed);
}

TEST_F(SpliceTest, EachSideHasItsOwnIdleDeadline) {
  EXPECT_EQ(relay(100, Millis(30)).error().fault, Fault::kTimedOut);
  EXPECT_TRUE(done.from_failed);

  std::string big(64 << 20, 'x');
  std::thread producer([&] { far_from->write(big); });
  EXPECT_EQ(relay(big.size(), base::Seconds(5), Millis(60)).error().fault, Fault::kTimedOut);
  EXPECT_FALSE(done.from_failed);
  EXPECT_GT(done.bytes, 0u);
  from.close();
  producer.join();
}

TEST_F(SpliceTest, AReaderWhoLeftIsNotTheSourcesFault) {
  far_to->reset();
  std::string some(1 << 20, 'x');
  std::thread producer([&] { far_from->write(some); });
  EXPECT_EQ(relay(some.size()).error().fault, Fault::kClosed);
  EXPECT_FALSE(done.from_failed);
  from.close();
  producer.join();
}

TEST(PipePoolTest, KeepsDrainedPipesAndThrowsAwayOthers) {
  PipePool pool;
  const auto first = pool.take();
  ASSERT_TRUE(first);
  EXPECT_GE(first.capacity, static_cast<std::size_t>(PipePool::kSize));
  pool.give_back(first, true);
  const auto again = pool.take();
  EXPECT_EQ(again.in, first.in);
  pool.give_back(again, false);
  EXPECT_EQ(::fcntl(again.in, F_GETFD), -1);
}

}  // namespace
}  // namespace net
