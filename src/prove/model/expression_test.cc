#include "prove/model/expression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace prove {
namespace {

using testing::HasSubstr;

std::string error_of(std::string_view text, const Pairs& defines = {}) {
  return check_expression(text, defines);
}

Relation parsed(std::string_view text, const Pairs& defines = {}) {
  auto c = parse_expression(text, defines);
  EXPECT_TRUE(c) << text << ": " << c.error();
  return c ? std::move(*c) : Relation{};
}

TEST(Expression, TakesWhatCampaignsAsk) {
  for (const std::string_view text : {"p95 < 50ms",
                                      "p99.99<=1s",
                                      "p50 > 0",
                                      "service.p99 < 50 ms",
                                      "first_byte.p95 < 500ms",
                                      "lag.p99 < 10ms",
                                      "p95(ok) < 1s",
                                      "service.p99( denied ) < 5ms",
                                      "mean < 3ms",
                                      "max(ok) < 1s",
                                      "success > 99.5%",
                                      "denied == 100%",
                                      "failed < 1%",
                                      "timed_out == 0",
                                      "skipped == 0%",
                                      "count(limited) > 10",
                                      "requests >= 1000",
                                      "rate > 100/s",
                                      "rate >= 99% * offered",
                                      "bytes_per_second > 10MiB/s",
                                      "reason(reset) == 0",
                                      "status(503) == 0",
                                      "status(5xx) == 0",
                                      "recovery < 5s",
                                      "recovery(origin down) < 5s",
                                      "rss < 64MB",
                                      "rss{target=\"gateway\"} < 64MB",
                                      "rss_slope < 1MB/h",
                                      "cpu < 150%",
                                      "fds < 1000",
                                      "threads <= 8",
                                      "hit_ratio > 40%",
                                      "hit_ratio{route=\"a\"} > 40%",
                                      "delta(x_total{a=\"b\", c=~\"d|e\",}) != 12",
                                      "rate(x_total) > 3/s",
                                      "slope(x_bytes) < -2KB/h",
                                      "last(x_seconds) - first(x_seconds) < 3m",
                                      "100% * delta(a) / delta(b) > 40%",
                                      "delta(a)/delta(b) > 0.4",
                                      "-(p50 - p99) * 2 < (1h + 3us)",
                                      "p95(ok) < 120% * p95(denied)",
                                      "delta(process_cpu_seconds) / requests < 100us",
                                      "max(x) < 10/h * 1h",
                                      "avg(a{x=\"quo\\\"ted\"}) == 1",
                                      "1 < delta(a)",
                                      "recovery < 1m30s",
                                      "p50(scenario=hits) < p50(scenario = misses)",
                                      "p95(step=log in) < 2 * p95(ok, tag=read)",
                                      "rate(step=a) > 1/s",
                                      "p95(ok, window=before outage) < 1s",
                                      "rate(phase=calm) > 1/s",
                                      "delta(a{b=\"c\"}, phase=calm) > 1",
                                      "count(ok, scenario=x) > 1",
                                      "success(scenario=x) == 100%",
                                      "max(phase=x) < 1s",
                                      "reason(reset, phase=x) == 0"})
    EXPECT_EQ(error_of(text), "") << text;
}

TEST(Expression, SaysWhatIsWrong) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "a value is missing"},
      {"p95", "there is no comparison"},
      {"p95 <", "a value is missing at the end"},
      {"p95 < 50", "p95 is a time and the other a plain number"},
      {"success > 0.995", "write 40%"},
      {"delta(a) / delta(b) > 40%", "one side is a plain number"},
      {"p95 < 50msec", "'msec' is no unit"},
      {"p95 < 30s3m", "'3m' is no rest of a time"},
      {"p95 < 1m30", "'30' is no rest of a time"},
      {"rss < 1MB500B", "'500B' is not expected"},
      {"p95 < 50ms < 60ms", "more than one comparison"},
      {"p95 < 50ms )", "')' is not expected"},
      {"p95 < (50ms", "')' is missing"},
      {"p100 < 1s", "is no percentile"},
      {"p0 < 1s", "the least value is min"},
      {"p0.0 < 1s", "the least value is min"},
      {"p95(good) < 1s", "wants an outcome"},
      {"count(nothing) > 1", "count() wants an outcome"},
      {"p95(skipped) < 1s", "took no time"},
      {"lag.p99(ok) < 1s", "the same for all outcomes"},
      {"reason(bad luck) == 0", "there is no reason 'bad luck'; there are refused"},
      {"status(99) == 0", "503 or 5xx"},
      {"status(9xx) == 0", "503 or 5xx"},
      {"recovery() < 1s", "name of a fault"},
      {"success(ok) > 1%", "takes scenario=, step=, tag=, phase= and window= only"},
      {"p95(ok, denied) < 1s", "takes one thing"},
      {"p95(stage=x) < 1s", "'stage' is none of"},
      {"p95(phase=) < 1s", "phase= wants a name"},
      {"delta(a, b) < 1", "takes one metric"},
      {"p95(ok < 1s", "')' is missing"},
      {"nonsense < 1", "'nonsense' is neither"},
      {"median(x) < 1", "there is no function 'median'"},
      {"delta() < 1", "name of a metric"},
      {"delta(a{b=c}) < 1", "is not expected"},
      {"delta(a{b=~\"c.*\"}) < 1", "only alternatives"},
      {"delta(a{b=\"c\") < 1", "is not expected"},
      {"delta(a{b=\"c) < 1", "missing at the end"},
      {"p50 + 3 < 1s", "cannot be added"},
      {"1 < 2", "nothing in it is measured"},
      {"p95. < 1s", "neither"},
      {"p95 = 3ms", "is not expected"},
      {std::string(100, '(') + "p95 < 1s", "nested too deeply"},
  };
  for (const auto& [text, part] : cases) EXPECT_THAT(error_of(text), HasSubstr(part)) << text;
}

