#include "net/race.h"

#include <gtest/gtest.h>

#include <string>

namespace net {
namespace {

using base::Millis;
using base::Seconds;

constexpr base::Mono kStart{Seconds(1000)};

Endpoint at(const std::string& host, std::uint16_t port = 80) {
  return *Endpoint::parse(host, port);
}

// ---- whose turn it is

TEST(Race, GivesTheFirstAHeadStart) {
  Race race(3);
  EXPECT_TRUE(race.due(kStart));
  EXPECT_EQ(race.start(kStart), 0U);
  EXPECT_EQ(race.start(kStart), std::nullopt);
  EXPECT_EQ(race.next(), kStart + Race::kHeadStart);
  EXPECT_EQ(race.start(kStart + Race::kHeadStart - Millis(1)), std::nullopt);
  EXPECT_EQ(race.start(kStart + Race::kHeadStart), 1U);
  EXPECT_EQ(race.next(), kStart + 2 * Race::kHeadStart) << "each gets one";
  EXPECT_EQ(race.start(kStart + Seconds(1)), 2U);
  EXPECT_EQ(race.next(), base::Mono::max());
  EXPECT_EQ(race.start(kStart + Seconds(2)), std::nullopt);
}

TEST(Race, GoesOnAtOnceWhenOneHasFailed) {
  Race race(3);
  EXPECT_EQ(race.start(kStart), 0U);
  race.failed();
  EXPECT_FALSE(race.lost());
  EXPECT_EQ(race.start(kStart), 1U);
  EXPECT_EQ(race.start(kStart), std::nullopt) << "the second has its head start, too";
  race.failed();
  EXPECT_EQ(race.start(kStart), 2U);
  race.failed();
  EXPECT_TRUE(race.lost());
}

TEST(Race, IsNotLostWhileOneMayAnswer) {
  Race race(2);
  EXPECT_EQ(race.start(kStart), 0U);
  EXPECT_EQ(race.start(kStart + Race::kHeadStart), 1U);
  race.failed();
  EXPECT_FALSE(race.lost());
  EXPECT_FALSE(race.due(kStart + Seconds(9)));
  race.failed();
  EXPECT_TRUE(race.lost());
}

TEST(Race, WaitsForRoomButNotWhenNobodyIsUnderWay) {
  Race race(2);
  EXPECT_EQ(race.start(kStart), 0U);
  const base::Mono later = kStart + Race::kHeadStart;
  EXPECT_TRUE(race.due(later));
  race.put_off(later);
  EXPECT_FALSE(race.due(later));
  EXPECT_EQ(race.next(), later + Race::kHeadStart);
  race.failed();
  EXPECT_TRUE(race.due(later));
}

TEST(Race, OfNobodyIsLost) {
  EXPECT_TRUE(Race(0).lost());
  EXPECT_FALSE(Race(0).due(kStart));
}

// ---- in which order

std::string order(const std::vector<std::string>& hosts, const Laggards& laggards = {}) {
  std::vector<Endpoint> addresses;
  addresses.reserve(hosts.size());
  for (const std::string& host : hosts) addresses.push_back(at(host));
  std::string out;
  for (const Endpoint& one : in_turn(addresses, laggards, kStart)) out += one.host() + " ";
  return out;
}

TEST(InTurn, TakesTheFamiliesAlternately) {
  EXPECT_EQ(order({}), "");
  EXPECT_EQ(order({"::1", "::2", "::3", "10.0.0.1", "10.0.0.2"}), "::1 10.0.0.1 ::2 10.0.0.2 ::3 ");
  EXPECT_EQ(order({"10.0.0.1", "10.0.0.2", "::1"}), "10.0.0.1 ::1 10.0.0.2 ");
  EXPECT_EQ(order({"10.0.0.2", "10.0.0.1", "10.0.0.3"}), "10.0.0.2 10.0.0.1 10.0.0.3 ");
}

TEST(InTurn, LeavesWhoLagsForTheEnd) {
  Laggards laggards;
  laggards.add(at("::1"), kStart);
  laggards.add(at("10.0.0.2"), kStart);
  EXPECT_EQ(order({"::1", "::2", "10.0.0.1", "10.0.0.2"}, laggards), "10.0.0.1 ::2 ::1 10.0.0.2 ");
  EXPECT_EQ(order({"::1", "10.0.0.2"}, laggards), "::1 10.0.0.2 ") << "all alike";
}

// ---- who lags

TEST(LaggardsTest, AreForgottenAfterAMinuteOrWhenTheyAnswer) {
  Laggards laggards;
  laggards.add(at("::1"), kStart);
  EXPECT_TRUE(laggards.knows(at("::1"), kStart + Seconds(59)));
  EXPECT_FALSE(laggards.knows(at("::1"), kStart + Seconds(60)));
  EXPECT_FALSE(laggards.knows(at("::1", 81), kStart)) << "another port is another server";
  EXPECT_FALSE(laggards.knows(at("::2"), kStart));
  laggards.forget(at("::1"));
  EXPECT_FALSE(laggards.knows(at("::1"), kStart));
}

TEST(LaggardsTest, AreBoundedAndLoseTheOldest) {
  Laggards laggards;
  const auto one = [](std::size_t i) {
    return at("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250));
  };
  for (std::size_t i = 0; i <= Laggards::kMost; ++i) laggards.add(one(i), kStart);
  EXPECT_FALSE(laggards.knows(one(0), kStart));
  EXPECT_TRUE(laggards.knows(one(1), kStart));
  EXPECT_TRUE(laggards.knows(one(Laggards::kMost), kStart));
}

}  // namespace
}  // namespace net
