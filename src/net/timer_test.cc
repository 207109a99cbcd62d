#include "net/timer.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <vector>

namespace net {
namespace {

using base::Millis;
using base::Mono;
using base::Nanos;
using base::Seconds;

constexpr Mono kStart{Seconds(1'000'000)};

// A timer that remembers when it fired, by the clock of the test.
struct Probe final : Timer {
  explicit Probe(const Mono& c) : Timer(&Probe::on_fire), clock(c) {}
  static void on_fire(Timer& timer) {
    auto& probe = static_cast<Probe&>(timer);
    ++probe.fired;
    probe.at = probe.clock;
    if (probe.then) probe.then(probe);
  }
  const Mono& clock;
  int fired = 0;
  Mono at{};
  void (*then)(Probe&) = nullptr;
  Wheel* wheel = nullptr;
  std::unique_ptr<Probe>* victim = nullptr;
};

class WheelTest : public ::testing::Test {
 protected:
  void step_to(Mono end, Nanos step = Millis(1)) {
    while (now < end) {
      now = std::min(end, now + step);
      wheel.advance(now);
    }
  }
  Mono now = kStart;
  Wheel wheel{kStart};
};

TEST_F(WheelTest, FiresOnceNeverEarlyAndAtMostTwoTicksLate) {
  std::mt19937 random(1);
  std::vector<std::unique_ptr<Probe>> probes;
  std::vector<Mono> due;
  for (int i = 0; i < 500; ++i) {
    due.push_back(kStart + std::chrono::microseconds(random() % 3'000'000));
    wheel.set(*probes.emplace_back(std::make_unique<Probe>(now)), due.back());
  }
  step_to(kStart + Seconds(4));
  for (std::size_t i = 0; i < probes.size(); ++i) {
    EXPECT_EQ(probes[i]->fired, 1);
    EXPECT_GE(probes[i]->at, due[i]);
    EXPECT_LE(probes[i]->at, due[i] + 2 * Wheel::kTick);
  }
}

TEST_F(WheelTest, FollowsATimerThatIsMovedLaterOrEarlier) {
  Probe later(now), earlier(now);
  wheel.set(later, kStart + Millis(100));
  wheel.set(later, kStart + Millis(900));
  wheel.set(earlier, kStart + Millis(900));
  wheel.set(earlier, kStart + Millis(100));
  step_to(kStart + Millis(800));
  EXPECT_EQ(later.fired, 0);
  EXPECT_EQ(earlier.fired, 1);
  step_to(kStart + Seconds(2));
  EXPECT_EQ(later.fired, 1);
  EXPECT_GE(later.at, kStart + Millis(900));
  EXPECT_EQ(earlier.fired, 1);
}

TEST_F(WheelTest, ATimerMovedLaterAndBackFiresAtTheLastWord) {
  Probe probe(now);
  wheel.set(probe, kStart + Millis(300));
  wheel.set(probe, kStart + Seconds(5));
  step_to(kStart + Millis(200));
  wheel.set(probe, kStart + Millis(300));
  step_to(kStart + Millis(400));
  EXPECT_EQ(probe.fired, 1);
}

TEST_F(WheelTest, AClearedTimerIsSilentAndCanBeSetAgain) {
  Probe probe(now);
  wheel.set(probe, kStart + Millis(100));
  probe.clear();
  step_to(kStart + Millis(500));
  EXPECT_EQ(probe.fired, 0);
  wheel.set(probe, kStart + Millis(600));
  step_to(kStart + Millis(700));
  EXPECT_EQ(probe.fired, 1);
}

TEST_F(WheelTest, HoldsTimersBeyondATurnOfTheWheel) {
  Probe probe(now);
  const Mono due = kStart + Seconds(100);  // a turn is 1024 ticks, about 33 s
  wheel.set(probe, due);
  step_to(due - Millis(1), Millis(20));
  EXPECT_EQ(probe.fired, 0);
  step_to(due + 2 * Wheel::kTick);
  EXPECT_EQ(probe.fired, 1);
}

TEST_F(WheelTest, AfterALongStallFiresWhatIsDueAndNothingElse) {
  Probe soon(now), middle(now), far(now);
  wheel.set(soon, kStart + Millis(10));
  wheel.set(middle, kStart + Seconds(60));
  wheel.set(far, kStart + Seconds(600));
  now = kStart + Seconds(300);
  wheel.advance(now);
  EXPECT_EQ(soon.fired, 1);
  EXPECT_EQ(middle.fired, 1);
  EXPECT_EQ(far.fired, 0);
  step_to(kStart + Seconds(601), Millis(30));
  EXPECT_EQ(far.fired, 1);
}

TEST_F(WheelTest, ATimerMaySetItselfAgainOrDestroyAnother) {
  Probe again(now);
  again.wheel = &wheel;
  again.then = [](Probe& p) {
    if (p.fired < 3) p.wheel->set(p, p.clock + Millis(50));
  };
  wheel.set(again, kStart + Millis(50));
  auto victim = std::make_unique<Probe>(now);
  Probe killer(now);
  killer.victim = &victim;
  killer.then = [](Probe& p) { p.victim->reset(); };
  wheel.set(killer, kStart + Millis(70));
  wheel.set(*victim, kStart + Millis(70));
  step_to(kStart + Seconds(1));
  EXPECT_EQ(again.fired, 3);
  EXPECT_EQ(victim, nullptr);
}

TEST_F(WheelTest, WaitingAsLongAsItSaysMissesNothing) {
  std::mt19937 random(2);
  std::vector<std::unique_ptr<Probe>> probes;
  std::vector<Mono> due;
  for (int i = 0; i < 50; ++i) {
    due.push_back(kStart + Millis(random() % 90'000));
    wheel.set(*probes.emplace_back(std::make_unique<Probe>(now)), due.back());
  }
  int turns = 0;
  for (int wait; (wait = wheel.wait_ms(now)) >= 0 && turns < 1000; ++turns) {
    now += Millis(wait);
    wheel.advance(now);
  }
  EXPECT_LT(turns, 1000);
  for (std::size_t i = 0; i < probes.size(); ++i) {
    EXPECT_EQ(probes[i]->fired, 1);
    EXPECT_GE(probes[i]->at, due[i]);
    EXPECT_LE(probes[i]->at, due[i] + 2 * Wheel::kTick);
  }
}

}  // namespace
}  // namespace net
