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

std::atomic<int> ttl = -1;  // seconds; less than none: not known

Answer look_up(const std::string&) {
  ++asked;
  const int last = answer;
  if (last == 0) return {};
  Answer out{.addresses = {*Endpoint::parse("192.0.2." + std::to_string(last), 0)}, .ttl = std::nullopt};
  if (ttl >= 0) out.ttl = base::Seconds(ttl);
  return out;
}

std::atomic<bool> hold = false;
Answer look_up_slowly(const std::string&) {
  while (hold) ::poll(nullptr, 0, 1);
  return {.addresses = {*Endpoint::parse("192.0.2.9", 0)}, .ttl = std::nullopt};
}

class ResolverTest : public ::testing::Test {
 protected:
  ResolverTest() { asked = 0, answer = 1, ttl = -1; }
  // The host that comes out, or "".
  std::string resolve(const std::string& host = "name", base::Nanos keep = Millis(1000)) {
    const auto got =
        test.await(resolver.resolve(host, 80, keep, test.loop.now() + base::Seconds(5), nullptr));
    return got ? (**got)[0].host() : "";
  }
  TestLoop test;
  testing::TestLookUps look_ups{&look_up};
  Resolver resolver{test.loop, look_ups};
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

TEST_F(ResolverTest, ANameThatKeepsFailingIsAskedForEverLess) {
  answer = 0;
  std::vector<int> when;  // seconds
  for (int at = 0; at <= 100; ++at) {
    const base::ClockShift later(base::Millis(1000 * at + 10 * at));
    test.turn();
    const int before = asked;
    EXPECT_EQ(resolve("name", base::Seconds(60)), "");
    if (asked != before) when.push_back(at);
  }
  EXPECT_EQ(when, (std::vector<int>{0, 1, 3, 7, 15, 31, 61, 91}));
  answer = 1;
  const base::ClockShift later(base::Seconds(200));
  test.turn();
  EXPECT_EQ(resolve("name", base::Seconds(60)), "192.0.2.1");
}

TEST_F(ResolverTest, AfterAGoodAnswerItIsASecondAgain) {
  const auto asks_at = [&](int at) {
    const base::ClockShift later((base::Seconds(at)));
    test.turn();
    const int before = asked;
    resolve("name", base::Seconds(600));
    test.await(resolver.drained());
    return asked != before;
  };
  ttl = 1;
  answer = 0;
  EXPECT_TRUE(asks_at(0) && asks_at(2) && asks_at(5) && !asks_at(8));
  answer = 1;
  EXPECT_TRUE(asks_at(10));
  answer = 0;
  EXPECT_TRUE(asks_at(12) && asks_at(14));
}

TEST_F(ResolverTest, ALookUpMayOutliveWhoAsked) {
  hold = true;
  testing::TestLookUps slowly(&look_up_slowly);
  {
    Resolver gone(test.loop, slowly);
    gone.glance(gone.name("name", 80), base::Seconds(60));
  }
  hold = false;
  test.turn();
}

// ---- how long an answer is kept

TEST_F(ResolverTest, KeepsAnAnswerAsLongAsItsTtlSays) {
  ttl = 5;
  const auto asked_after = [&](base::Nanos time, base::Nanos keep) {
    const base::ClockShift later(time);
    test.turn();
    EXPECT_EQ(resolve("name", keep), "192.0.2.1");
    test.await(resolver.drained());
    return asked.load();
  };
  EXPECT_EQ(asked_after(base::Seconds(0), base::Seconds(60)), 1);
  EXPECT_EQ(asked_after(base::Seconds(4), base::Seconds(60)), 1);
  EXPECT_EQ(asked_after(base::Seconds(4), base::Seconds(3)), 2) << "but no longer than its asker wants";
}

TEST_F(ResolverTest, LooksUpAgainWhenTheTtlHasPassed) {
  ttl = 5;
  EXPECT_EQ(resolve("name", base::Seconds(60)), "192.0.2.1");
  const base::ClockShift later(base::Seconds(6));
  test.turn();
  EXPECT_EQ(resolve("name", base::Seconds(60)), "192.0.2.1");
  test.await(resolver.drained());
  EXPECT_EQ(asked, 2);
}

TEST_F(ResolverTest, KeepsNoAnswerForLessThanTheLeast) {
  ttl = 0;
  look_ups.rules.min_ttl = base::Seconds(10);
  for (int i = 1; i <= 2; ++i) {
    const base::ClockShift later(base::Seconds(4 * i));
    test.turn();
    EXPECT_EQ(resolve("name", base::Seconds(60)), "192.0.2.1");
    EXPECT_EQ(asked, 1);
  }
}

TEST_F(ResolverTest, WithoutATtlTheAskerSaysHowLong) {
  EXPECT_EQ(resolve("name", base::Seconds(60)), "192.0.2.1");
  const base::ClockShift later(base::Seconds(50));
  test.turn();
  EXPECT_EQ(resolve("name", base::Seconds(60)), "192.0.2.1");
  EXPECT_EQ(asked, 1);
}

// ---- a glance

TEST_F(ResolverTest, AGlanceWaitsForNothingAndHasTheNameLookedUp) {
  const Resolver::Handle name = resolver.name("name", 80);
  const auto host = [&] {
    const auto& found = resolver.glance(name, base::Seconds(1));
    return found ? found->front().host() : "";
  };
  EXPECT_EQ(host(), "");
  test.await(resolver.drained());
  EXPECT_EQ(host(), "192.0.2.1");
  const auto* const before = resolver.glance(name, base::Seconds(1)).get();
  EXPECT_EQ(resolver.name("name", 80), name);
  EXPECT_NE(resolver.name("name", 81), name);
  answer = 2;
  const base::ClockShift later(base::Seconds(2));
  test.turn();
  EXPECT_EQ(host(), "192.0.2.1");
  EXPECT_EQ(name->addresses().get(), before) << "the same answer is the same pointer";
  test.await(resolver.drained());
  EXPECT_EQ(host(), "192.0.2.2");
  EXPECT_EQ(asked, 2);
}

Task<> request_soon(Loop& loop, Cancel& cancel) {
  Event pause(loop);
  co_await pause.wait(loop.now() + Millis(5));
  cancel.request();
}

TEST_F(ResolverTest, ACancelledWaitAndADeadlineLeaveTheLookUpToOthers) {
  testing::TestLookUps slowly(&look_up_slowly);
  Resolver slow(test.loop, slowly);
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
