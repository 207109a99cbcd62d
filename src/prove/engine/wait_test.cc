#include "prove/engine/wait.h"

#include <gtest/gtest.h>

namespace prove {
namespace {

using base::Millis;
using base::Nanos;

constexpr Nanos us(std::int64_t n) {
  return Nanos(n * 1'000);
}

Nanos cpu{};  // of the thread, in these tests
Nanos cpu_now() {
  return cpu;
}

// Deadlines `gap` after each other, each wake-up `late`; gives how long before the last one the sleep was to
// end.
Nanos early_after(int deadlines, Nanos gap, Nanos late) {
  Waiter waiter(&cpu_now);
  Nanos now{0}, early{0};
  for (int i = 0; i < deadlines; ++i) {
    const Nanos due = now + gap;
    const Nanos sleep = waiter.until(due, now);
    early = due - now - sleep;
    now += sleep + late;
    waiter.woke(now);
    // Whoever is there early asks again and again.
    while (now < due) {
      EXPECT_EQ(waiter.until(due, now), Nanos(0));
      now = std::min(due, now + us(1));
    }
  }
  return early;
}

TEST(WaiterTest, WakesEarlierTheLaterItsTimersCome) {
  const Nanos little = early_after(2'000, Millis(2), us(30));
  const Nanos much = early_after(2'000, Millis(2), us(120));
  EXPECT_NEAR(static_cast<double>(little.count()), 30e3, 6e3);
  EXPECT_NEAR(static_cast<double>(much.count()), 120e3, 6e3);
}

TEST(WaiterTest, SpendsNoMoreThanASeventhOfTheTimeAwake) {
  EXPECT_LE(early_after(2'000, us(500), us(120)), us(550) / 7);
  // Where so little would not help, it sleeps to the end.
  EXPECT_EQ(early_after(2'000, us(100), us(30)), Nanos(0));
}

TEST(WaiterTest, WaitsNoTimeForWhatIsDue) {
  Waiter waiter;
  EXPECT_EQ(waiter.until(us(100), us(100)), Nanos(0));
  EXPECT_EQ(waiter.until(us(100), us(300)), Nanos(0));
}

TEST(WaiterTest, MeetsDeadlinesTogetherWhileItsThreadIsBusyAndOneByOneAfterwards) {
  Waiter waiter(&cpu_now);
  Nanos now{0};
  const auto wait_after = [&](Nanos time, int busy) {  // percent
    Nanos wait{};
    for (const Nanos end = now + time; now < end; now += us(20)) {
      cpu += us(20) * busy / 100;
      wait = waiter.until(now + us(20), now);
    }
    return wait;
  };
  EXPECT_LE(wait_after(Millis(300), 30), us(20));
  EXPECT_EQ(wait_after(Millis(300), 80), us(100));
  EXPECT_EQ(wait_after(Millis(300), 50), us(100)) << "it stays as it is";
  EXPECT_LE(wait_after(Millis(300), 30), us(20));
}

}  // namespace
}  // namespace prove
