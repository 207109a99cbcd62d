#include "prove/record/result_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <tuple>

#include "prove/record/result_testing.h"

namespace prove {
namespace {

using ::testing::HasSubstr;

std::string error_of(const std::string& text) {
  try {
    (void)result_from_json(text);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "none";
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, text.npos) << what;
  return at == text.npos ? text : text.replace(at, what.size(), with);
}

void expect_same(const Hdr& a, const Hdr& b) {
  EXPECT_EQ(a.count(), b.count());
  EXPECT_EQ(a.min(), b.min());
  EXPECT_EQ(a.max(), b.max());
  EXPECT_EQ(a.sum(), b.sum());
  for (std::size_t i = 0; i < Hdr::kCells; ++i) ASSERT_EQ(a.cell(i), b.cell(i)) << i;
}

TEST(ResultJson, BringsAResultBackWhole) {
  Result before = testing::example_result(60, 10);
  before.series[0].points[3].value = 0.1 + 0.2;
  before.environment.memory = ~std::uint64_t{0};
  before.environment.seed = 18'446'744'073'709'551'557ULL;
  before.segments[3].steps[0][0].statuses[599] = 7;
  before.interrupted = true;
  const std::string text = to_json(before);
  const Result after = result_from_json(text);
  EXPECT_EQ(to_json(after), text);

  EXPECT_EQ(after.name, before.name);
  EXPECT_EQ(after.verdict, before.verdict);
  EXPECT_EQ(after.environment.memory, before.environment.memory);
  EXPECT_EQ(after.environment.seed, before.environment.seed);
  EXPECT_EQ(after.series[0].points[3].value, 0.1 + 0.2);
  EXPECT_EQ(after.series[0].labels, before.series[0].labels);
  EXPECT_EQ(after.timeline[2].to, before.timeline[2].to);
  EXPECT_EQ(after.checks[1].why, before.checks[1].why);
  EXPECT_EQ(after.checks[1].state, before.checks[1].state);
  EXPECT_EQ(after.checks[5].kind, before.checks[5].kind);
  EXPECT_EQ(after.aftermaths[0].good_bad, before.aftermaths[0].good_bad);
  ASSERT_EQ(after.aftermaths[0].goals.size(), 1u);
  EXPECT_EQ(after.aftermaths[0].goals[0].check, "p95 < 50ms");
  EXPECT_EQ(after.aftermaths[0].goals[0].within_beyond, before.aftermaths[0].goals[0].within_beyond);
  EXPECT_EQ(after.segments[1].waited, before.segments[1].waited);
  EXPECT_EQ(after.intervals[7].p99, before.intervals[7].p99);
  EXPECT_EQ(after.intervals[7].outcomes, before.intervals[7].outcomes);
  const StepStats &a = after.segments[3].steps[0][0], &b = before.segments[3].steps[0][0];
  EXPECT_EQ(a.statuses, b.statuses);
  EXPECT_EQ(a.reasons, b.reasons);
  for (std::size_t i = 0; i < kOutcomes; ++i) {
    expect_same(a.outcomes[i].response, b.outcomes[i].response);
    expect_same(a.outcomes[i].service, b.outcomes[i].service);
  }
  expect_same(after.segments[3].lag, before.segments[3].lag);
}

TEST(ResultJson, BringsASampleBack) {
  Result before;
  before.samples.push_back({.scenario = "s",
                            .step = "GET /a",
                            .outcome = Outcome::kTimedOut,
                            .reason = Reason::kReplyTimeout,
                            .at = 1.25,
                            .took = Millis(300),
                            .expected = "status 200–299",
                            .why = "no whole reply within 300 ms",
                            .request = "GET /a HTTP/1.1\n\n\t\"",
                            .reply = "HTTP/1.1 200 OK\n",
                            .cut = true,
                            .captured = {{"id", "7"}, {"token", "…"}}});
  const std::string text = to_json(before);
  const Result after = result_from_json(text);
  EXPECT_EQ(to_json(after), text);
  ASSERT_EQ(after.samples.size(), 1u);
  const Sample &a = after.samples[0], &b = before.samples[0];
  EXPECT_EQ(std::tie(a.scenario, a.step, a.outcome, a.reason, a.at, a.took),
            std::tie(b.scenario, b.step, b.outcome, b.reason, b.at, b.took));
  EXPECT_EQ(std::tie(a.expected, a.why, a.request, a.reply, a.cut, a.captured),
            std::tie(b.expected, b.why, b.request, b.reply, b.cut, b.captured));
}

TEST(ResultJson, KeepsAnEmptyResult) {
  const Result after = result_from_json(to_json(Result{}));
  EXPECT_EQ(name_of(after.verdict), "INVALID");
  EXPECT_TRUE(after.intervals.empty());
}

TEST(ResultJson, WritesWhatIsNoNumberAsNull) {
  Result r;
  r.ended_at = std::nan("");
  EXPECT_THAT(to_json(r), HasSubstr("\"ended_at\":null"));
  EXPECT_TRUE(std::isnan(result_from_json(to_json(r)).ended_at));
}

TEST(ResultJson, CanBeReadBackWhateverATargetSays) {
  Result r;
  r.series.push_back({"gateway", "up", {{"version", "\xff\xfe 1.0"}}, false, {{0, 1}}});
  r.happenings.push_back({0, "last line: \xc3(", false});
  const Result after = result_from_json(to_json(r));
  EXPECT_EQ(after.series[0].labels.at("version"), "\uFFFD\uFFFD 1.0");
  EXPECT_EQ(after.happenings[0].text, "last line: \uFFFD(");
}

TEST(ResultJson, RefusesOtherVersionsInOneLine) {
  const std::string text = to_json(Result{});
  EXPECT_EQ(error_of(replaced(text, "\"sekisho_prove\":1", "\"sekisho_prove\":2")),
            "is a result of version 2; this program reads version 1");
  EXPECT_EQ(error_of("{\"metrics\":{}}"), "is no result of sekisho prove");
  EXPECT_EQ(error_of("[]"), "is no result of sekisho prove");
  EXPECT_THAT(error_of("{\"sekisho_prove\":1"), HasSubstr("no JSON from byte"));
}

TEST(ResultJson, RefusesWhatIsMissingOrDamaged) {
  const std::string text = to_json(testing::example_result(6, 100));
  EXPECT_EQ(error_of(text), "none");
  EXPECT_EQ(error_of(replaced(text, "\"ended_at\"", "\"ended\"")), "'ended_at' is missing");
  EXPECT_EQ(error_of(replaced(text, "\"warm_up\":true", "\"warm_up\":1")),
            "'warm_up' is neither true nor false");
  EXPECT_EQ(error_of(replaced(text, "\"offered\":", "\"offered\":-")), "'offered' is no such number");
  EXPECT_EQ(error_of(replaced(text, "\"FAIL\"", "\"MAYBE\"")), "'verdict' is no word that is known there");
  EXPECT_EQ(error_of(replaced(text, "\"hdr\":\"HIST", "\"hdr\":\"HIS_")),
            "'lag' is not an HdrHistogram in the V2 compressed encoding");
  EXPECT_THAT(error_of(replaced(text, "\"min\":", "\"min\":9")), HasSubstr("minimum or maximum"));
  EXPECT_EQ(error_of(replaced(text, "\"401\":", "\"4x1\":")), "'statuses' has a key that is no number");
  Result r = testing::example_result(6, 100);
  r.segments.pop_back();
  EXPECT_EQ(error_of(to_json(r)), "'segments' are not those of the timeline");
  r = testing::example_result(6, 100);
  r.scenarios.pop_back();
  EXPECT_EQ(error_of(to_json(r)), "'segments' have more scenarios than there are");
}

TEST(ResultJson, ReadsWhatEarlierVersionsDidNotHave) {
  std::string text = to_json(testing::example_result(6, 100));
  for (const std::string member : {"\"uploads\":{", "\"warnings\":["})
    for (std::size_t at = 0; (at = text.find(member)) != text.npos;) {
      const std::size_t end = text.find(member.back() == '{' ? '}' : ']', at) + 1;
      const bool last = text[end] != ',';  // then the comma is the one before
      text.erase(at - (last ? 1 : 0), end - at + 1);
    }
  for (const std::string reason : {"\"too_long\":0,", "\"bad_value\":0,"})
    for (std::size_t at = 0; (at = text.find(reason)) != text.npos;) text.erase(at, reason.size());
  EXPECT_EQ(error_of(text), "none");
  EXPECT_EQ(to_json(result_from_json(text)), to_json(testing::example_result(6, 100)));
}

TEST(ResultJson, SavesWholeFilesOrNone) {
  const std::filesystem::path folder =
      std::filesystem::path(::testing::TempDir()) / ("result_json." + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const std::string path = folder / "result.json";
  save_result(Result{}, path);
  EXPECT_EQ(load_result(path).ended_at, 0);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
  EXPECT_THROW(save_result(Result{}, folder / "nowhere" / "r.json"), std::runtime_error);
  try {
    (void)load_result(folder / "absent.json");
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(std::string(error.what()), (folder / "absent.json").string() + ": No such file or directory");
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace prove
