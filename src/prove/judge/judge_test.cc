#include "prove/judge/judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "prove/judge/judge_testing.h"

namespace prove {
namespace {

using ::testing::HasSubstr;
using Kind = CheckResult::Kind;
using State = CheckResult::State;
using testing::answer;

struct JudgeTest : ::testing::Test {
  JudgeTest() { testing::ask(campaign.guardrails, "p95 < 50ms"); }

  // The checks that are not held.
  std::vector<CheckResult> judged(Verdict expected) {
    judge(result, campaign);
    EXPECT_EQ(name_of(result.verdict), name_of(expected));
    std::vector<CheckResult> bad;
    for (const CheckResult& c : result.checks)
      if (c.state != State::kHeld) bad.push_back(c);
    return bad;
  }
  void expect_invalid(const std::string& why) {
    const auto bad = judged(Verdict::kInvalid);
    ASSERT_EQ(bad.size(), 1u);
    EXPECT_EQ(bad[0].kind, Kind::kValidity);
    EXPECT_THAT(bad[0].why, HasSubstr(why));
  }

  Campaign campaign = testing::campaign_of_three();
  Result result = testing::result_of_three(campaign);
};

TEST_F(JudgeTest, PassesWhenAllIsWell) {
  EXPECT_TRUE(judged(Verdict::kPass).empty());
  const auto printed = [&](std::string_view check) {
    for (const CheckResult& c : result.checks)
      if (c.check == check && c.kind == Kind::kValidity) return true;
    return false;
  };
  for (const std::string_view limit :
       {"sent >= 99 % of the arrivals", "lag.p99 <= 10 ms, or no check turns on it", "busy <= 90 %",
        "requests beyond a percentile >= 10, shares that they can show", "stretch >= 10 min", "requests > 0",
        "uninterrupted", "no mishap"})
    EXPECT_TRUE(printed(limit)) << limit;
}

TEST_F(JudgeTest, FailsWhenAGuardrailIsBroken) {
  testing::ask(campaign.guardrails, "p95 < 5ms");
  const auto bad = judged(Verdict::kFail);
  ASSERT_EQ(bad.size(), 1u);
  EXPECT_EQ(bad[0].line, 2);
  EXPECT_EQ(bad[0].state, State::kBroken);
}

// Replies that were still under way have mended it since, and the load after it never came.
TEST_F(JudgeTest, FailsByTheGuardrailThatEndedTheRunAndTellsNothingThatTheWholeRunWouldHaveTold) {
  testing::ask(campaign.guardrails, "requests > 1000000");
  testing::ask(campaign.guardrails, "success < 50%");
  testing::ask(campaign.require, "delta(no_such_total) > 0");
  CheckResult by;
  by.state = State::kBroken;
  by.name = by.check = "p95 < 50ms";
  by.line = 1;
  by.why = "it was 60 ms and must be < 50ms";
  result.aborted.push_back(by);
  result.ended_at = 75;
  const auto bad = judged(Verdict::kFail);
  ASSERT_GE(bad.size(), 4u);
  EXPECT_EQ(bad[0].why, "it was 60 ms and must be < 50ms; this ended the run after 75 s");
  EXPECT_EQ(bad[0].state, State::kBroken);
  EXPECT_EQ(bad[1].state, State::kUnknown);
  EXPECT_THAT(bad[1].why, HasSubstr("the run was aborted after 75 s"));
  EXPECT_EQ(bad[2].state, State::kBroken);  // a share is of what has ended
  EXPECT_EQ(bad[3].kind, Kind::kRequire);
  EXPECT_EQ(bad[3].state, State::kUnknown);
  EXPECT_EQ(result.timeline.back().from, result.timeline.back().to);
}

TEST_F(JudgeTest, IsInvalidWhenTheOfferedRateWasNotReached) {
  result.segments[1].sent -= 100;  // of 6,000 in the phase
  expect_invalid("98.33 % of the 6000 arrivals of phase 'steady' were sent before it ended (limit 99 %)");
  EXPECT_EQ(judged(Verdict::kInvalid)[0].scope.phase, "steady");
}

TEST_F(JudgeTest, LooksAtEachPhaseForItself) {
  result.segments.back().sent -= 40;  // of 3,000: 98.7 %, of the whole 99.6 %
  expect_invalid("phase 'calm'");
}

TEST_F(JudgeTest, AsksNoRateOfAClosedPhase) {
  campaign.phases[2].rate.reset();
  campaign.phases[2].users = {10, 10};
  for (std::size_t i = 4; i < result.segments.size(); ++i) {
    result.segments[i].offered = result.segments[i].sent = 0;
    result.segments[i].lag.reset();
  }
  EXPECT_TRUE(judged(Verdict::kPass).empty());
}

TEST_F(JudgeTest, IsInvalidWhenACheckTurnsOnALateGenerator) {
  result.segments[1].lag.record(base::Nanos(11'000'000), 100);
  EXPECT_TRUE(judged(Verdict::kPass).empty());  // a bound that holds, holds all the more
  campaign.guardrails.clear();
  testing::ask(campaign.guardrails, "p95 < 15ms");
  const auto bad = judged(Verdict::kInvalid);
  ASSERT_EQ(bad.size(), 2u);
  EXPECT_EQ(bad[0].state, State::kUnknown);
  EXPECT_THAT(bad[1].why, HasSubstr("11 ms late or later, the worst 11 ms (limit 10 ms)"));
  EXPECT_THAT(bad[1].why, HasSubstr("did not keep to its schedule"));
  for (SegmentStats& s : result.segments) s.waited = {1, 43};
  EXPECT_THAT(judged(Verdict::kInvalid)[1].why,
              HasSubstr("the machine was busy with other things: its thread waited "
                        "for a CPU for 43 % of the time and used 30 %"));
}

TEST_F(JudgeTest, IsInvalidWhenUsersWhoHadRestedWentOnLate) {
  campaign.phases[2].rate.reset();
  campaign.phases[2].users = {10, 10};
  for (std::size_t i = 4; i < result.segments.size(); ++i)
    result.segments[i].offered = result.segments[i].sent = 0;
  EXPECT_TRUE(judged(Verdict::kPass).empty());
  result.segments[4].lag.record(base::Nanos(11'000'000), 100'000);
  expect_invalid("of their time late to go on (limit 1 %), and asked less of the target");
}

TEST_F(JudgeTest, IsInvalidWhenNobodyMeasuredTheLagOrTheGenerator) {
  for (SegmentStats& s : result.segments) s.lag.reset();
  const auto bad = judged(Verdict::kInvalid);
  ASSERT_EQ(bad.size(), 2u);
  EXPECT_THAT(bad[0].why, HasSubstr("no send lag was recorded"));
  result = testing::result_of_three(campaign);
  for (SegmentStats& s : result.segments) s.busy.clear();
  EXPECT_THAT(judged(Verdict::kInvalid).at(0).why, HasSubstr("nobody knows how busy"));
}

TEST_F(JudgeTest, IsInvalidWhenUsersWaitedForABusyGenerator) {
  campaign.phases[1].rate.reset();
  campaign.phases[1].users = {10, 10};
  for (std::size_t i = 1; i < 4; ++i) result.segments[i].busy[1] = 97;
  expect_invalid(
      "generator 2 was 97 % busy in phase 'steady' (limit 90 %): the generator, not the target, was the "
      "limit");
  answer(result.segments[1].steps[0][0], Outcome::kFailed, 5'000, 1);
  judged(Verdict::kFail);  // what failed did so whoever was the limit
}

TEST_F(JudgeTest, TakesABusyGeneratorThatSentAllInTime) {
  for (std::size_t i = 1; i < 4; ++i) result.segments[i].busy[1] = 97;
  EXPECT_TRUE(judged(Verdict::kPass).empty());
  result.segments[1].sent -= 100;
  EXPECT_EQ(judged(Verdict::kInvalid).size(), 2u);
}

TEST_F(JudgeTest, TakesLimitsFromTheCampaign) {
  for (std::size_t i = 1; i < 4; ++i) result.segments[i].busy[1] = 97;
  result.segments[1].sent -= 100;
  result.segments[1].lag.record(base::Nanos(11'000'000), 100);
  campaign.validity = {.rate = 98, .send_lag = base::Millis(12), .busy = 98};
  EXPECT_TRUE(judged(Verdict::kPass).empty());
}

TEST_F(JudgeTest, LeavesTheWarmUpOut) {
  SegmentStats& warm_up = result.segments[0];
  warm_up.sent = 0;
  warm_up.busy = {100, 100};
  warm_up.lag.record(base::Nanos(1'000'000'000), 1'000);
  answer(warm_up.steps[0][0], Outcome::kFailed, 5'000, 9'000);
  testing::ask(campaign.guardrails, "success == 100%");
  EXPECT_TRUE(judged(Verdict::kPass).empty());
}

TEST_F(JudgeTest, IsInvalidWhenAGuardrailCannotBeTold) {
  testing::ask(campaign.guardrails, "p99.99 < 1s");
  testing::ask(campaign.guardrails, "rss_slope < 1MB/h");
  testing::ask(campaign.guardrails, "delta(nobody_total) == 0");
  const auto bad = judged(Verdict::kInvalid);
  ASSERT_EQ(bad.size(), 6u);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(bad[i].state, State::kUnknown);
  EXPECT_EQ(bad[3].why, "1 check asks for a percentile or a share of too few requests");
  EXPECT_EQ(bad[4].why, "1 check asks for a slope over too short a time");
  EXPECT_EQ(bad[5].why, "1 check asks for a series of the target that is missing");
}

TEST_F(JudgeTest, IsInvalidWhenARequirementIsBrokenOrUnknown) {
  testing::ask(campaign.require, "hit_ratio > 80%");
  auto bad = judged(Verdict::kInvalid);
  ASSERT_EQ(bad.size(), 1u);
  EXPECT_EQ(bad[0].kind, Kind::kRequire);
  EXPECT_EQ(bad[0].why, "it was 75 % and must be > 80%");
  campaign.require.clear();
  testing::ask(campaign.require, "denied == 100%", "photos");
  bad = judged(Verdict::kInvalid);
  ASSERT_EQ(bad.size(), 1u);
  EXPECT_EQ(bad[0].state, State::kUnknown);
}

TEST_F(JudgeTest, FailsWhatIsBrokenThoughTheTargetTookLessThanItWasOffered) {
  testing::ask(campaign.guardrails, "p95 < 5ms");
  testing::ask(campaign.guardrails, "p99.99 < 1s");  // too few requests
  result.segments[1].sent = 0;
  const auto bad = judged(Verdict::kFail);
  ASSERT_EQ(bad.size(), 4u);
  EXPECT_EQ(bad[0].kind, Kind::kGuardrail);
  EXPECT_THAT(bad[2].why, HasSubstr("`connections`"));
}

TEST_F(JudgeTest, FailsWhatNoLagExplains) {
  testing::ask(campaign.guardrails, "max < 5ms");
  for (SegmentStats& s : result.segments) s.lag.record(base::Nanos(12'000'000), s.offered / 20);
  EXPECT_EQ(judged(Verdict::kInvalid).size(), 3u);  // 20 ms, of which it may be 24
  answer(result.segments[1].steps[0][0], Outcome::kOk, 1, 40);
  ASSERT_EQ(judged(Verdict::kFail).size(), 1u);
}

TEST_F(JudgeTest, IsInvalidWhenInterrupted) {
  result.interrupted = true;
  result.ended_at = 30.5;
  for (std::size_t i = 4; i < result.segments.size(); ++i) result.segments[i].sent = 0;  // phase calm
  expect_invalid("interrupted after 30.5 s of 100 s");
}

TEST_F(JudgeTest, IsInvalidWhenInterruptedBeforeTheLoad) {
  result.interrupted = true;
  result.ended_at = 0;
  result.segments.clear();
  result.aftermaths.clear();
  result.series.clear();
  EXPECT_EQ(judged(Verdict::kInvalid).back().check, "uninterrupted");
}

TEST_F(JudgeTest, IsInvalidAfterAMishap) {
  result.happenings = {{12, "fault set: outage", false}, {31, "process 'gateway' ended: signal 11", true}};
  expect_invalid("process 'gateway' ended: signal 11, 31 s after the start");
}

TEST_F(JudgeTest, FailsWhenAProcessDied) {
  campaign.processes.resize(1);
  EXPECT_TRUE(judged(Verdict::kPass).empty());
  result.deaths = {"gateway"};
  const auto bad = judged(Verdict::kFail);
  ASSERT_EQ(bad.size(), 1u);
  EXPECT_EQ(bad[0].why, "ended though nobody asked for it, or not in order: gateway");
}

TEST_F(JudgeTest, IsInvalidWithoutRequestsOrGuardrails) {
  campaign.guardrails.clear();
  expect_invalid("no guardrail");
  testing::ask(campaign.guardrails, "wrong == 0");
  for (SegmentStats& s : result.segments)
    for (auto& scenario : s.steps)
      for (StepStats& step : scenario) {
        step = {};
        testing::of(step, Outcome::kSkipped).count = 10;
      }
  expect_invalid("no request was sent");
}

}  // namespace
}  // namespace prove
