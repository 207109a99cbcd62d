#include "prove/judge/series_math.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "prove/model/expression.h"

namespace prove {
namespace {

using testing::HasSubstr;

constexpr double kTenMinutes = 600;

Measure measure(std::string_view text) {
  auto c = parse_expression(std::string(text) + " > 0", {});
  EXPECT_TRUE(c) << text << ": " << c.error();
  return c->left->measure;
}

Series series(std::string name, std::map<std::string, std::string> labels, std::vector<Point> points,
              bool counter = true, std::string target = "gateway") {
  return {std::move(target), std::move(name), std::move(labels), counter, std::move(points)};
}

double value(const std::vector<Series>& all, std::string_view text, const std::vector<Extent>& scope) {
  const Figure f = measure_series(all, measure(text), scope, kTenMinutes);
  EXPECT_TRUE(f) << text << ": " << f.error().text;
  return f.value_or(-1e9);
}

std::string why_not(const std::vector<Series>& all, std::string_view text, const std::vector<Extent>& scope) {
  const Figure f = measure_series(all, measure(text), scope, kTenMinutes);
  EXPECT_FALSE(f) << text;
  return f ? "" : f.error().text;
}

TEST(Increase, CountsResetsOfTheCounter) {
  const std::vector<Point> points = {{0, 10}, {1, 20}, {2, 5}, {3, 8}};
  EXPECT_DOUBLE_EQ(increase(points, 0, 3), 10 + 5 + 3);
  EXPECT_DOUBLE_EQ(increase(points, 0.5, 1), 5);
  EXPECT_DOUBLE_EQ(increase(points, 1, 2.5), 5 + 1.5);
  EXPECT_DOUBLE_EQ(increase(points, 4, 5), 0);
  EXPECT_DOUBLE_EQ(increase({}, 0, 1), 0);
}

TEST(Slope, IsThatOfALine) {
  EXPECT_DOUBLE_EQ(slope({{0, 5}, {1, 7}, {2, 9}}), 2);
  EXPECT_DOUBLE_EQ(slope({{0, 1}, {10, 3}, {20, 2}}), 0.05);
  EXPECT_DOUBLE_EQ(slope({{3, 1}}), 0);
}

TEST(Stretches, JoinsNeighbours) {
  using base::Nanos;
  const auto at = [](int s) { return Nanos(std::chrono::seconds(s)); };
  const std::vector<Segment> timeline = {
      {0, at(0), at(5)}, {1, at(5), at(7)}, {1, at(7), at(9)}, {2, at(9), at(12)}};
  const auto got = extents_of(timeline, {1, 2});
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].from, 5);
  EXPECT_EQ(got[0].to, 9);
  EXPECT_FALSE(got[0].first || got[0].last);
  const auto two = extents_of(timeline, {0, 3});
  ASSERT_EQ(two.size(), 2u);
  EXPECT_TRUE(two[0].first && !two[0].last && two[1].last && !two[1].first);
}

TEST(SeriesMath, AddsLabelSetsUp) {
  const std::vector<Series> all = {series("x_total", {{"a", "1"}}, {{0, 0}, {1, 10}, {2, 20}}),
                                   series("x_total", {{"a", "2"}}, {{0, 5}, {1, 6}, {2, 9}})};
  const std::vector<Extent> scope = {{0, 2, true, true}};
  EXPECT_EQ(value(all, "delta(x_total)", scope), 24);
  EXPECT_EQ(value(all, "delta(x_total{a=\"2\"})", scope), 4);
  EXPECT_EQ(value(all, "delta(x_total{a=~\"1|2\"})", scope), 24);
  EXPECT_EQ(value(all, "rate(x_total)", scope), 12);
  EXPECT_EQ(value(all, "last(x_total)", scope), 29);
  EXPECT_EQ(value(all, "delta(x_total)", {{1, 2, false, true}}), 13);
}

