#include "net/resolver.h"

#include <gtest/gtest.h>

#include <atomic>

#include "net/testing.h"

namespace net {
namespace {

using base::Millis;
using testing::TestLoop;

std::atomic<int> asked = 0;
std::atomic<int> answer = 1;  // the last byte of the address; 0: no such name

std::vector<Endpoint> look_up(const std::string&, std::uint16_t port) {
  ++asked;
  const int last = answer;
  if (last == 0) return {};
  return {*Endpoint::parse("192.0.2." + std::to_string(last), port)};
}

class ResolverTest : public ::testing::Test {
 protected:
  ResolverTest() { asked = 0, answer = 1; }
  // The host that comes out, or "".
  std::string resolve(const std::string& host = "name", base::Nanos keep = Millis(1000)) {
    const auto got =
        test.await(resolver.resolve(host, 80, keep, test.loop.now() + base::Seconds(5), nullptr));
    return got ? (**got)[0].host() : "";
  }
  TestLoop test;
  Resolver resolver{test.loop, test.offload, &look_up};
};

TEST_F(ResolverTest, AsksOnceAndKeepsTheAnswerForAWhile) {
  EXPECT_EQ(resolve(), "192.0.2.1");
  EXPECT_EQ(resolve(), "192.0.2.1");
  EXPECT_EQ(asked, 1);
}

TEST_F(ResolverTest, NeverAsksForALiteralAddress) {
  EXPECT_EQ(resolve("127.0.0.1"), "127.0.0.1");
  EXPECT_EQ(resolve("::1"), "::1");
  EXPECT_EQ(asked, 0);
}

TEST_F(ResolverTest, ServesTheOldAnswerWhileItAsksAgain) {
  EXPECT_EQ(resolve(), "192.0.2.1");
  answer = 2;
  const base::ClockShift later(base::Seconds(2));
  test.turn();
  EXPECT_EQ(resolve(), "192.0.2.1");
  test.await(resolver.drained());
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(resolve(), "192.0.2.2");
}

TEST_F(ResolverTest, KeepsTheLastGoodAnswerWhenLookUpsFail) {
  EXPECT_EQ(resolve(), "192.0.2.1");
  answer = 0;
  for (int i = 1; i <= 3; ++i) {
    const base::ClockShift later(base::Seconds(2 * i));
    test.turn();
    EXPECT_EQ(resolve(), "192.0.2.1");
    test.await(resolver.drained());
    EXPECT_EQ(asked, 1 + i);
  }
}

TEST_F(ResolverTest, ANameThatNeverResolvedIsUnreachableAndSoonAskedForAgain) {
  answer = 0;
  EXPECT_EQ(resolve("name", base::Seconds(60)), "");
  answer = 3;
  EXPECT_EQ(resolve("name", base::Seconds(60)), "");
  EXPECT_EQ(asked, 1);  // not at the rate of requests
  const base::ClockShift later(base::Seconds(2));
  test.turn();
  EXPECT_EQ(resolve("name", base::Seconds(60)), "192.0.2.3");
}

Task<> request_soon(Loop& loop, Cancel& cancel) {
  Event pause(loop);
  co_await pause.wait(loop.now() + Millis(5));
  cancel.request();
}

std::atomic<bool> hold = false;
std::vector<Endpoint> look_up_slowly(const std::string&, std::uint16_t port) {
  while (hold) ::poll(nullptr, 0, 1);
  return {*Endpoint::parse("192.0.2.9", port)};
}

TEST_F(ResolverTest, ACancelledWaitAndADeadlineLeaveTheLookUpToOthers) {
  Resolver slow(test.loop, test.offload, &look_up_slowly);
  const auto ask = [&](base::Nanos limit, Cancel* cancel) {
    return test.await(slow.resolve("name", 80, base::Seconds(60), test.loop.now() + limit, cancel));
  };
  hold = true;
  Cancel cancel;
  test.scope.spawn(request_soon(test.loop, cancel));
  EXPECT_EQ(ask(base::Seconds(5), &cancel).error().fault, Fault::kCancelled);
  EXPECT_EQ(ask(Millis(10), nullptr).error().fault, Fault::kNoName);
  hold = false;
  EXPECT_TRUE(ask(base::Seconds(5), nullptr));
}

}  // namespace
}  // namespace net
