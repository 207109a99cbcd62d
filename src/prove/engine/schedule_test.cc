#include "prove/engine/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace prove {
namespace {

using base::Seconds;
using testing::DoubleNear;

Phase open_phase(double from, double to, Millis duration, std::optional<Millis> ramp = {},
                 Arrivals arrivals = Arrivals::kEven) {
  Phase phase;
  phase.duration = duration;
  phase.rate = {from, to};
  phase.ramp = ramp;
  phase.arrivals = arrivals;
  return phase;
}

std::vector<Nanos> arrivals(const Phase& phase, Share share = {}, std::uint64_t seed = 1) {
  std::vector<Nanos> out;
  for (ArrivalSchedule schedule(phase, share, seed); schedule.next() != Nanos::max(); schedule.pop())
    out.push_back(schedule.next());
  return out;
}

TEST(ScheduleTest, SpacesAConstantRateEvenly) {
  const auto all = arrivals(open_phase(1000, 1000, Seconds(10)));
  ASSERT_EQ(all.size(), 10'000u);
  for (std::size_t i = 0; i < all.size(); ++i) ASSERT_EQ(all[i], Millis(i));
}

TEST(ScheduleTest, KeepsItsPaceOverADayOfManyArrivals) {
  ArrivalSchedule schedule(open_phase(100'000, 100'000, Seconds(86'400)), {0, 1'000'000'000}, 1);
  for (int i = 0; i < 8; ++i) schedule.pop();
  EXPECT_EQ(schedule.next(), Seconds(80'000));
}

TEST(ScheduleTest, PutsTheArrivalsOfARampWhereTheIntegralIsWhole) {
  for (const auto& [from, to] : {std::pair{0.0, 50.0}, {50.0, 0.0}, {10.0, 90.0}, {90.0, 10.0}}) {
    const Phase phase = open_phase(from, to, Seconds(20));
    const Ramp ramp(from, to, Seconds(20), Seconds(20));
    const auto all = arrivals(phase);
    EXPECT_EQ(all.size(), static_cast<std::size_t>((from + to) / 2 * 20));
    EXPECT_TRUE(std::ranges::is_sorted(all));
    for (std::size_t i = 0; i < all.size(); ++i)
      ASSERT_THAT(ramp.integral(all[i]), DoubleNear(static_cast<double>(i), 1e-4)) << from << " → " << to;
  }
}

TEST(ScheduleTest, StaysAtTheRateWhereARampEndsBeforeItsPhase) {
  const auto all = arrivals(open_phase(0, 150, Seconds(40), Seconds(30)));
  ASSERT_EQ(all.size(), 2250u + 1500u);
  EXPECT_EQ(all[2250 + 150], Seconds(31));
  EXPECT_EQ(arrivals(open_phase(100, 0, Seconds(40), Seconds(10))).size(), 500u);
  EXPECT_EQ(arrivals(open_phase(7, 100, Seconds(1), Millis(0))).size(), 100u);
}

TEST(ScheduleTest, HasNoArrivalsWithoutARate) {
  EXPECT_TRUE(arrivals(open_phase(0, 0, Seconds(10))).empty());
  EXPECT_TRUE(arrivals(open_phase(100, 100, Seconds(0))).empty());
}

TEST(ScheduleTest, SplitsOneScheduleOverGenerators) {
  const Phase phase = open_phase(10, 333, Seconds(7), Seconds(3));
  std::vector<Nanos> together;
  for (std::uint64_t g = 0; g < 3; ++g) {
    const auto part = arrivals(phase, {g, 3});
    together.insert(together.end(), part.begin(), part.end());
  }
  std::ranges::sort(together);
  EXPECT_EQ(together, arrivals(phase));
}

TEST(ScheduleTest, DrawsPoissonArrivalsWhoseGapsVaryAsMuchAsTheyLast) {
  std::vector<Nanos> together;
  for (std::uint64_t g = 0; g < 2; ++g) {
    const auto part = arrivals(open_phase(2000, 2000, Seconds(50), {}, Arrivals::kPoisson), {g, 2}, 7 + g);
    together.insert(together.end(), part.begin(), part.end());
  }
  std::ranges::sort(together);
  EXPECT_NEAR(static_cast<double>(together.size()), 100'000, 4 * std::sqrt(100'000));
  double sum = 0, squares = 0;
  for (std::size_t i = 1; i < together.size(); ++i) {
    const double gap = static_cast<double>((together[i] - together[i - 1]).count());
    sum += gap;
    squares += gap * gap;
  }
  const double n = static_cast<double>(together.size() - 1);
  const double mean = sum / n;
  EXPECT_NEAR(std::sqrt(squares / n - mean * mean) / mean, 1.0, 0.03);
}

TEST(ScheduleTest, GivesTheSameArrivalsForTheSameSeedOnly) {
  const Phase phase = open_phase(100, 100, Seconds(5), {}, Arrivals::kPoisson);
  EXPECT_EQ(arrivals(phase, {}, 3), arrivals(phase, {}, 3));
  EXPECT_NE(arrivals(phase, {}, 3), arrivals(phase, {}, 4));
}

Phase closed_phase(std::uint64_t from, std::uint64_t to, Millis duration, std::optional<Millis> ramp = {}) {
  Phase phase;
  phase.duration = duration;
  phase.users = {from, to};
  phase.ramp = ramp;
  return phase;
}

TEST(ScheduleTest, BringsUsersInOneAfterTheOther) {
  const UserSchedule users(closed_phase(0, 10, Seconds(20), Seconds(10)));
  EXPECT_EQ(users.wanted(Nanos(0)), 0u);
  for (std::uint64_t u = 0; u < 10; ++u) {
    EXPECT_EQ(users.starts(u), Seconds(u) + Nanos(1));
    EXPECT_EQ(users.wanted(users.starts(u)), u + 1);
  }
  EXPECT_EQ(users.starts(10), Nanos::max());
  EXPECT_EQ(users.wanted(Seconds(15)), 10u);
}

TEST(ScheduleTest, SendsUsersHomeAsARampFalls) {
  const UserSchedule users(closed_phase(10, 2, Seconds(20), Seconds(8)));
  EXPECT_EQ(users.wanted(Nanos(0)), 10u);
  EXPECT_EQ(users.wanted(Millis(4'500)), 6u);
  EXPECT_EQ(users.wanted(Seconds(8)), 2u);
  EXPECT_EQ(users.starts(9), Nanos(0));
}

TEST(ScheduleTest, KeepsTheNumberOfUsersWhereNothingRamps) {
  const UserSchedule users(closed_phase(0, 64, Seconds(20), Millis(0)));
  EXPECT_EQ(users.wanted(Nanos(0)), 64u);
  EXPECT_EQ(users.starts(63), Nanos(0));
}

TEST(ScheduleTest, PicksScenariosByWeightAndOnlyThoseOfThePhase) {
  Campaign campaign;
  for (const auto& [name, weight] : {std::pair{"a", 60.0}, {"b", 10.0}, {"c", 0.0}, {"d", 30.0}}) {
    Scenario scenario;
    scenario.name = name;
    scenario.weight = weight;
    campaign.scenarios.push_back(scenario);
  }
  Random random(5);
  std::array<double, 4> picked{};
  const Mix mix(campaign, {});
  for (int i = 0; i < 100'000; ++i) ++picked[mix.pick(random)];
  EXPECT_NEAR(picked[0], 60'000, 700);
  EXPECT_NEAR(picked[1], 10'000, 400);
  EXPECT_EQ(picked[2], 0);
  EXPECT_NEAR(picked[3], 30'000, 700);

  Phase phase;
  phase.only = {"d", "c"};
  EXPECT_THAT(Mix(campaign, phase).scenarios(), testing::ElementsAre(3u));
  phase.only = {"c"};
  EXPECT_TRUE(Mix(campaign, phase).empty());
}

}  // namespace
}  // namespace prove
