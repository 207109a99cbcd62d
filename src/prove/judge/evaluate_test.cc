#include "prove/judge/evaluate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "prove/judge/judge_testing.h"

namespace prove {
namespace {

using ::testing::HasSubstr;
using State = CheckResult::State;
using testing::answer;
using testing::of;

struct EvaluateTest : ::testing::Test {
  CheckResult check(std::string text, std::string scenario = {}, std::string phase = {},
                    std::string window = {}) {
    std::vector<Check> checks;
    testing::ask(checks, std::move(text), std::move(scenario), std::move(phase), std::move(window));
    const Timeline timeline = Timeline::of(campaign);
    return Evaluator(result, timeline, campaign).check(checks[0], CheckResult::Kind::kGuardrail);
  }
  void expect(State state, const std::string& text, const std::string& measured, std::string scenario = {},
              std::string phase = {}, std::string window = {}) {
    const CheckResult r = check(text, std::move(scenario), std::move(phase), std::move(window));
    EXPECT_EQ(r.state, state) << text << ": " << r.measured << " " << r.why;
    EXPECT_EQ(r.measured, measured) << text << ": " << r.why;
  }
  std::string why(const std::string& text, std::string scenario = {}, std::string phase = {},
                  std::string window = {}) {
    return check(text, std::move(scenario), std::move(phase), std::move(window)).why;
  }