TEST(Expression, BindsProductsBeforeSums) {
  const Relation c = parsed("p50 + p95 * 2 < 1s");
  ASSERT_EQ(c.left->op, Node::Op::kAdd);
  EXPECT_EQ(c.left->right->op, Node::Op::kMultiply);
  const Relation d = parsed("p50 - p95 - p99 < 1s");
  EXPECT_EQ(d.left->left->op, Node::Op::kSubtract);  // from the left
  EXPECT_EQ(c.right_text, "1s");
}

TEST(Expression, ReadsNumbersWithUnits) {
  EXPECT_DOUBLE_EQ(parsed("p50 < 1.5 ms").right->value, 0.0015);
  EXPECT_DOUBLE_EQ(parsed("p50 < 1h2m3s4ms5us").right->value, 3723.004005);
  EXPECT_DOUBLE_EQ(parsed("p50 < 1m30s * 2").right->left->value, 90);
  EXPECT_EQ(parsed("p50 < 1m30s").right_text, "1m30s");
  EXPECT_DOUBLE_EQ(parsed("rss_slope < 1MB/h").right->value, 1e6 / 3600);
  EXPECT_EQ(parsed("success > 99.5%").right->value, 199.0 / 200);
  EXPECT_EQ(parsed("rate > 50/s").right->kind, kPerSecond);
  EXPECT_EQ(parsed("p50 < 10s/service.p99*1s").right->op, Node::Op::kMultiply);
}

TEST(Expression, TellsOutcomesFromSeries) {
  EXPECT_EQ(parsed("max(ok) < 1s").left->measure.what, Measure::What::kLatency);
  const Relation c = parsed("max(okay) < 1");
  EXPECT_EQ(c.left->measure.what, Measure::What::kSeries);
  EXPECT_EQ(c.left->measure.series, "okay");
  EXPECT_EQ(parsed("rate < 3/s").left->measure.what, Measure::What::kRate);
  EXPECT_EQ(parsed("status(5xx) == 0").left->measure.status_to, 599);
}

TEST(Expression, ReadsTheScopeOfAMeasure) {
  const Measure m = parsed("p95(ok, scenario = a b , window=after x) < 1s").left->measure;
  EXPECT_EQ(m.outcome, Outcome::kOk);
  EXPECT_EQ(m.scenario, "a b");
  EXPECT_EQ(m.window, "after x");
  EXPECT_EQ(parsed("rate(phase=x) < 1/s").left->measure.what, Measure::What::kRate);
  EXPECT_EQ(parsed("rate(phase) < 1/s").left->measure.series, "phase");
}