TEST(SeriesMath, TakesASampleJustAfterABoundaryForTheBoundary) {
  const std::vector<Series> all = {
      series("x_total", {}, {{0.002, 0}, {0.9, 90}, {1.004, 100}, {2.003, 400}, {7, 410}})};
  EXPECT_EQ(value(all, "delta(x_total)", {{0, 1, true, false}}), 100);
  EXPECT_EQ(value(all, "delta(x_total)", {{1, 2, false, false}}), 300);
  EXPECT_EQ(value(all, "delta(x_total)", {{1, 2, false, true}}), 310);  // with what came in after the end
  EXPECT_NEAR(value(all, "rate(x_total)", {{1, 2, false, true}}), 300 / 0.999, 1e-6);
}

TEST(SeriesMath, CountsALabelSetThatAppearsLateFromZero) {
  const std::vector<Series> all = {series("x_total", {{"code", "200"}}, {{0, 7}, {1, 8}, {2, 9}}),
                                   series("x_total", {{"code", "500"}}, {{2, 3}})};
  const std::vector<Extent> scope = {{0, 2, true, true}};
  EXPECT_EQ(value(all, "delta(x_total{code=\"500\"})", scope), 3);
  EXPECT_EQ(value(all, "delta(x_total{code=\"500\"})", {{0, 1, true, false}}), 0);
  EXPECT_THAT(why_not(all, "delta(x_total{code=\"5xx\"})", scope),  // a typo must hold no goal
              HasSubstr("no series of x_total has {code=\"5xx\"} (code was 200, 500)"));
  EXPECT_EQ(value(all, "delta(x_total{code=\"404\"} or 0)", scope), 0);
  EXPECT_EQ(value(all, "delta(x_total{code=\"500\"} or 0)", scope), 3);
  EXPECT_THAT(why_not(all, "delta(x_total{status=\"404\"} or 0)", scope), HasSubstr("has a label 'status'"));
  EXPECT_THAT(why_not(all, "delta(y_total or 0)", scope), HasSubstr("no sample of y_total"));
  EXPECT_THAT(why_not(all, "delta(x_total{status=\"404\"})", scope), HasSubstr("has a label 'status'"));
}

TEST(SeriesMath, DoesNotInventAZeroForProc) {
  const std::vector<Series> all = {series("up", {}, {{0, 1}, {20, 1}}, false),
                                   series("process_cpu_seconds", {}, {{1, 50}, {20, 51}})};
  EXPECT_EQ(value(all, "delta(process_cpu_seconds)", {{0, 20, true, true}}), 1);
}

TEST(SeriesMath, TellsGaugesOverTheScope) {
  const std::vector<Series> all = {series("g", {}, {{0, 1}, {1, 5}, {2, 3}, {3, 9}}, false)};
  const std::vector<Extent> scope = {{1, 2, false, false}};
  EXPECT_EQ(value(all, "first(g)", scope), 5);
  EXPECT_EQ(value(all, "last(g)", scope), 3);
  EXPECT_EQ(value(all, "max(g)", scope), 5);
  EXPECT_EQ(value(all, "min(g)", scope), 3);
  EXPECT_EQ(value(all, "avg(g)", scope), 4);
  EXPECT_THAT(why_not(all, "max(g)", {{1.3, 1.6, false, false}}),
              HasSubstr("no sample of g fell into the scope"));
}

TEST(SeriesMath, TellsASlopeOnlyOfALongStretch) {
  std::vector<Point> points;
  for (int i = 0; i <= 700; ++i) points.push_back({static_cast<double>(i), 1e6 + 250.0 * i});
  const std::vector<Series> all = {series("process_rss_bytes", {}, points, false)};
  EXPECT_NEAR(value(all, "slope(process_rss_bytes)", {{0, 700, true, true}}), 250, 1e-6);
  EXPECT_NEAR(value(all, "rss_slope", {{0, 600, true, false}}), 250, 1e-6);
  const Figure f = measure_series(all, measure("rss_slope"), {{0, 599, true, false}}, kTenMinutes);
  ASSERT_FALSE(f);
  EXPECT_EQ(f.error().cause, Unknown::Cause::kSlope);
  EXPECT_THAT(why_not(all, "rss_slope", {{0, 1000, true, true}}), HasSubstr("sampled throughout"));
}

