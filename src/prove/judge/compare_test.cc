#include "prove/judge/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "prove/record/result_json.h"
#include "prove/record/result_testing.h"

namespace prove {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

RunFigures run_of(std::vector<MetricFigure> metrics) {
  return {"run.json", {}, Verdict::kPass, std::move(metrics)};
}

// `count` runs of one metric around `middle`, spread by some percent.
std::vector<RunFigures> runs(int count, double middle, Dimension dimension = kTime,
                             bool more_is_better = false) {
  std::vector<RunFigures> all;
  all.reserve(static_cast<std::size_t>(count));
  const int half = count / 2;
  for (int i = 0; i < count; ++i)
    all.push_back(run_of({{"metric", dimension, more_is_better, middle * (1 + 0.002 * (i - half))}}));
  return all;
}

Change one_change(const std::vector<RunFigures>& a, const std::vector<RunFigures>& b,
                  const CompareOptions& options = {}) {
  const Comparison c = compare(a, b, options);
  EXPECT_EQ(c.changes.size(), 1u);
  return c.changes.at(0);
}

using enum Change::Verdict;

TEST(Compare, CallsALargeAndSignificantChange) {
  const Change worse = one_change(runs(9, 0.010), runs(9, 0.012));
  EXPECT_EQ(worse.verdict, kRegression);
  EXPECT_NEAR(worse.effect, 0.2, 1e-9);
  EXPECT_LT(worse.test.p, 0.0001);
  EXPECT_LT(worse.low, 0.2);
  EXPECT_GT(worse.high, 0.2);
  EXPECT_GT(worse.low, 0.18);
  EXPECT_NEAR(worse.seen, (worse.high - worse.low) / 2, 1e-9);
  EXPECT_EQ(one_change(runs(9, 0.012), runs(9, 0.010)).verdict, kImprovement);
}

TEST(Compare, KnowsWhichWayIsWorse) {
  EXPECT_EQ(one_change(runs(9, 100, kPerSecond, true), runs(9, 80, kPerSecond, true)).verdict, kRegression);
  EXPECT_EQ(one_change(runs(9, 80, kPerSecond, true), runs(9, 100, kPerSecond, true)).verdict, kImprovement);
}

TEST(Compare, LeavesASmallChangeAloneHoweverSure) {
  const Change small = one_change(runs(9, 0.100), runs(9, 0.109));
  EXPECT_EQ(small.verdict, kSmall);
  EXPECT_LT(small.test.p, 0.0001);
  EXPECT_EQ(one_change(runs(9, 0.1), runs(9, 0.109), {.threshold = 0.05}).verdict, kRegression);
  EXPECT_EQ(one_change(runs(9, 0.1), runs(9, 0.1)).verdict, kSame);
}

TEST(Compare, LeavesALargeChangeAloneThatIsNotSure) {
  std::vector<RunFigures> a = runs(9, 0.1), b = runs(9, 0.12);
  for (std::size_t i = 0; i < 4; ++i) b[i].metrics[0].value = 0.01;
  for (std::size_t i = 0; i < 3; ++i) a[i].metrics[0].value = 0.2;
  EXPECT_EQ(one_change(a, b).verdict, kUndecided);
}

TEST(Compare, CallsNothingOfTooFewRuns) {
  EXPECT_EQ(one_change(runs(8, 0.1), runs(9, 0.2)).verdict, kUndecided);
  EXPECT_EQ(one_change(runs(1, 0.1), runs(1, 0.2)).verdict, kUndecided);
  EXPECT_EQ(one_change(runs(1, 0.1), runs(1, 0.1)).verdict, kUndecided) << "one run each shows nothing";
  EXPECT_FALSE(compare(runs(1, 0.1), runs(1, 0.2), {}).regression());
}

TEST(Compare, TakesSharesInPoints) {
  const Change c = one_change(runs(9, 0.99, kShare, true), runs(9, 0.97, kShare, true));
  EXPECT_NEAR(c.effect, -0.02, 1e-9);
  EXPECT_NEAR(c.limit, 0.001, 1e-9);
  EXPECT_EQ(c.verdict, kRegression);
}

// Five times as many fail, and no whole point.
TEST(Compare, MeasuresAShareByThoseThatFailed) {
  const auto spread = [](double middle) {
    std::vector<RunFigures> all;
    for (int i = -4; i <= 4; ++i) all.push_back(run_of({{"success", kShare, true, middle + 0.00002 * i}}));
    return all;
  };
  EXPECT_EQ(one_change(spread(0.999), spread(0.995)).verdict, kRegression);
  EXPECT_EQ(one_change(spread(0.995), spread(0.999)).verdict, kImprovement);
  EXPECT_EQ(one_change(spread(0.999), spread(0.9989)).verdict, kSmall);
  EXPECT_EQ(one_change(spread(0.5), spread(0.48)).verdict, kSmall) << "a twenty-fifth of those that failed";
  EXPECT_EQ(one_change(spread(0.5), spread(0.44)).verdict, kRegression);
}

TEST(Compare, SaysSameOnlyWhereNothingLargeIsLeftPossible) {
  const auto wide = [](double by) {
    std::vector<RunFigures> all;
    for (int i = -4; i <= 4; ++i) all.push_back(run_of({{"p99", kTime, false, 0.1 * (1 + 0.05 * i) * by}}));
    return all;
  };
  const Change noisy = one_change(wide(1), wide(1.001));
  EXPECT_EQ(noisy.verdict, kUndecided);
  EXPECT_GT(noisy.seen, 0.1) << "which is more than what was asked";
  EXPECT_EQ(one_change(wide(1), wide(1.001), {.threshold = 0.5}).verdict, kSame);
}

// Nine runs of 20 requests each, none of which failed, leave a share of 3 % possible.
TEST(Compare, ShareNeedsTheRequestsOfAllRunsTogether) {
  const auto whole = [](std::uint64_t requests) {
    return std::vector<RunFigures>(9, run_of({{"success", kShare, true, 1.0, requests}}));
  };
  const Change few = one_change(whole(20), whole(20));
  EXPECT_EQ(few.verdict, kUndecided);
  EXPECT_NEAR(few.high, 0.029, 0.001);
  EXPECT_EQ(one_change(whole(20), whole(20), {.points = 0.05}).verdict, kSame);
  EXPECT_EQ(one_change(whole(2000), whole(2000)).verdict, kSame);
}

TEST(Compare, ARunThatWentWrongAsAWholeIsNotTheSame) {
  std::vector<RunFigures> b = runs(9, 0.1);
  b[4].metrics[0].value = 5;
  EXPECT_EQ(one_change(runs(9, 0.1), b).verdict, kUndecided);
}

TEST(Compare, LooksAtWhatWasAskedForAlone) {
  std::vector<RunFigures> a = runs(9, 1);
  for (RunFigures& run : a) run.metrics.push_back({"rss", kBytes, false, 1e6});
  EXPECT_EQ(compare(a, a, {.metrics = {"rss"}}).changes.size(), 1u);
  EXPECT_EQ(compare(a, a, {.metrics = {"rss"}}).changes[0].name, "rss");
}

TEST(Compare, WhatNeverEndedIsALargeChange) {
  EXPECT_EQ(one_change(runs(9, 0.1), runs(9, HUGE_VAL)).verdict, kRegression);
  EXPECT_EQ(one_change(runs(9, HUGE_VAL), runs(9, 0.1)).verdict, kImprovement);
  EXPECT_EQ(one_change(runs(9, HUGE_VAL), runs(9, HUGE_VAL)).verdict, kUndecided) << "nothing was seen of it";
}

TEST(Compare, TakesAChangeFromZeroForLarge) {
  EXPECT_EQ(one_change(runs(9, 0), runs(9, 0.1)).verdict, kRegression);
  EXPECT_EQ(one_change(runs(9, 0), runs(9, 0)).verdict, kSame);
}

TEST(Compare, LeavesOutWhatNotAllRunsHave) {
  std::vector<RunFigures> a = runs(9, 1), b = runs(9, 1);
  a[3].metrics.push_back({"rss", kBytes, false, 1e6});
  const Comparison c = compare(a, b, {});
  EXPECT_EQ(c.changes.size(), 1u);
  EXPECT_THAT(c.left_out, ElementsAre("rss"));
}

TEST(Compare, PrintsATableThatSaysWhatItTakes) {
  std::vector<RunFigures> a = runs(9, 0.010), b = runs(9, 0.012);
  for (auto* group : {&a, &b})
    for (RunFigures& run : *group) run.metrics.push_back({"success", kShare, true, 0.9998});
  const std::string table = table_of(compare(a, b, {}), {});
  EXPECT_THAT(table, HasSubstr("10 ms        12 ms    +20.0 %"));
  EXPECT_THAT(table, HasSubstr("99.98 %"));
  EXPECT_THAT(table, HasSubstr("+0.000 pt"));
  EXPECT_THAT(table, HasSubstr("<0.0001  REGRESSION\n"));
  EXPECT_THAT(table, HasSubstr("99 % interval"));
  EXPECT_THAT(table,
              HasSubstr("worse by more than 10 % (a share: 0.1 points, or 10 % of those that failed)"));
}

TEST(Figures, AreThoseOfTheRunWithoutItsWarmUp) {
  Result r = testing::example_result(600, 1);
  const RunFigures run = figures_of(r, "a.json");
  std::vector<std::string> names;
  names.reserve(run.metrics.size());
  for (const MetricFigure& m : run.metrics) names.push_back(m.name);
  EXPECT_THAT(names, ElementsAre("p50 response", "p95 response", "p99 response", "throughput", "success",
                                 "cpu per request", "rss"));
  const double before = run.metrics[2].value;
  r.segments[0].steps[0][0].outcomes[0].response.record(Nanos(3'000'000'000), 1'000'000);  // warm-up
  EXPECT_EQ(figures_of(r, "a.json").metrics[2].value, before);
  r.series.back().target = "other";  // two targets with figures of /proc
  EXPECT_EQ(figures_of(r, "a.json").metrics[5].name, "cpu per request (gateway)");
  EXPECT_NEAR(run.metrics[5].value, 310e-6, 10e-6);
}

TEST(Differences, ListWhatMustBeTheSame) {
  RunFigures a = run_of({}), b = run_of({});
  b.file = "b.json";
  EXPECT_THAT(differences({a, b}), IsEmpty());
  b.environment.commit = "another";  // what is compared may differ
  EXPECT_THAT(differences({a, b}), IsEmpty());
  a.environment.campaign_hash = "1";
  b.environment.campaign_hash = "2";
  b.environment.machine = "m";
  b.environment.build = "debug";
  b.environment.time_scale = 0.5;
  b.verdict = Verdict::kInvalid;
  const auto lines = differences({a, a, b});
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_EQ(lines[0], "the campaign (or a value of --set) differs: 1 in run.json; 2 in b.json");
  EXPECT_EQ(lines[2], "the build differs: none in run.json; debug in b.json");
  EXPECT_EQ(lines[4], "b.json is INVALID: its figures prove nothing");
}

TEST(Interleaved, SpreadsADriftOverBoth) {
  using enum Side;
  EXPECT_THAT(interleaved(3),
              ElementsAre(kBaseline, kCandidate, kCandidate, kBaseline, kBaseline, kCandidate));
}

TEST(Confirmed, NeedsTheSameRegressionTwice) {
  Comparison first, second;
  first.changes.resize(2);
  first.changes[0].name = "p50";
  first.changes[1].name = "p99";
  first.changes[0].verdict = first.changes[1].verdict = kRegression;
  second = first;
  second.changes[0].verdict = kUndecided;
  EXPECT_THAT(confirmed(first, second), ElementsAre("p99"));
}

struct CompareFilesTest : ::testing::Test {
  CompareFilesTest() { std::filesystem::create_directories(folder); }
  ~CompareFilesTest() override { std::filesystem::remove_all(folder); }

  std::string saved(const std::string& name, double slower = 1, const std::string& machine = "m") {
    Result r = testing::example_result(6, 100);
    r.environment.machine = machine;
    for (SegmentStats& s : r.segments)
      for (auto& scenario : s.steps)
        for (StepStats& step : scenario) {
          step = {};
          testing::add_latencies(step.outcomes[0], 100, slower);
        }
    save_result(r, folder / name);
    return folder / name;
  }
  int compared(const std::vector<std::string>& a, const std::vector<std::string>& b,
               const CompareOptions& options = {}) {
    out.str("");
    err.str("");
    return compare_files(a, b, options, out, err);
  }

  const std::filesystem::path folder =
      std::filesystem::path(::testing::TempDir()) / ("compare." + std::to_string(::getpid()));
  std::ostringstream out, err;
};

TEST_F(CompareFilesTest, TellsARegressionByItsExitCode) {
  std::vector<std::string> before, same, slower;
  for (int i = 0; i < 9; ++i) {
    const double noise = 1 + 0.003 * (i % 4);
    before.push_back(saved("a" + std::to_string(i), noise));
    same.push_back(saved("b" + std::to_string(i), 1 + 0.003 * ((i + 1) % 4)));
    slower.push_back(saved("c" + std::to_string(i), noise * 1.5));
  }
  EXPECT_EQ(compared(before, same), 0) << out.str();
  EXPECT_EQ(compared(before, slower), 1) << out.str();
  EXPECT_THAT(out.str(), HasSubstr("REGRESSION"));
  EXPECT_EQ(err.str(), "");
}

TEST_F(CompareFilesTest, RefusesWhatDiffers) {
  const std::string a = saved("a"), b = saved("b", 1, "another");
  EXPECT_EQ(compared({a}, {b}), 2);
  EXPECT_EQ(out.str(), "");
  EXPECT_THAT(err.str(), HasSubstr("the machine differs"));
  EXPECT_THAT(err.str(), HasSubstr("--anyway"));
  EXPECT_EQ(compared({a}, {b}, {.anyway = true}), 0);
  EXPECT_THAT(out.str(), HasSubstr("warning: the machine differs"));
}

TEST_F(CompareFilesTest, RefusesWhatItCannotRead) {
  std::ofstream(folder / "broken.json") << "{\"sekisho_prove\": 7}";
  EXPECT_EQ(compared({saved("a")}, {folder / "broken.json"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("broken.json: is a result of version 7"));
  EXPECT_EQ(compared({saved("a")}, {folder / "absent.json"}), 2);
  EXPECT_THAT(err.str(), HasSubstr("absent.json: No such file"));
  EXPECT_EQ(compared({saved("a")}, {}), 2);
  EXPECT_THAT(err.str(), HasSubstr("at least one"));
}

}  // namespace
}  // namespace prove
