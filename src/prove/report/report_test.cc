// The reports of a run, against a made-up result; that a browser shows the page stands in
// tests/test_prove_report.py.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <sys/resource.h>

#include <boost/json.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "prove/record/result_testing.h"
#include "prove/report/report_data.h"
#include "prove/report/report_files.h"
#include "prove/report/report_html.h"
#include "prove/report/report_html_tables.h"
#include "prove/report/report_junit.h"
#include "prove/report/report_k6.h"
#include "prove/report/report_markdown.h"
#include "prove/report/report_summary.h"
#include "prove/report/report_text.h"

namespace prove {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using ::testing::ElementsAre;
using testing::example_result;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kHostile = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&\x01\xff";

Result hostile_result() {
  Result r = example_result(20, 30);
  r.name = r.text = r.file = kHostile;
  for (PhaseInfo& phase : r.phases) phase.name = phase.load = kHostile;
  for (ScenarioInfo& scenario : r.scenarios) {
    scenario.name = kHostile;
    for (std::string& step : scenario.steps) step = kHostile;
  }
  for (Span& span : r.spans) span.name = kHostile;
  for (CheckResult& check : r.checks) {
    check.name = check.check = check.measured = check.why = kHostile;
    check.scope = {kHostile, kHostile, kHostile};
  }
  for (Happening& happening : r.happenings) happening = {1, kHostile, true};
  for (Series& series : r.series) {
    series.labels[kHostile] = kHostile;
    series.target = kHostile;
  }
  Environment& e = r.environment;
  for (std::string Environment::* field :
       {&Environment::started, &Environment::version, &Environment::commit, &Environment::build,
        &Environment::campaign_hash, &Environment::command, &Environment::machine, &Environment::cpu,
        &Environment::kernel, &Environment::target_version})
    e.*field = kHostile;
  return r;
}

std::size_t count(const std::string& text, std::string_view part) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != text.npos; at += part.size()) ++n;
  return n;
}

json::object island_of(const std::string& page) {
  const std::string_view open = "<script type=\"application/json\" id=\"data\">";
  const std::size_t from = page.find(open) + open.size();
  return json::parse(page.substr(from, page.find("</script>", from) - from)).as_object();
}

// ---- what there is no figure for

// Words that stand for a figure where there is none.
std::vector<std::string> made_up(const std::string& text) {
  static const std::regex kWrong(
      R"(\bnan\b|\binf\b|>0 s<|\| 0 s \||\b0 ns\b|[ >]0/s|in 0 s\b|p99 0 s|<(td|dd)[^>]*> *</)");
  std::vector<std::string> found;
  for (std::sregex_iterator it(text.begin(), text.end(), kWrong), end; it != end; ++it)
    found.push_back(
        text.substr(static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, it->position() - 60)), 90));
  return found;
}

std::string without_scripts(const std::string& page) {
  return std::regex_replace(page.substr(page.find("<body>"), page.find("<script") - page.find("<body>")),
                            std::regex("<pre>[^<]*</pre>"), "");
}

SegmentStats no_requests() {
  SegmentStats segment;
  segment.steps.resize(2);
  segment.steps[0].resize(2);
  segment.steps[1].resize(1);
  return segment;
}

Result cut_in_warm_up() {
  Result r = example_result();
  r.interrupted = true;
  r.verdict = Verdict::kInvalid;
  r.ended_at = 30;
  for (std::size_t i = 1; i < r.segments.size(); ++i) r.segments[i] = no_requests();
  r.intervals.resize(30);
  r.series.clear();
  r.aftermaths.front().good_bad.clear();
  r.happenings.clear();
  for (CheckResult& check : r.checks) {
    check.state = CheckResult::State::kUnknown;
    check.measured.clear();
  }
  return r;
}

TEST(Reports, WhereThereIsNoFigureThereIsADash) {
  Result never;  // refused before its first phase
  never.name = "never";
  Result idle = example_result();
  for (SegmentStats& segment : idle.segments) segment = no_requests();
  idle.intervals.clear();
  idle.series.clear();
  Result unscraped = example_result();
  unscraped.series.clear();
  Result odd = example_result();
  for (Series& series : odd.series)
    for (Point& point : series.points) point.value = NAN;
  Result cut = cut_in_warm_up();
  for (const Result* r : {&never, &idle, &unscraped, &odd, &cut}) {
    EXPECT_THAT(made_up(without_scripts(html_report(*r))), IsEmpty()) << r->name;
    EXPECT_THAT(made_up(markdown_report(*r)), IsEmpty()) << r->name;
    EXPECT_THAT(made_up(text_summary(*r)), IsEmpty()) << r->name;
    EXPECT_THAT(made_up(junit_report(*r)), IsEmpty()) << r->name;
    EXPECT_THAT(made_up(k6_summary(*r)), IsEmpty()) << r->name;
    EXPECT_THAT(made_up(chart_data(*r, summarize(*r))), IsEmpty()) << r->name;
  }
  const json::value summary = json::parse(k6_summary(never));
  EXPECT_FALSE(summary.at("metrics").at("http_req_duration").as_object().contains("avg"))
      << "0 ms would be good";
  EXPECT_FALSE(summary.at("metrics").at("http_req_failed").as_object().contains("value"));
  EXPECT_TRUE(json::parse(benchmark_summary(never)).as_array().empty());
  EXPECT_THAT(text_summary(never), HasSubstr("no requests"));
}

