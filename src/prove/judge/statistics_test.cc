#include "prove/judge/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <random>

namespace prove {
namespace {

using Values = std::vector<double>;

// from, from + step, …
Values steps(double from, double step, int count) {
  Values v;
  for (int i = 0; i < count; ++i) v.push_back(from + step * i);
  return v;
}

TEST(Median, IsTheMiddle) {
  EXPECT_EQ(median({}), 0);
  EXPECT_EQ(median({3}), 3);
  EXPECT_EQ(median({9, 1, 4}), 4);
  EXPECT_EQ(median({9, 1, 4, 2}), 3);
}

TEST(MedianDeviation, IgnoresAnOutlier) {
  EXPECT_EQ(median_deviation({1, 1, 2, 2, 4, 6, 9}), 1);
  EXPECT_EQ(median_deviation({10, 11, 12, 13, 1000}), 1);
  EXPECT_EQ(median_deviation({}), 0);
}

// Figures of the tests below: scipy.stats.mannwhitneyu, two-sided, and where there are ties all arrangements
// counted.

TEST(MannWhitney, AgreesWithKnownExactValues) {
  MannWhitney r = mann_whitney({19, 22, 16, 29, 24}, {20, 11, 17, 12});
  EXPECT_TRUE(r.exact);
  EXPECT_EQ(r.u, 17);
  EXPECT_NEAR(r.p, 1.0 / 9, 1e-12);
  r = mann_whitney(steps(1, 1, 9), steps(10, 1, 9));
  EXPECT_EQ(r.u, 0);
  EXPECT_NEAR(r.p, 2.0 / 48620, 1e-15);
  r = mann_whitney(steps(1, 2, 9), steps(2, 2, 9));
  EXPECT_EQ(r.u, 36);
  EXPECT_NEAR(r.p, 0.7304401480872068, 1e-12);
  r = mann_whitney({10, 11, 12, 13, 14, 15, 16, 17, 19}, {1, 2, 3, 4, 5, 6, 7, 8, 18});
  EXPECT_EQ(r.u, 73);
  EXPECT_NEAR(r.p, 0.0027560674619498144, 1e-12);
}

TEST(MannWhitney, CountsTiesExactly) {
  MannWhitney r = mann_whitney({1, 1, 2, 3, 3}, {2, 3, 3, 4, 4, 5});
  EXPECT_EQ(r.u, 4.5);
  EXPECT_NEAR(r.p, 24.0 / 462, 1e-12);
  r = mann_whitney({5, 5, 5}, {5, 5, 5});
  EXPECT_EQ(r.u, 4.5);
  EXPECT_EQ(r.p, 1);
}

TEST(MannWhitney, ApproximatesLargeGroups) {
  MannWhitney r = mann_whitney(steps(0, 2, 25), steps(11, 2, 25));
  EXPECT_FALSE(r.exact);
  EXPECT_EQ(r.u, 190);
  EXPECT_NEAR(r.p, 0.017925777357406476, 1e-12);
  Values a, b;
  for (int i = 0; i < 30; ++i) a.push_back(i % 7);
  for (int i = 0; i < 25; ++i) b.push_back(i % 7 + i % 3);
  r = mann_whitney(a, b);
  EXPECT_EQ(r.u, 292);
  EXPECT_NEAR(r.p, 0.1595282935151966, 1e-12);
  EXPECT_EQ(mann_whitney(Values(30, 1.0), Values(30, 1.0)).p, 1);
}

TEST(MannWhitney, DoesNotDependOnWhoComesFirst) {
  const Values a = {3, 1, 4, 1, 5}, b = {9, 2, 6, 5};
  EXPECT_EQ(mann_whitney(a, b).u + mann_whitney(b, a).u, 20);
  EXPECT_NEAR(mann_whitney(a, b).p, mann_whitney(b, a).p, 1e-12);
}

TEST(MannWhitney, TellsNothingOfNothing) {
  EXPECT_EQ(mann_whitney({}, {1}).p, 1);
  EXPECT_EQ(mann_whitney({1}, {2}).p, 1);
}

// Of Hollander and Wolfe's kind: the interval holds exactly those shifts that the test does not reject.
TEST(ShiftOf, IsWhatTheTestDoesNotReject) {
  const Values a = {1.1, 2.3, 2.9, 4.2, 5.8, 6.1, 7.7, 8.05, 9.3},
               b = {0.4, 1.7, 2.05, 3.6, 4.9, 5.2, 6.6, 7.15, 8.8};
  const Shift shift = shift_of(a, b, 0.01);
  for (double by = -9; by < 11; by += 0.013) {
    Values moved = b;
    for (double& x : moved) x += by;
    EXPECT_EQ(mann_whitney(a, moved).p > 0.01, shift.low < by && by < shift.high) << by;
  }
  EXPECT_LT(shift.low, shift.by);
  EXPECT_LT(shift.by, shift.high);
}

TEST(ShiftOf, HasNoEndWhereThereAreTooFewValues) {
  EXPECT_EQ(shift_of({1}, {2}, 0.01).by, -1);
  EXPECT_TRUE(std::isinf(shift_of({1}, {2}, 0.01).low));
  EXPECT_TRUE(std::isinf(shift_of({1, 2, 3, 4}, {1, 2, 3, 4}, 0.01).high)) << "one in 35 at the least";
  EXPECT_FALSE(std::isinf(shift_of({1, 2, 3, 4, 5}, {1, 2, 3, 4, 5}, 0.01).high)) << "one in 126";
  EXPECT_TRUE(std::isinf(shift_of({}, {2}, 0.01).low));
}

TEST(ShiftOf, TakesWhatNeverEndedForAlike) {
  const double never = std::numeric_limits<double>::infinity();
  const Shift shift = shift_of(Values(9, never), Values(9, never), 0.01);
  EXPECT_EQ(shift.by, 0);
  EXPECT_EQ(shift.high, 0);
  EXPECT_EQ(shift_of(Values(9, never), Values(9, 1), 0.01).low, never);
}

// Of 1,000 pairs of groups that differ by 1, at most some 10 leave it outside of an interval at 99 %.
TEST(ShiftOf, HoldsWhatIsTrueAsOftenAsItSays) {
  std::mt19937_64 random(1);
  std::exponential_distribution<double> skewed(0.5);
  for (const int count : {9, 25}) {
    int outside = 0;
    for (int i = 0; i < 1000; ++i) {
      Values a, b;
      for (int k = 0; k < count; ++k) a.push_back(skewed(random) + 1), b.push_back(skewed(random));
      const Shift shift = shift_of(a, b, 0.01);
      outside += shift.low > 1 || shift.high < 1;
    }
    EXPECT_LE(outside, 20) << count;
    EXPECT_GE(outside, 1) << count << ": wider than need be";
  }
}

TEST(Fisher, CountsTheTables) {
  EXPECT_NEAR(fisher(3, 3, 0, 3), 1.0 / 20, 1e-12);
  EXPECT_NEAR(fisher(6, 15, 0, 15), 0.00843, 1e-5);
  EXPECT_NEAR(fisher(1, 9, 0, 9), 0.5, 1e-12);
  EXPECT_EQ(fisher(0, 9, 3, 9), 1);
  EXPECT_NEAR(fisher(9, 9, 9, 9), 1, 1e-12);
}

}  // namespace
}  // namespace prove