TEST(SeriesMath, RefusesFiguresOfAScopeThatSamplesDoNotCover) {
  const std::vector<Series> all = {series("a_total", {}, {{0, 1}, {1, 2}, {50, 2}}),
                                   series("g", {}, {{0, 1}, {50, 2}}, false)};
  const std::vector<Extent> scope = {{0, 100, true, true}};
  for (const char* text : {"delta(a_total)", "rate(a_total)", "max(g)", "avg(g)"})
    EXPECT_THAT(why_not(all, text, scope), HasSubstr("for 50 s of 100 s")) << text;
  EXPECT_EQ(value(all, "delta(a_total)", {{0, 52, true, true}}), 1);
  EXPECT_THAT(why_not(all, "last(g)", scope), HasSubstr("the last sample of g came 50 s before the end"));
  EXPECT_EQ(value(all, "last(g)", {{0, 58, true, true}}), 2);
  EXPECT_EQ(value(all, "first(g)", scope), 1);
  EXPECT_THAT(why_not(all, "first(g)", {{20, 100, false, true}}),
              HasSubstr("the first sample of g came 30 s after the beginning"));
}

// What was the most while nobody looked is not known, whatever was seen before and after.
TEST(SeriesMath, KnowsNoMaximumOfWhatWasNotWatched) {
  std::vector<Point> points;
  for (int i = 0; i <= 100; ++i)
    if (i <= 40 || i >= 60) points.push_back({static_cast<double>(i), 5});
  const std::vector<Series> all = {series("g", {}, points, false)};
  const std::vector<Extent> scope = {{0, 100, true, true}};
  for (const char* text : {"max(g)", "min(g)", "avg(g)"})
    EXPECT_THAT(why_not(all, text, scope), HasSubstr("for 20 s of 100 s")) << text;
  EXPECT_EQ(value(all, "max(g)", {{0, 45, true, false}, {55, 100, false, true}}), 5);
  EXPECT_EQ(value(all, "last(g)", scope), 5);
}

TEST(SeriesMath, FindsTheWorstTwentiethOfARamp) {
  Result result;
  for (int i = 1; i <= 100; ++i) {
    Interval row;
    row.at = i;
    row.seconds = 1;
    row.busy = i > 90 ? 99 : 10;
    result.intervals.push_back(row);
  }
  EXPECT_NEAR(busiest_of(result, {{0, 100, true, true}}), 99, 1e-9);
  EXPECT_NEAR(busiest_of(result, {{0, 90, true, false}}), 10, 1e-9);
  EXPECT_NEAR(busiest_of(result, {{0, 10, true, false}, {90, 100, false, true}}), 99, 1e-9);
  EXPECT_EQ(busiest_of(result, {{0, 1, true, false}}), 0);  // too short for a worst part
}

TEST(SeriesMath, SaysWhatIsMissing) {
  const std::vector<Series> all = {
      series("a_total", {}, {{0, 1}, {1, 2}}), series("a_total", {}, {{0, 1}, {1, 2}}, true, "other"),
      series("g", {{"l", "1"}}, {{0, 1}, {1, 2}}, false), series("one_total", {}, {{5, 1}}, true, "other")};
  const std::vector<Extent> scope = {{0, 2, true, true}};
  EXPECT_THAT(why_not(all, "delta(b)", scope), HasSubstr("no sample of b was had"));
  EXPECT_THAT(why_not(all, "delta(a_total)", scope), HasSubstr("several targets"));
  EXPECT_EQ(value(all, "delta(a_total{target=\"other\"})", scope), 1);
  EXPECT_THAT(why_not(all, "delta(a_total{target=\"third\"})", scope), HasSubstr("from target 'third'"));
  EXPECT_THAT(why_not(all, "delta(g)", scope), HasSubstr("is no counter"));
  EXPECT_THAT(why_not(all, "last(g{l=\"2\"})", scope), HasSubstr("no series of g has {l=\"2\"}"));
  EXPECT_EQ(value(all, "last(g{l=\"2\"} or 0)", scope), 0);
  EXPECT_THAT(why_not(all, "delta(a_total{target=\"other\"})", {{30, 40, false, false}}),
              HasSubstr("fewer than two samples"));
}

}  // namespace
}  // namespace prove