TEST(Reports, AnExpectedLimitIsNotCountedAsNotWell) {
  Result r = example_result(3, 1);
  for (Interval& row : r.intervals) {
    row.outcomes = {0, 0, 12'345, 0, 0, 0};
    row.unmet = 0;
  }
  EXPECT_THAT(intervals_html(r), Not(HasSubstr("12,345</td>")));
  for (Interval& row : r.intervals) row.unmet.reset();  // an older result does not say
  EXPECT_THAT(intervals_html(r), HasSubstr("12,345</td>"));
}

// ---- the summary

TEST(Summary, LeavesWarmUpOutOfEveryFigure) {
  const Summary s = summarize(example_result());
  EXPECT_EQ(s.seconds, 540);
  EXPECT_EQ(s.measured.offered, 453'600u);
  EXPECT_EQ(s.sent, 453'600u);
  EXPECT_DOUBLE_EQ(s.achieved_rate, 840);
  ASSERT_EQ(s.phases.size(), 3u);
  EXPECT_EQ(s.phases[0].total.requests(), 2'400u) << "and tells of it nevertheless";
}

TEST(Summary, CountsSkippedArrivalsAgainstSuccess) {
  StepStats stats;
  EXPECT_FALSE(success_of(stats));
  stats.outcomes[static_cast<std::size_t>(Outcome::kOk)].count = 6;
  stats.outcomes[static_cast<std::size_t>(Outcome::kDenied)].count = 3;
  stats.outcomes[static_cast<std::size_t>(Outcome::kSkipped)].count = 1;
  stats.reasons[static_cast<std::size_t>(Reason::kNone)] = 9;
  EXPECT_DOUBLE_EQ(*success_of(stats), 90);
}

TEST(Summary, RatesOfACutRunAreOverTheTimeItHad) {
  Result r = example_result();
  r.interrupted = true;
  r.ended_at = 330;
  const Summary s = summarize(r);
  EXPECT_EQ(s.seconds, 270);
  EXPECT_EQ(s.phases[2].seconds, 90);
}

TEST(Summary, GivesWhatBrokeTheVerdictFirst) {
  Result r = example_result();
  EXPECT_THAT(summarize(r).reasons,
              ElementsAre(HasSubstr("success > 99.5%: 98.94 %"), HasSubstr("p99 < 20ms (phase steady")));
  r.verdict = Verdict::kInvalid;
  r.checks[6].state = CheckResult::State::kUnknown;
  r.happenings.push_back({12, "the origin ended by itself", true});
  EXPECT_THAT(summarize(r).reasons, ElementsAre(HasSubstr("At 0:12: the origin"), HasSubstr("success"),
                                                HasSubstr("p99"), HasSubstr("offered rate")));
  r.verdict = Verdict::kPass;
  EXPECT_TRUE(summarize(r).reasons.empty());
}

TEST(Summary, TellsJourneysFromRequests) {
  Result r = example_result();
  EXPECT_EQ(offered_text(summarize(r)), "100 % of 840 journeys/s sent in time");
  for (ScenarioInfo& scenario : r.scenarios) scenario.steps.resize(1);
  for (SegmentStats& segment : r.segments)
    for (std::vector<StepStats>& steps : segment.steps) steps.resize(1);
  EXPECT_EQ(offered_text(summarize(r)), "100 % of 840 arrivals/s sent in time");
}

TEST(Summary, SeeksTheLimitOutsideOfFaults) {
  Result r = example_result();
  for (Interval& row : r.intervals)
    if (row.waiting > 0) row.waiting = 5'000;
  EXPECT_THAT(summarize(r).limit, HasSubstr("No limit was reached (outside of the faults)"));
  for (Interval& row : r.intervals) row.waiting = 77;
  for (SegmentStats& segment : r.segments)
    segment.steps[0][0].outcomes[0].response.record(base::Seconds(2), segment.sent / 20);
  EXPECT_THAT(summarize(r).limit, HasSubstr("Connections were the limit (outside of the faults): up to 77"));
}

TEST(Summary, NamesTheLimit) {
  Result r = example_result();
  EXPECT_THAT(summarize(r).limit, HasSubstr("No limit was reached"));
  for (Series& series : r.series)
    if (series.name == "process_cpu_seconds")
      for (Point& point : series.points) point.value *= 6.2;
  EXPECT_THAT(summarize(r).limit, HasSubstr("The CPU was the limit"));
  for (SegmentStats& segment : r.segments)
    segment.steps[1][0].outcomes[static_cast<std::size_t>(Outcome::kTimedOut)].count += 5'000;
  EXPECT_THAT(summarize(r).limit, HasSubstr("Errors were the limit"));
  for (SegmentStats& segment : r.segments) segment.busy = {97.0};
  EXPECT_THAT(summarize(r).limit, HasSubstr("The load generator was the limit"));
}

// ---- HTML

TEST(HtmlReport, ReachesForNothingOutsideItself) {
  const std::string page = html_report(example_result());
  EXPECT_FALSE(
      std::regex_search(page, std::regex("(src|href|action|data)\\s*=\\s*[\"']", std::regex::icase)));
  EXPECT_THAT(page, Not(HasSubstr("@import")));
  EXPECT_THAT(page, Not(HasSubstr("url(")));
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  EXPECT_THAT(page, Not(HasSubstr("unsafe-inline")));
}

TEST(HtmlReport, ItsPolicyNamesItsOwnScriptsAndStyle) {
  const std::string page = html_report(example_result());
  std::size_t found = 0;
  for (const std::string_view element : {"script", "style"})
    for (std::size_t at = 0; (at = page.find("<" + std::string(element) + ">", at)) != page.npos;) {
      const std::size_t from = at + element.size() + 2, to = page.find("</" + std::string(element), from);
      unsigned char digest[32];
      unsigned char encoded[64];
      EVP_Digest(page.data() + from, to - from, digest, nullptr, EVP_sha256(), nullptr);
      EVP_EncodeBlock(encoded, digest, sizeof digest);
      EXPECT_THAT(page, HasSubstr("'sha256-" + std::string(reinterpret_cast<char*>(encoded)) + "'"));
      at = to;
      ++found;
    }
  EXPECT_EQ(found, 3u);
}

TEST(HtmlReport, HostileNamesStayText) {
  const std::string hostile = html_report(hostile_result()), good = html_report(example_result(20, 30));
  EXPECT_EQ(count(hostile, "<script"), count(good, "<script"));
  EXPECT_EQ(count(hostile, "</script"), count(good, "</script"));
  EXPECT_EQ(count(hostile, "<img"), 0u);
  EXPECT_THAT(hostile, HasSubstr("&lt;/script&gt;&lt;script&gt;alert(1)"));
  EXPECT_EQ(island_of(hostile)["phases"].at(0).at("name").as_string(),
            "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&\x01\uFFFD");
}

TEST(HtmlReport, TellsVerdictGoalsAndFiguresWithoutScript) {
  Result r = example_result();
  std::string page = html_report(r);
  page.resize(page.find("<script"));
  for (const char* part :
       {"FAIL", "success &gt; 99.5%", "3 of 5 met", "453,600", "840/s", "origin killed",
        "GET /photos/{{key}}", "sekisho_cache_requests_total{result=&quot;hit&quot;",
        "sekisho prove run campaigns/chaos.yaml", "time scale 0.1", "Permission is hereby granted"})
    EXPECT_THAT(page, HasSubstr(part));
  r.verdict = Verdict::kInvalid;
  EXPECT_THAT(html_report(r), HasSubstr("The run proves nothing"));
}

TEST(HtmlReport, StaysSmallHoweverLongTheRun) {
  EXPECT_LT(html_report(example_result()).size(), 500'000u) << "ten minutes";
  EXPECT_LT(html_report(example_result(86'400, 1)).size(), 600'000u) << "a day";
}

TEST(HtmlReport, OfAnEmptyResultIsAPage) {
  EXPECT_THAT(html_report(Result{}), HasSubstr("Nothing was measured."));
}

// ---- its data

TEST(ReportData, ThinningKeepsSumsAndTheWorstPercentiles) {
  std::vector<Interval> rows = testing::example_result().intervals;
  rows[7].p99 = base::Seconds(9);
  const std::vector<Interval> thin = thinned(rows, 60);
  ASSERT_EQ(thin.size(), 60u);
  EXPECT_EQ(thin[0].at, rows[9].at);
  EXPECT_EQ(thin[0].seconds, 10);
  EXPECT_EQ(thin[0].p99, base::Seconds(9));
  std::uint64_t offered = 0, kept = 0;
  for (const Interval& row : rows) offered += row.offered;
  for (const Interval& row : thin) kept += row.offered;
  EXPECT_EQ(kept, offered);
}

TEST(ReportData, WhatIsLeftOverAtTheEndJoinsTheRowBefore) {
  std::vector<Interval> rows(3);
  rows[0] = {.at = 1, .seconds = 1, .busy = 7};
  rows[1] = {.at = 2, .seconds = 1, .busy = 8};
  rows[2] = {.at = 2.001, .seconds = 0.001, .offered = 3, .busy = 900};
  const std::vector<Interval> thin = thinned(rows, 600);
  ASSERT_EQ(thin.size(), 2u);
  EXPECT_DOUBLE_EQ(thin[1].at, 2.001);
  EXPECT_EQ(thin[1].offered, 3u);
  EXPECT_EQ(thin[1].busy, 8);
}

TEST(ReportData, BypassesAreNoMisses) {
  Result r;
  const auto series = [&](const char* result, double more) {
    r.series.push_back(
        {"t", "sekisho_cache_requests_total", {{"result", result}}, true, {{0, 5}, {1, 5 + more}}});
  };
  series("hit", 60);
  series("stale", 15);
  series("miss", 20);
  series("collapsed", 5);
  series("bypass", 900);
  const std::vector<Point> ratio = hit_ratio(r, "t");
  ASSERT_EQ(ratio.size(), 1u);
  EXPECT_DOUBLE_EQ(ratio[0].value, 75);
}

TEST(ReportData, ARestartedTargetHasNoNegativeCpu) {
  const Series cpu{"t", "process_cpu_seconds", {}, true, {{0, 1}, {1, 1.5}, {2, 0.1}, {3, 0.3}}};
  const std::vector<Point> used = cpus_used(cpu);
  ASSERT_EQ(used.size(), 2u);
  EXPECT_DOUBLE_EQ(used[0].value, 0.5);
  EXPECT_DOUBLE_EQ(used[1].at, 2.5);
}

// ---- Markdown, JUnit, JSON

TEST(MarkdownReport, HasVerdictGoalsFiguresAndEnvironment) {
  const std::string text = markdown_report(example_result());
  for (const char* part :
       {"## ❌ FAIL: chaos", "| ❌ | success \\> 99.5% | 98.94 % | whole run |", "453,600 requests",
        "| ok | 313,020 |", "time scale: 0.1", "sekisho prove run campaigns/chaos.yaml"})
    EXPECT_THAT(text, HasSubstr(part));
}

TEST(MarkdownReport, HostileNamesStayText) {
  Result r = hostile_result();
  r.environment.command = "x ``` y";
  const std::string text = markdown_report(r);
  EXPECT_THAT(text, Not(HasSubstr("<script>")));
  EXPECT_THAT(text, HasSubstr("````\nx ``` y\n````")) << "a fence that the command cannot close";
}

TEST(JunitReport, BrokenGuardrailsAreFailuresAndAllElseErrors) {
  Result r = example_result();
  EXPECT_THAT(junit_report(r), HasSubstr("tests=\"9\" failures=\"2\" errors=\"0\""));
  r.checks[0].state = CheckResult::State::kUnknown;
  r.checks[7].state = CheckResult::State::kBroken;
  r.interrupted = true;
  r.happenings.push_back({3, "boom", true});
  const std::string text = junit_report(r);
  EXPECT_THAT(text, HasSubstr("tests=\"11\" failures=\"2\" errors=\"4\""));
  EXPECT_EQ(count(text, "<failure "), 2u);
  EXPECT_EQ(count(text, "<error "), 4u);
}

TEST(JunitReport, IsNeverGreenWhenTheVerdictIsNot) {
  Result r;
  r.verdict = Verdict::kInvalid;
  EXPECT_THAT(junit_report(r), HasSubstr("errors=\"1\""));
  r.verdict = Verdict::kFail;
  EXPECT_THAT(junit_report(r), HasSubstr("failures=\"1\""));
}

TEST(JunitReport, HoldsOnlyWhatXmlMay) {
  const std::string text = junit_report(hostile_result());
  for (const char c : text) EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t');
  EXPECT_THAT(text, Not(HasSubstr("<script")));
  EXPECT_THAT(text, Not(HasSubstr("\xff")));
}

TEST(K6Summary, HasTheKeysThatItsReadersLookFor) {
  const json::value summary = json::parse(k6_summary(example_result()));
  const json::object& metrics = summary.at("metrics").as_object();
  for (const char* key : {"avg", "min", "med", "max", "p(90)", "p(95)", "thresholds"})
    EXPECT_TRUE(metrics.at("http_req_duration").as_object().contains(key)) << key;
  EXPECT_EQ(metrics.at("http_reqs").at("count").to_number<int>(), 453'600);
  EXPECT_DOUBLE_EQ(metrics.at("http_reqs").at("rate").to_number<double>(), 840);
  EXPECT_EQ(metrics.at("http_req_failed").at("passes").to_number<int>(), 4'500)
      << "k6 counts the failed there";
  EXPECT_NEAR(metrics.at("http_req_failed").at("value").to_number<double>(), 4'500.0 / 453'600, 1e-12);
  for (const char* key : {"iterations", "data_received", "checks", "vus", "vus_max"})
    EXPECT_TRUE(metrics.contains(key)) << key;
  EXPECT_EQ(summary.at("sekisho").at("verdict").as_string(), "FAIL");
}

TEST(K6Summary, ThresholdsAreTrueWhereCrossed) {
  const json::value summary = json::parse(k6_summary(example_result()));
  const json::object& thresholds = summary.at("metrics").at("http_req_duration").at("thresholds").as_object();
  EXPECT_FALSE(thresholds.at("p95 < 50ms").as_bool());
  EXPECT_TRUE(thresholds.at("success > 99.5%").as_bool());
}

TEST(BenchmarkSummary, IsAListOfNamesUnitsAndValues) {
  const json::array list = json::parse(benchmark_summary(example_result())).as_array();
  ASSERT_EQ(list.size(), 5u);
  EXPECT_EQ(list[0].at("name").as_string(), "chaos: response p50");
  EXPECT_EQ(list[0].at("unit").as_string(), "ms");
  EXPECT_GT(list[0].at("value").to_number<double>(), 0);
}

// ---- files

class ReportFiles : public ::testing::Test {
 protected:
  ReportFiles() : folder_(fs::temp_directory_path() / ("reports-" + std::to_string(::getpid()))) {
    fs::remove_all(folder_);
  }
  ~ReportFiles() override { fs::remove_all(folder_); }

  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& entry : fs::directory_iterator(folder_)) all.push_back(entry.path().filename());
    std::ranges::sort(all);
    return all;
  }
  std::string content(const char* name) const {
    std::ifstream in(folder_ / name);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }
  std::string failure(const Result& result) const {
    try {
      write_reports(result, folder_);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "";
  }

  fs::path folder_;
};

// As a full disk: no file may grow beyond `bytes`.
class Full {
 public:
  explicit Full(rlim_t bytes) : signal_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~Full() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, signal_);
  }
  Full(const Full&) = delete;
  Full& operator=(const Full&) = delete;

 private:
  rlimit before_{};
  void (*signal_)(int);
};

TEST_F(ReportFiles, WritesAllOfThem) {
  write_reports(example_result(), folder_ / "deep");
  folder_ /= "deep";
  EXPECT_THAT(names(), ElementsAre("benchmark.json", "junit.xml", "latency.hgrm", "report.html", "report.md",
                                   "result.json", "summary.json"));
  EXPECT_TRUE(content("report.html").ends_with("</html>\n"));
  folder_ = folder_.parent_path();
}

TEST_F(ReportFiles, AFullDiskLeavesNoReportAtAll) {
  fs::create_directories(folder_);
  std::string said;
  {
    const Full disk(64'000);
    said = failure(example_result());
  }
  EXPECT_THAT(said, HasSubstr("report.html: File too large"));
  EXPECT_THAT(said, Not(HasSubstr("\n")));
  EXPECT_THAT(names(), ElementsAre());
}

TEST_F(ReportFiles, AFullDiskLeavesTheEarlierReportsAsTheyWere) {
  write_reports(example_result(), folder_);
  const std::string page = content("report.html"), text = content("report.md");
  Result later = example_result();
  later.name = "later";
  {
    const Full disk(64'000);
    EXPECT_NE(failure(later), "");
  }
  EXPECT_EQ(content("report.html"), page);
  EXPECT_EQ(content("report.md"), text) << "though it would have fitted: no mixture of two runs";
  EXPECT_EQ(names().size(), 7u);
}

TEST_F(ReportFiles, SaysWhichFolderCannotBeMade) {
  std::ofstream(folder_) << "in the way";
  EXPECT_THAT(failure(example_result()), HasSubstr(folder_.string()));
}

}  // namespace
}  // namespace prove
