// Dossiers of made-up results; that the command makes one of real runs stands in tests/test_prove_dossier.py.
#include "prove/report/dossier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "prove/record/result_json.h"
#include "prove/record/result_testing.h"
#include "prove/report/dossier_rules.h"

namespace prove {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::ElementsAre;
using testing::example_result;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;

std::vector<RunFacts> runs_of(Result result) {
  std::vector<RunFacts> runs;
  runs.push_back(facts_of(std::move(result), "out"));
  label_runs(runs);
  return runs;
}

std::vector<std::string> rules_for(Result result) {
  std::vector<std::string> names;
  for (const Recommendation& r : recommend(runs_of(std::move(result)))) names.emplace_back(r.rule);
  return names;
}

// A run of which no rule has anything to say but what `example_result` is made for.
Result good_result() {
  Result r = example_result();
  r.verdict = Verdict::kPass;
  r.environment.time_scale = 1;
  r.checks = {{CheckResult::Kind::kGuardrail,
               CheckResult::State::kHeld,
               "p95 < 50ms",
               "p95 < 50ms",
               {},
               "13.94 ms",
               "",
               61}};
  r.phases[2].to = 700;
  for (std::vector<std::vector<StepStats>>* steps : {&r.segments[3].steps}) {
    (*steps)[0][0] = testing::step_stats(100'000, 0, 0, 0, 1.1);
  }
  for (Interval& row : r.intervals) row.p99 = testing::from_ms(6);
  r.aftermaths.front().good_bad = {{100, 0}};
  return r;
}

// ---- rules: each with the change of a good result that makes it speak

struct Case {
  const char* rule;
  std::function<void(Result&)> change;
  const char* says;  // a part of it
};

StepStats& first_step(Result& r) {
  return r.segments[2].steps[0][0];
}
std::uint64_t& reason(Result& r, Reason which) {
  return first_step(r).reasons[static_cast<std::size_t>(which)];
}
Series& series(Result& r, std::string_view name) {
  return *std::ranges::find(r.series, name, &Series::name);
}

const std::vector<Case>& cases() {
  using State = CheckResult::State;
  static const std::vector<Case> all = {
      {"process-died", [](Result& r) { r.deaths = {"gateway"}; }, "why gateway ended"},
      {"let-through", [](Result& r) { reason(r, Reason::kNotDenied) = 12; }, "12 requests"},
      {"goals-missed", [](Result& r) { r.checks[0].state = State::kBroken; }, "1 of 1 goals is missed: 'p95"},
      {"no-recovery", [](Result& r) { r.aftermaths[0].good_bad = {{3, 0}, {3, 1}}; }, "'origin killed'"},
      {"errors-limit",
       [](Result& r) {
         testing::add_latencies(first_step(r).outcomes[static_cast<std::size_t>(Outcome::kFailed)], 50'000,
                                2);
       },
       "Errors were the limit"},
      {"shut-out", [](Result& r) { reason(r, Reason::kUnexpectedDenial) = 2; }, "denied (401 or 403)"},
      {"tls-failed", [](Result& r) { reason(r, Reason::kTls) = 2; }, "TLS"},
      {"interrupted",
       [](Result& r) {
         r.interrupted = true;
         r.ended_at = 500;
       },
       "after 8 min 20 s"},
      {"busy-machine",
       [](Result& r) {
         r.verdict = Verdict::kInvalid;
         for (SegmentStats& s : r.segments) {
           s.lag.record(testing::from_ms(40), s.sent);
           s.waited = {30};
         }
       },
       "idle machine"},
      {"busy-generator",
       [](Result& r) {
         for (SegmentStats& s : r.segments) s.busy = {96};
       },
       "96 % busy"},
      {"no-room", [](Result& r) { reason(r, Reason::kBacklog) = 40; }, "40 arrivals"},
      {"undecided",
       [](Result& r) {
         r.checks[0].state = State::kUnknown;
         r.checks[0].why = "only 3 requests";
       },
       "only 3 requests"},
      {"few-requests",
       [](Result& r) {
         for (SegmentStats& s : r.segments)
           for (auto& scenario : s.steps)
             for (StepStats& step : scenario) step = testing::step_stats(10, 0, 0, 0, 1);
       },
       "Only 180 requests"},
      {"no-goals", [](Result& r) { r.checks.clear(); }, "no goals"},
      {"sent-again", [](Result& r) { first_step(r).retries = 7; }, "7 requests were sent again"},
      {"memory-grows",
       [](Result& r) {
         for (Point& p : series(r, "process_rss_bytes").points) p.value += 100'000 * p.at;
       },
       "an hour"},
      {"descriptors-grow",
       [](Result& r) {
         for (Point& p : series(r, "process_open_fds").points) p.value += p.at;
       },
       "never closed"},
      {"knee",
       [](Result& r) {
         for (Interval& row : r.intervals)
           if (row.outcomes[0] > 400) row.p99 = testing::from_ms(90);
       },
       "its p99 was 90.0 ms instead of 6.00 ms"},
      {"roomy-goals", [](Result& r) { r.checks[0].measured = "412 µs"; }, "more than 121 times"},
  };
  return all;
}

TEST(DossierRules, EachSpeaksOfTheRunThatIsMeant) {
  const std::vector<std::string> quiet = rules_for(good_result());
  for (const Case& c : cases()) {
    EXPECT_THAT(quiet, Not(Contains(c.rule))) << "a good run needs no such advice";
    Result changed = good_result();
    c.change(changed);
    bool said = false;
    for (const Recommendation& r : recommend(runs_of(std::move(changed))))
      if (r.rule == c.rule) {
        said = true;
        EXPECT_THAT(r.text, HasSubstr(c.says)) << c.rule;
        EXPECT_EQ(r.run, "chaos");
      }
    EXPECT_TRUE(said) << c.rule;
  }
}

TEST(DossierRules, EveryRuleHasACase) {
  std::vector<std::string> tested;
  for (const Case& c : cases()) tested.emplace_back(c.rule);
  for (const RunRule& rule : run_rules()) EXPECT_THAT(tested, Contains(rule.name));
}

TEST(DossierRules, MissWhatNoRunHas) {
  Result r = good_result();
  EXPECT_THAT(rules_for(good_result()), Not(Contains("no-faults")));
  r.spans.clear();
  for (SegmentStats& s : r.segments)
    for (auto& scenario : s.steps)
      for (StepStats& step : scenario) step.expected_denials = 0;
  r.phases = {{"steady", 0, 600, false, "40/s"}};
  for (Segment& s : r.timeline) s = {0, s.from, s.to, false};
  r.phases[0].to = 300;
  EXPECT_THAT(rules_for(std::move(r)), IsSupersetOf({"no-faults", "no-denials", "no-limit", "all-short"}));
}

TEST(DossierRules, TheGravestComeFirst) {
  Result r = good_result();
  r.environment.time_scale = 0.1;
  r.checks[0].state = CheckResult::State::kBroken;
  r.deaths = {"gateway"};
  EXPECT_THAT(rules_for(std::move(r)), ElementsAre("process-died", "goals-missed", "time-scale", "no-limit"));
}

TEST(DossierRules, HeadroomIsOfLatenciesThatHeld) {
  CheckResult check{
      CheckResult::Kind::kGuardrail, CheckResult::State::kHeld, "p99 < 2s", "p99 < 2s", {}, "1 ms", "", 1};
  EXPECT_DOUBLE_EQ(headroom(check).value_or(0), 2000);
  check.measured = "1 min 5 s";
  EXPECT_NEAR(headroom(check).value_or(0), 2.0 / 65, 1e-9);
  check.measured = "0 s to 12 ms";
  EXPECT_FALSE(headroom(check));
  check.measured = "1 ms";
  for (const char* text : {"p99 > 2s", "success > 99%", "p99 < 2 * p50", "mine < 2s"}) {
    check.check = text;
    EXPECT_FALSE(headroom(check)) << text;
  }
}

// ---- the document

TEST(Dossier, TellsOfEachRunInBothForms) {
  std::vector<RunFacts> runs;
  runs.push_back(facts_of(example_result(), "a"));
  runs.push_back(facts_of(good_result(), "b"));
  label_runs(runs);
  const Document d = dossier_of(runs);
  EXPECT_EQ(d.verdict, "FAIL");
  const std::string page = document_html(d), text = document_markdown(d);
  for (const std::string* form : {&page, &text}) {
    for (const char* part :
         {"chaos (a)", "chaos (b)", "97 ms", "origin killed", "let through", "highest rate"})
      EXPECT_THAT(*form, HasSubstr(std::string_view(part) == "97 ms" ? "96.1 ms" : part)) << part;
    EXPECT_THAT(*form, Not(HasSubstr("nan")));
  }
  EXPECT_THAT(page, HasSubstr("data-chart=\"latency\""));
  EXPECT_THAT(page.substr(0, page.find("<footer>")), Not(HasSubstr("http://")));
}

TEST(Dossier, SaysAtItsTopThatRunsAreNotOfOneMachineOrBuild) {
  Result other = good_result();
  EXPECT_TRUE(dossier_of(runs_of(good_result())).warnings.empty());
  other.environment.machine = "another";
  other.environment.target_version = "1.0";
  std::vector<RunFacts> runs;
  runs.push_back(facts_of(good_result(), "a"));
  runs.push_back(facts_of(std::move(other), "b"));
  label_runs(runs);
  const Document d = dossier_of(runs);
  ASSERT_EQ(d.warnings.size(), 2u);
  EXPECT_THAT(d.warnings[0].text, HasSubstr("2 different machines"));
  EXPECT_THAT(d.warnings[1].text, HasSubstr("2 different versions of the target"));
}

TEST(Dossier, TakesARunOfWhichNothingIsKnown) {
  Result empty;
  empty.name = "empty";
  const Document d = dossier_of(runs_of(std::move(empty)));
  EXPECT_EQ(d.verdict, "INVALID");
  const std::string page = document_html(d);
  for (const std::string& form :
       {page.substr(page.find("<main>"), page.find("<footer>") - page.find("<main>")),
        document_markdown(d)}) {
    for (const char* part : {"nan", " inf", " 0 s", ">0 s", "0/s"}) EXPECT_THAT(form, Not(HasSubstr(part)));
    EXPECT_THAT(form, HasSubstr("Nothing was measured"));
  }
}

TEST(Dossier, NamesStayText) {
  const std::string hostile = "</script><script>alert(1)</script>|<b>";
  Result r = example_result();
  r.name = hostile;
  for (CheckResult& c : r.checks) c.name = c.measured = c.why = hostile;
  for (Span& s : r.spans) s.name = hostile;
  for (Aftermath& a : r.aftermaths) a.fault = hostile;
  r.deaths = {hostile};
  const Document d = dossier_of(runs_of(std::move(r)));
  const std::string page = document_html(d), text = document_markdown(d);
  EXPECT_THAT(page, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(text, Not(HasSubstr("<script>")));
  EXPECT_THAT(text, Not(HasSubstr("|<b>")));
}

TEST(Dossier, FindsRunsAsAbLeavesThem) {
  const fs::path top = fs::path(::testing::TempDir()) / "dossier-runs";
  fs::remove_all(top);
  for (const char* name : {"1-a-1", "1-b-1"}) {
    fs::create_directories(top / name);
    save_result(good_result(), (top / name / "result.json").string());
  }
  const std::vector<RunFacts> runs = read_runs({top.string()});
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_THAT(runs[0].label, HasSubstr("1-a-1"));
  fs::create_directories(top / "nothing");
  EXPECT_THROW(read_runs({(top / "nothing").string()}), std::runtime_error);
  EXPECT_THROW(read_runs({(top / "not-there").string()}), std::runtime_error);
  fs::remove_all(top);
}

}  // namespace
}  // namespace prove