  Campaign campaign = testing::campaign_of_three();
  Result result = testing::result_of_three(campaign);
};

TEST_F(EvaluateTest, TellsLatencies) {
  expect(State::kHeld, "p50 < 11ms", "10 ms");
  expect(State::kBroken, "p95 < 15ms", "20 ms");
  expect(State::kHeld, "p95(denied) <= 3ms", "2 ms");
  expect(State::kHeld, "service.p95 < 11ms", "10 ms");
  expect(State::kHeld, "first_byte.max <= 5ms", "5 ms");
  expect(State::kHeld, "lag.p99 < 1ms", "80 µs");
  expect(State::kHeld, "min <= 2ms", "2 ms");
  expect(State::kHeld, "mean(ok) < 14ms", "13.3 ms");
  expect(State::kHeld, "p95 < 21ms", "20 ms", "photos");
  expect(State::kHeld, "p95 < 3ms", "2 ms", "forged");
}

TEST_F(EvaluateTest, TellsWhyAGuardrailIsBroken) {
  EXPECT_EQ(why("p95 < 15ms"), "it was 20 ms and must be < 15ms");
  EXPECT_EQ(why("p95 < 1.5 * p50"), "it was 20 ms and must be < 1.5 * p50, which was 15 ms");
  EXPECT_EQ(why("15ms > p95"), "it was 20 ms, and 15ms > p95 was asked");
  EXPECT_EQ(why("p95 < 1s"), "");
}

TEST_F(EvaluateTest, TellsSharesAndCounts) {
  expect(State::kHeld, "success == 100%", "100 %");
  expect(State::kHeld, "ok == 90%", "90 %");
  expect(State::kHeld, "denied == 100%", "100 %");
  expect(State::kHeld, "failed == 0", "0 %");
  expect(State::kHeld, "count(denied) == 900", "900");
  expect(State::kHeld, "requests == 9000", "9000");
  expect(State::kHeld, "status(200) == 8100", "8100");
  expect(State::kHeld, "status(4xx) == 900", "900");
  expect(State::kHeld, "status(5xx) == 0", "0");
  expect(State::kHeld, "rate == 100/s", "100/s");
  expect(State::kHeld, "rate >= 99% * offered", "100/s");
  expect(State::kHeld, "bytes_per_second > 99KB/s", "100 KB/s");
  expect(State::kHeld, "reason(reset) == 0", "0");
}

TEST_F(EvaluateTest, CountsAllOutcomesInTheShares) {
  StepStats& step = result.segments.back().steps[0][0];
  answer(step, Outcome::kFailed, 500, 5);
  step.reasons[static_cast<std::size_t>(Reason::kReset)] = 300;
  step.reasons[static_cast<std::size_t>(Reason::kStatus)] = 200;
  of(step, Outcome::kSkipped).count = 500;  // never sent: a request all the same
  expect(State::kBroken, "success > 99%", "90 %");
  expect(State::kHeld, "skipped == 5%", "5 %");
  expect(State::kHeld, "failed == 10%", "10 %");  // all that is not as expected
  expect(State::kHeld, "wrong == 5%", "5 %");
  expect(State::kHeld, "count(failed) == 1000", "1000");
  expect(State::kHeld, "count(wrong) == 500", "500");
  expect(State::kHeld, "reason(reset) == 300", "300");
  step.retries = 3;
  expect(State::kHeld, "retries == 3", "3");
  expect(State::kHeld, "rate == 100/s", "100/s");              // 9,000 as expected in 90 s
  result.segments.back().steps[1][0].expected_denials += 100;  // got in
  expect(State::kBroken, "denied == 100%", "90 %");
}

TEST_F(EvaluateTest, LooksAtTheScope) {
  const std::size_t fault = 2;  // warm up, steady before, steady during
  answer(result.segments[fault].steps[0][0], Outcome::kFailed, 1'000, 100);
  expect(State::kHeld, "failed > 49%", "50 %", "", "", "outage");
  expect(State::kHeld, "failed == 0", "0 %", "", "", "before outage");
  expect(State::kHeld, "failed == 0", "0 %", "", "", "after outage");
  expect(State::kHeld, "failed == 0", "0 %", "forged");
  expect(State::kHeld, "requests == 1000", "1000", "", "warm up");
  expect(State::kHeld, "requests == 3000", "3000", "", "calm");
  expect(State::kHeld, "requests == 1000", "1000", "", "calm", "late");
  EXPECT_THAT(why("p95 < 1s", "", "steady", "late"),
              HasSubstr("nothing of the run lies in phase 'steady', window 'late'"));
  EXPECT_THAT(why("offered > 1/s", "photos"), HasSubstr("by scenario"));
}

TEST_F(EvaluateTest, LooksAtTheMeasuresOwnScope) {
  answer(result.segments[2].steps[0][0], Outcome::kOk, 1'000, 100);  // during the outage
  expect(State::kHeld, "p90(window=outage) >= 3 * p90(window=before outage)", "100 ms");
  expect(State::kHeld, "p50(scenario=forged) < p50(scenario=photos)", "2 ms", "photos");
  expect(State::kHeld, "delta(sekisho_cache_requests_total, phase=calm) == 3000", "3000", "", "steady");
  expect(State::kHeld, "requests(phase=calm) == 2700", "2700", "photos");
}

TEST_F(EvaluateTest, KnowsNoPercentileOfTooFewRequests) {
  expect(State::kHeld, "p99 < 1s", "20 ms", "", "calm");  // 3,000: 30 beyond
  expect(State::kUnknown, "p99.9 < 1s", "", "", "calm");
  EXPECT_EQ(why("p99.9 < 1s", "", "calm"), "p99.9 of 3000 requests: 3 lie beyond it and 10 are needed");
  campaign.validity.tail_samples = 3;
  expect(State::kHeld, "p99.9 < 1s", "20 ms", "", "calm");
  EXPECT_THAT(why("p95(failed) < 1s"), HasSubstr("no request that p95(failed)"));
}

TEST_F(EvaluateTest, CountsWhatDidNotEndAsExpectedAsForEver) {
  StepStats& step = result.segments.back().steps[0][0];
  const auto fail = [&](Outcome o, Reason why, std::uint64_t count) {
    answer(step, o, count, 1);  // fast
    step.reasons[static_cast<std::size_t>(why)] += count;
  };
  fail(Outcome::kFailed, Reason::kRefused, 40);
  fail(Outcome::kLimited, Reason::kStatus, 30);
  fail(Outcome::kTimedOut, Reason::kReplyTimeout, 30);
  expect(State::kHeld, "p95 < 21ms", "20 ms");
  expect(State::kBroken, "p99 < 1s", "∞");
  expect(State::kBroken, "max < 1s", "∞");
  expect(State::kBroken, "mean < 1s", "∞");
  expect(State::kBroken, "service.p99 < 1s", "∞");
  expect(State::kHeld, "p99(ok) < 21ms", "20 ms");
  EXPECT_EQ(check("p50(failed) < 2ms").state, State::kHeld);
  EXPECT_EQ(why("p99 < 1s"), "it was ∞ and must be < 1s: 100 of 9100 requests did not end as expected");
  expect(State::kBroken, "p99 < 1.5 * p99(phase=steady)", "∞", "", "calm");
  EXPECT_THAT(why("p99 - p99 < 1s"), HasSubstr("cannot be reckoned with"));
}

TEST_F(EvaluateTest, CountsALimitThatWasExpectedAsWhatItTook) {
  StepStats& step = result.segments.back().steps[0][0];
  answer(step, Outcome::kLimited, 1'000, 5);
  step.reasons[static_cast<std::size_t>(Reason::kNone)] += 1'000;
  expect(State::kHeld, "max < 21ms", "20 ms");
  expect(State::kHeld, "failed == 0%", "0 %");
}

TEST_F(EvaluateTest, TakesAFewFailuresForBrokenWhenNoMoreRequestsCouldMendIt) {
  for (SegmentStats& segment : result.segments)
    for (auto& scenario : segment.steps)
      for (StepStats& step : scenario) step = {};
  StepStats& step = result.segments.back().steps[0][0];
  answer(step, Outcome::kOk, 15, 1);
  answer(step, Outcome::kFailed, 5, 1);
  expect(State::kBroken, "p99 < 50ms", "∞");  // at the least 10 % fail
  expect(State::kUnknown, "p80 < 50ms", "");  // a fifth: perhaps, perhaps not
}

TEST_F(EvaluateTest, BoundsTheTailOfRequestsThatTheEndCutOff) {
  answer(result.segments.back().steps[0][0], Outcome::kTimedOut, 100, 500);  // what they had taken by then
  expect(State::kHeld, "p95 < 21ms", "20 ms");
  expect(State::kUnknown, "p99 < 1s", "> 500 ms");
  EXPECT_THAT(why("p99 < 1s"), HasSubstr("100 requests were cut off by the end of the run"));
  EXPECT_THAT(why("max < 1s"), HasSubstr("cut off"));
  expect(State::kBroken, "p99 < 499ms", "> 500 ms");  // whatever they would have taken
  expect(State::kBroken, "max < 499ms", "> 500 ms");
  expect(State::kBroken, "2 * p99 < 900ms", "> 1000 ms");
}

TEST_F(EvaluateTest, PutsWhatWasDroppedBeyondAllThatWasSent) {
  StepStats& step = result.segments.back().steps[0][0];
  of(step, Outcome::kSkipped).count = 100;
  step.reasons[static_cast<std::size_t>(Reason::kBacklog)] = 100;  // beside 9,000 that were sent
  expect(State::kHeld, "p95 < 21ms", "20 ms");
  expect(State::kHeld, "p50 < 16ms", "10 ms");
  EXPECT_THAT(why("p99 < 1s"), HasSubstr("100 requests were dropped since the backlog was full"));
  EXPECT_THAT(why("service.p99.5 < 1s"), HasSubstr("dropped"));
  EXPECT_THAT(why("max < 1s"), HasSubstr("dropped"));
  EXPECT_THAT(why("mean < 1s"), HasSubstr("dropped"));
  expect(State::kHeld, "p99(ok) < 21ms", "20 ms");  // of those that were answered nothing is missing
  step.reasons[static_cast<std::size_t>(Reason::kBacklog)] = 3'700;  // 10 ms are their first half no more
  expect(State::kHeld, "p50 < 21ms", "20 ms");
}

TEST_F(EvaluateTest, KnowsNothingOfAnEmptyScope) {
  for (SegmentStats& s : result.segments)
    for (auto& scenario : s.steps)
      for (StepStats& step : scenario) step = {};
  for (const char* text : {"success > 1%", "failed == 0", "denied == 100%", "reason(reset) == 0", "p50 < 1s",
                           "status(500) == 0", "rate > 0", "count(failed) == 0"}) {
    EXPECT_EQ(check(text).state, State::kUnknown) << text;
    EXPECT_THAT(why(text), HasSubstr("no request")) << text;
  }
  expect(State::kHeld, "requests == 0", "0");
}

TEST_F(EvaluateTest, KnowsNoDeniedShareWhereNoneIsExpected) {
  EXPECT_EQ(why("denied == 100%", "photos"), "no request in scenario 'photos' expects a denial");
}

TEST_F(EvaluateTest, TellsWhatTheTargetSays) {
  expect(State::kHeld, "hit_ratio == 75%", "75 %");  // a bypass is no miss
  expect(State::kHeld, "hit_ratio{route=\"/\"} > 40%", "75 %", "", "calm");
  expect(State::kHeld, "cpu == 25%", "25 %");
  expect(State::kHeld, "rss < 21MB", "20.1 MB");
  expect(State::kHeld, "delta(sekisho_cache_requests_total{result=\"hit\"}) == 5400", "5400");
  expect(State::kHeld, "delta(process_cpu_seconds) / requests < 3ms", "2.5 ms");
  EXPECT_THAT(why("rss_slope < 1MB/h"), HasSubstr("10 min are needed"));
  campaign.validity.slope = testing::seconds(90);
  expect(State::kHeld, "rss_slope < 4MB/h", "3.6 MB/h");
  EXPECT_THAT(why("fds < 100"), HasSubstr("no sample of process_open_fds was had"));
  campaign.define = {{"misses", "delta(sekisho_cache_requests_total{result=\"miss\"})"}};
  expect(State::kHeld, "100% * misses / requests == 20%", "20 %");
  EXPECT_EQ(why("requests / count(failed) > 1"), "count(failed) was 0, and nothing is a share of it");
}

TEST_F(EvaluateTest, TellsRecovery) {
  expect(State::kHeld, "recovery < 5s", "1.2 s");
  expect(State::kHeld, "recovery(outage) < 5s", "1.2 s");
  expect(State::kBroken, "recovery < 1s", "1.2 s");
  EXPECT_THAT(why("recovery(other) < 5s"), HasSubstr("fault 'other' did not end"));
  result.aftermaths.push_back({"second", result.aftermaths[0].good_bad});
  for (int i = 0; i < 30; ++i) result.aftermaths[1].good_bad[static_cast<std::size_t>(i)] = {0, 1};
  expect(State::kHeld, "recovery < 5s", "3 s");  // the worst
  expect(State::kHeld, "recovery < 5s", "1.2 s", "", "", "after outage");
  expect(State::kHeld, "recovery < 5s", "3 s", "", "", "late");
}

TEST_F(EvaluateTest, TakesASecondOfRestForNoRecovery) {
  auto& buckets = result.aftermaths[0].good_bad;
  for (std::size_t i = 0; i < 100; ++i) buckets[i] = i % 20 < 10 ? std::pair(10u, 0u) : std::pair(0u, 10u);
  expect(State::kHeld, "recovery > 9s", "10 s");  // a second up, a second down, for ten
  campaign.validity.recovered = testing::seconds(1);
  expect(State::kHeld, "recovery < 1s", "0 s");
}

TEST_F(EvaluateTest, AsksTheLatencyGuardrailsOfARecovery) {
  testing::ask(campaign.guardrails, "p90 < 50ms");
  testing::ask(campaign.guardrails, "p90 < 50ms", "", "",
               "before outage");                                   // says nothing of what comes after
  testing::ask(campaign.guardrails, "p90 < 2 * p90(phase=calm)");  // nor does what is no constant
  Aftermath::Goal goal{"p90 < 50ms", {}};
  for (int i = 0; i < 600; ++i) goal.within_beyond.emplace_back(i < 50 ? 8 : 10, i < 50 ? 2 : 0);
  result.aftermaths[0].goals = {goal};
  expect(State::kBroken, "recovery < 4s", "4.5 s");  // a tenth of the first second may be late
  EXPECT_THAT(why("recovery < 4s"), HasSubstr("p90 < 50ms"));
  for (SegmentStats& s : result.segments) s.lag.record(base::Nanos(500'000'000), 100);
  expect(State::kUnknown, "recovery < 4s", "4.5 s");  // it may be the harness that was late
  expect(State::kBroken, "recovery < 1s", "4.5 s");   // and requests failed until 1.2 s all the same
  goal.within_beyond.assign(600, {0, 10});
  result.aftermaths[0].goals = {goal};
  for (SegmentStats& s : result.segments) s.lag.reset();
  expect(State::kBroken, "recovery < 4s", "> 57.1 s");
  EXPECT_THAT(why("recovery < 4s"), HasSubstr("did not hold again"));
}

// Users who all wait for a target that hangs ask nothing, and nothing goes wrong meanwhile.
TEST_F(EvaluateTest, TakesSilenceOfUsersForNoRecovery) {
  auto& buckets = result.aftermaths[0].good_bad;
  for (std::size_t i = 0; i < 200; ++i) buckets[i] = {i < 10 ? 1u : 0u, 0u};  // one second, then none for 19
  expect(State::kHeld, "recovery < 1s", "0 s");                               // open: nobody was to ask
  for (Phase& phase : campaign.phases) {
    phase.rate.reset();
    phase.users = {10, 10};
  }
  expect(State::kUnknown, "recovery < 1s", "19.1 s");
  EXPECT_THAT(why("recovery < 1s"), HasSubstr("no user asked"));
  expect(State::kHeld, "recovery < 30s", "19.1 s");
}

TEST_F(EvaluateTest, TellsNoRecoveryOfOneScenario) {
  EXPECT_THAT(why("recovery(outage) < 3s", "photos"), HasSubstr("all scenarios together"));
}

TEST_F(EvaluateTest, TellsTheLongestRecoveryEvenIfAnotherNeverCame) {
  Aftermath never{"second", {}};
  for (int i = 0; i < 100; ++i) never.good_bad.emplace_back(0, 10);
  Aftermath late{"first", {}};
  for (int i = 0; i < 600; ++i) late.good_bad.emplace_back(i < 300 ? 0 : 10, i < 300 ? 10 : 0);
  result.aftermaths = {late, never};
  expect(State::kBroken, "recovery < 20s", "> 30 s");
}

TEST_F(EvaluateTest, CallsARecoveryThatNeverCameBroken) {
  campaign.validity.recovered = testing::seconds(1);
  auto& buckets = result.aftermaths[0].good_bad;
  for (auto& bucket : buckets) bucket = {50, 1};  // 98 %
  expect(State::kBroken, "recovery < 5s", "> 59.1 s");
  expect(State::kHeld, "recovery > 5s", "> 59.1 s");
  buckets.resize(20);
  expect(State::kUnknown, "recovery < 5s", "> 1.1 s");
  expect(State::kBroken, "recovery < 1s", "> 1.1 s");
  expect(State::kUnknown, "recovery == 3s", "> 1.1 s");
  expect(State::kBroken, "recovery == 1s", "> 1.1 s");
  EXPECT_THAT(why("2 * recovery < 9s"), HasSubstr("no recovery"));
  expect(State::kBroken, "2 * recovery < 1s", "> 2.2 s");
  buckets.assign(20, {0, 0});  // nobody asked: no proof of anything
  expect(State::kUnknown, "recovery < 5s", "> 1.1 s");
  buckets.resize(5);
  EXPECT_THAT(why("recovery < 5s"), HasSubstr("less than 1 s"));
}

// One segment with so many requests, of which so many failed.
struct SharesTest : EvaluateTest {
  void ask(std::uint64_t all, std::uint64_t failed) {
    for (SegmentStats& segment : result.segments)
      for (auto& scenario : segment.steps)
        for (StepStats& step : scenario) step = {};
    answer(result.segments.back().steps[0][0], Outcome::kOk, all - failed, 1);
    answer(result.segments.back().steps[0][0], Outcome::kFailed, failed, 1);
  }
};

TEST_F(SharesTest, NeedRequestsThatCouldShowThem) {
  ask(20, 0);
  expect(State::kUnknown, "success >= 99.9%", "100 %");
  EXPECT_EQ(why("success >= 99.9%"), "20 requests cannot show >= 99.9 %: 2,995 are needed");
  EXPECT_EQ(why("failed <= 0.1%"), "20 requests cannot show <= 0.1 %: 2,995 are needed");
  EXPECT_THAT(why("99.9% <= success"), HasSubstr("2,995 are needed"));
  EXPECT_THAT(why("100% - success < 0.1%"), HasSubstr("2,995 are needed"));
  expect(State::kHeld, "success == 100%", "100 %");
  expect(State::kHeld, "success > 80%", "100 %");
  expect(State::kHeld, "failed < 20%", "0 %");
  ask(2'995, 2);
  expect(State::kHeld, "success >= 99.9%",
         "99.93 %");  // as many as are needed, and the share is what was seen
  ask(2'995, 3);
  expect(State::kBroken, "success >= 99.9%", "99.9 %");
}

TEST_F(SharesTest, AreBrokenWhereMoreRequestsWouldNotMendThem) {
  ask(20, 10);
  expect(State::kBroken, "success >= 99.9%", "50 %");
  expect(State::kBroken, "failed <= 0.1%", "50 %");
  ask(20, 1);
  expect(State::kBroken, "success >= 99.9%", "95 %");  // a target that good fails one of 20 once in fifty
  expect(State::kUnknown, "success >= 99%", "95 %");   // that one once in five
  expect(State::kBroken, "success == 100%", "95 %");
}

TEST_F(SharesTest, OfAllOrNoneNeedAFew) {
  ask(9, 0);
  expect(State::kUnknown, "success == 100%", "100 %");
  EXPECT_THAT(why("failed == 0%"), HasSubstr("9 requests cannot show == 0 %: 10 are needed"));
  EXPECT_THAT(why("failed <= 0%"), HasSubstr("10 are needed"));
  campaign.validity.tail_samples = 1;
  expect(State::kHeld, "success == 100%", "100 %");
  ask(9, 1);
  campaign.validity.tail_samples = 10;
  expect(State::kBroken, "success == 100%", "88.89 %");  // one is enough to refute it
}

TEST_F(SharesTest, MayBeAskedWithConfidence) {
  campaign.validity.shares = Shares::kConfident;
  ask(2'995, 0);
  expect(State::kHeld, "success >= 99.9%", "100 %");
  ask(2'995, 2);
  expect(State::kUnknown, "success >= 99.9%", "99.93 %");
  EXPECT_EQ(why("success >= 99.9%"),
            "2,995 requests leave it between 99.79 % and 99.99 % at 95 % confidence");
  ask(2'995, 10);
  expect(State::kBroken, "success >= 99.9%", "99.67 %");
}

// What late sending and reading may have added, as the lag of 9,000 arrivals says it.
TEST_F(EvaluateTest, BlamesNoTargetForWhatTheHarnessMayHaveAdded) {
  for (SegmentStats& s : result.segments) s.lag.record(base::Nanos(30'000'000), s.offered / 20);
  expect(State::kHeld, "p95 < 50ms", "20 ms");
  expect(State::kHeld, "success == 100%", "100 %");
  expect(State::kHeld, "rate >= 99/s", "100/s");
  expect(State::kUnknown, "p95 < 15ms", "20 ms");
  EXPECT_THAT(why("p95 < 15ms"), HasSubstr("the harness may have added"));
  expect(State::kUnknown, "mean < 1ms", "12.2 ms");
  answer(result.segments.back().steps[0][0], Outcome::kOk, 2'000, 500);
  expect(State::kBroken, "p95 < 400ms", "500 ms");  // no lag explains it
  EXPECT_EQ(check("p95 < 450ms").state, State::kUnknown);
}

TEST_F(EvaluateTest, BlamesNoTargetForATimeoutThatTheHarnessMayHaveSlept) {
  for (Scenario& s : campaign.scenarios)
    for (Step& step : s.steps) step.timeout = base::Millis(100);
  answer(result.segments.back().steps[0][0], Outcome::kTimedOut, 500, 100);
  result.segments.back().steps[0][0].reasons[static_cast<std::size_t>(Reason::kReplyTimeout)] = 500;
  expect(State::kBroken, "success == 100%", "94.74 %");
  expect(State::kBroken, "p99 < 1s", "∞");
  for (SegmentStats& s : result.segments) s.lag.record(base::Nanos(30'000'000), s.offered / 20);
  EXPECT_EQ(check("success == 100%").state, State::kUnknown);
  EXPECT_EQ(check("p99 < 1s").state, State::kUnknown);
  EXPECT_EQ(check("ok >= 90%").state, State::kUnknown);
  EXPECT_EQ(check("reason(reply_timeout) == 0").state, State::kUnknown);
  EXPECT_EQ(check("p99 < 20ms").state, State::kBroken);
  for (Scenario& s : campaign.scenarios)
    for (Step& step : s.steps) step.timeout = testing::seconds(1);  // 60 ms are no excuse for a second
  EXPECT_EQ(check("success == 100%").state, State::kBroken);
  EXPECT_EQ(check("p99 < 500ms").state, State::kBroken);
}

// A tenth of a second of which the harness slept, in a run of ninety: its arrivals are none in a hundred.
TEST_F(EvaluateTest, BlamesNoTargetForAMomentThatTheHarnessSlept) {
  for (Scenario& s : campaign.scenarios)
    for (Step& step : s.steps) step.timeout = base::Millis(100);
  StepStats& step = result.segments.back().steps[0][0];
  answer(step, Outcome::kTimedOut, 10, 100);
  step.reasons[static_cast<std::size_t>(Reason::kReplyTimeout)] = 10;
  expect(State::kBroken, "failed == 0%", "0.11 %");
  result.segments.back().lag.record(base::Nanos(100'000'000), 10);
  EXPECT_EQ(check("failed == 0%").state, State::kUnknown);
  EXPECT_EQ(check("max < 30s").state, State::kUnknown);
  answer(step, Outcome::kTimedOut, 300, 100);
  step.reasons[static_cast<std::size_t>(Reason::kReplyTimeout)] = 310;
  EXPECT_EQ(check("failed == 0%").state, State::kBroken);  // the moment does not explain so many
}

TEST_F(EvaluateTest, PutsWhatWasNeverSentBeforeAllOnTheClockOfTheService) {
  StepStats& step = result.segments.back().steps[0][0];
  OutcomeStats& cut = of(step, Outcome::kTimedOut);
  cut.count += 3'000;  // while they waited for a connection
  cut.response.record(base::Nanos(900'000'000), 3'000);
  expect(State::kBroken, "p99 < 800ms", "> 900 ms");
  EXPECT_EQ(check("service.p99 < 800ms").state, State::kUnknown);
  EXPECT_EQ(check("service.p30 < 4ms").state, State::kUnknown);  // a quarter may have been quick
}

TEST_F(EvaluateTest, NeedsSoManyOfWhatTheTargetCountedAsOfRequests) {
  const std::string lost = "100% * delta(sekisho_cache_requests_total{result=\"lost\"} or 0) / ";
  const std::string all = "delta(sekisho_cache_requests_total)";
  expect(State::kHeld, lost + all + " <= 1%", "0 %");
  expect(State::kUnknown, lost + all + " <= 0.01%", "0 %");  // of 9,000
  EXPECT_THAT(why(lost + "(" + all + " + requests) <= 0.01%"), HasSubstr("18,000 requests cannot show"));
}

TEST_F(EvaluateTest, KnowsNoLatencyOfARampWhoseEndTheGeneratorCouldNotServe) {
  for (Phase& phase : campaign.phases) {
    phase.rate.reset();
    phase.users = {1, 1'000};
  }
  for (SegmentStats& s : result.segments) s.lag.reset();
  for (int i = 1; i <= 100; ++i) {
    Interval row;
    row.at = i;
    row.seconds = 1;
    row.busy = i > 90 ? 99 : 20;
    result.intervals.push_back(row);
  }
  EXPECT_EQ(check("p95 < 15ms").state, State::kUnknown);
  EXPECT_EQ(check("p95 < 15ms", "", "steady").state, State::kBroken);
}

TEST_F(EvaluateTest, KnowsUsersWhoWaitedForABusyGenerator) {
  for (Phase& phase : campaign.phases) {
    phase.rate.reset();
    phase.users = {10, 10};
  }
  for (SegmentStats& s : result.segments) {
    s.lag.reset();
    s.busy = {97};
  }
  expect(State::kHeld, "p95 < 50ms", "20 ms");
  EXPECT_EQ(check("p95 < 15ms").state, State::kUnknown);
  EXPECT_EQ(check("rate >= 200/s").state, State::kUnknown);
  EXPECT_EQ(check("rate >= 50/s").state, State::kHeld);
  for (SegmentStats& s : result.segments) s.busy = {6}, s.waited = {20};
  EXPECT_EQ(check("rate >= 200/s").state, State::kBroken);  // 125/s with a CPU for itself
  EXPECT_EQ(check("rate >= 110/s").state, State::kUnknown);
  answer(result.segments.back().steps[0][0], Outcome::kFailed, 2'000, 1);
  EXPECT_EQ(check("p95 < 50ms").state, State::kBroken);  // nobody's CPU makes a failure
}

TEST_F(EvaluateTest, ComparesWithoutTrustInTheLastDigit) {
  expect(State::kHeld, "0.1 * requests + 0.2 * requests <= 0.3 * requests", "2700");
  expect(State::kBroken, "0.1 * requests + 0.2 * requests > 0.3 * requests", "2700");
  expect(State::kHeld, "0.1 * requests + 0.2 * requests == 0.3 * requests", "2700");
  expect(State::kBroken, "requests != 9000", "9000");
}

}  // namespace
}  // namespace prove
