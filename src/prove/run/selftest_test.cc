#include "prove/run/selftest.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "prove/engine/testing.h"
#include "prove/run/stall_target.h"

namespace prove {
namespace {

using base::Nanos;

bool all_held(const std::vector<SelftestFigure>& figures) {
  return std::ranges::all_of(figures, &SelftestFigure::held);
}
bool held(const std::vector<SelftestFigure>& figures, std::string_view name) {
  return std::ranges::find(figures, name, &SelftestFigure::name)->held();
}

// What arithmetic says of 1 s without an answer in 10 s at 1,000 a second, 8 of them under way.
struct Truth {
  Truth() {
    response.record(Nanos(60'000), 9'000);
    for (int ms = 0; ms < 1'000; ++ms) response.record(Millis(1'000 - ms));
    service.record(Nanos(40'000), 9'992);
    service.record(Millis(1'000), 8);
  }
  Hdr response, service;
};

TEST(SelftestTest, HoldsForWhatArithmeticSays) {
  const Truth truth;
  EXPECT_TRUE(all_held(judge_stall(truth.response, truth.service)));
}

TEST(SelftestTest, FailsForARecordingThatOmitsWhoWouldHaveWaited) {
  // A generator that sends nothing while it waits for answers: the 992 others are missing or look quick.
  const Truth truth;
  const auto figures = judge_stall(truth.service, truth.service);
  EXPECT_FALSE(all_held(figures));
  EXPECT_FALSE(held(figures, "response p95"));
  EXPECT_FALSE(held(figures, "response p99"));
  EXPECT_TRUE(held(figures, "service max"));
}

TEST(SelftestTest, FailsForARecordingThatCorrectsTooMuch) {
  // Every wait spread backwards once more, as a correction after the fact does to what was right already.
  Truth truth;
  for (int ms = 0; ms < 1'000; ms += 5)
    for (int more = 0; more < ms; more += 5) truth.response.record(Millis(ms - more), 5);
  EXPECT_FALSE(all_held(judge_stall(truth.response, truth.service)));
}

TEST(SelftestTest, FailsForAServiceTimeThatCountsTheWait) {
  const Truth truth;
  EXPECT_FALSE(held(judge_stall(truth.response, truth.response), "service p99"));
}

TEST(SelftestTest, KnowsABusyMachineFromAWrongHarness) {
  Truth truth;
  using enum SelftestVerdict;
  EXPECT_EQ(judge_selftest(judge_stall(truth.response, truth.service), true, 40), kTrue);
  EXPECT_EQ(judge_selftest(judge_stall(truth.response, truth.service), false, 40), kFalse);  // one is missing
  EXPECT_EQ(judge_selftest(judge_stall(truth.service, truth.service), true, 40),
            kFalse);  // they are too short
  truth.response.record(Millis(1'500));
  EXPECT_EQ(judge_selftest(judge_stall(truth.response, truth.service), true, 40), kBusy);
  EXPECT_EQ(judge_selftest(judge_stall(truth.response, truth.service), true, 0.2), kFalse);
}

TEST(SelftestTest, FailsForASendThatIsLate) {
  Hdr lag;
  lag.record(Nanos(30'000), 100);
  EXPECT_TRUE(all_held(judge_lag(lag)));
  lag.record(Nanos(80'000), 200);
  EXPECT_FALSE(all_held(judge_lag(lag)));
}

TEST(SelftestTest, ShowsAStallOfItsTargetInShort) {
  StallTarget target;
  prove::testing::Draft draft(target.port());
  draft.scenario("ask", 8);
  draft.step();
  draft.open(1'000, Millis(500));
  const Timeline timeline = Timeline::of(draft.campaign);
  Engine engine(draft.campaign, timeline, {});
  engine.start();
  target.stall(engine.began() + Millis(100), Millis(200));
  const Engine::Books books = engine.finish();
  const StepStats& step = books.segments.at(0).steps.at(0).at(0);
  const OutcomeStats& ok = step.outcomes[0];
  EXPECT_EQ(ok.count, 500u);
  // Two fifths of all waited, evenly up to 200 ms: half of these, or the last fifth of all, longer than 100
  // ms.
  EXPECT_GE(ok.response.percentile(80), Millis(60));
  EXPECT_LT(ok.service.percentile(80), ok.response.percentile(80) / 2);
}

}  // namespace
}  // namespace prove