TEST(Expression, TakesTheStepOfAMeasureForTheTagOfItsCheck) {
  Check check;
  check.scenario = "s";
  check.tag = "read";
  const Scope own = scope_of(parsed("p95(step=login, phase=calm) < 1s").left->measure, scope_of(check));
  EXPECT_EQ(own.scenario, "s");
  EXPECT_EQ(own.step, "login");
  EXPECT_EQ(own.tag, "");
  EXPECT_EQ(own.phase, "calm");
  EXPECT_EQ(scope_of(parsed("p95 < 1s").left->measure, scope_of(check)).tag, "read");
}

TEST(Expression, ReadsSelectors) {
  const Measure m = parsed("delta(a_total{target=\"t\",x=\"1|2\",y=~\"3|4\"}) > 1").left->measure;
  EXPECT_EQ(m.target, "t");
  ASSERT_EQ(m.selectors.size(), 2u);
  EXPECT_EQ(m.selectors[0].values, std::vector<std::string>{"1|2"});
  EXPECT_EQ(m.selectors[1].values, (std::vector<std::string>{"3", "4"}));
}

TEST(Expression, UsesDefinedNames) {
  const Pairs defines = {{"hit_ratio", "100% * own / delta(b)"},
                         {"own", "delta(a)"},
                         {"loop", "loop2"},
                         {"loop2", "loop + 1"},
                         {"bad", "delta("},
                         {"p95", "1s"},
                         {"yes", "p50 < 1s"},
                         {"a b", "1"}};
  EXPECT_EQ(error_of("hit_ratio > 40%", defines), "");
  EXPECT_EQ(parsed("hit_ratio > 40%", defines).left->left->right->measure.series, "a");
  EXPECT_THAT(error_of("loop > 1", defines), HasSubstr("leads back to itself"));
  EXPECT_THAT(error_of("bad > 1", defines), HasSubstr("in the defined name 'bad'"));
  EXPECT_EQ(check_define("hit_ratio", defines), "");
  EXPECT_THAT(check_define("p95", defines), HasSubstr("is a measure already"));
  EXPECT_THAT(check_define("loop", defines), HasSubstr("leads back"));
  EXPECT_THAT(check_define("yes", defines), HasSubstr("no comparison"));
  EXPECT_THAT(check_define("a b", defines), HasSubstr("letters"));
}

TEST(Expression, NamesWhatItNeeds) {
  Campaign campaign;
  campaign.define = {{"ratio", "delta(d_total) / delta(e_total)"}};
  campaign.guardrails.emplace_back().text = "ratio > 1";
  campaign.guardrails.emplace_back().text = "rss < 1MB";
  campaign.require.emplace_back().text = "delta(f_total) > 1";
  const std::set<std::string> kFixed = {"sekisho_cache_requests_total", "sekisho_build_info",
                                        "sekisho_denials_total", "sekisho_origin_connections_total"};
  std::set<std::string> wanted = kFixed;
  wanted.insert({"d_total", "e_total", "f_total", "process_rss_bytes"});
  EXPECT_EQ(needed_families(campaign), wanted);
  campaign.targets.emplace_back().pid = 7;  // /proc says it, so the page need not
  wanted.erase("process_rss_bytes");
  EXPECT_EQ(needed_families(campaign), wanted);
  const References r =
      references_of("recovery(x y) < rss{target=\"t\"} / 1MB * p50(scenario=s, phase=p, window=after w)", {});
  EXPECT_EQ(r.scenarios, std::set<std::string>{"s"});
  EXPECT_EQ(r.phases, std::set<std::string>{"p"});
  EXPECT_EQ(r.windows, std::set<std::string>{"after w"});
  EXPECT_EQ(r.faults, std::set<std::string>{"x y"});
  EXPECT_EQ(r.targets, std::set<std::string>{"t"});
}

}  // namespace
}  // namespace prove
