#include "prove/report/report_k6.h"

#include <algorithm>
#include <boost/json.hpp>

#include "prove/record/markup.h"
#include "prove/report/report_summary.h"

namespace prove {
namespace {

namespace json = boost::json;

double ms(Nanos d) {
  return static_cast<double>(d.count()) / 1e6;
}

// Of nothing there is no figure, and 0 ms would be a good one: k6 leaves such values out, too.
json::object trend(const Hdr& hdr) {
  if (hdr.count() == 0) return {};
  return {{"avg", ms(hdr.mean())},           {"min", ms(hdr.min())},
          {"med", ms(hdr.percentile(50))},   {"max", ms(hdr.max())},
          {"p(90)", ms(hdr.percentile(90))}, {"p(95)", ms(hdr.percentile(95))},
          {"p(99)", ms(hdr.percentile(99))}};
}

json::object counter(std::uint64_t count, double seconds) {
  json::object out = {{"count", count}};
  if (seconds > 0) out["rate"] = static_cast<double>(count) / seconds;
  return out;
}

json::object share(std::uint64_t passes, std::uint64_t fails) {
  const std::uint64_t all = passes + fails;
  json::object out = {{"passes", passes}, {"fails", fails}};
  if (all > 0) out["value"] = static_cast<double>(passes) / static_cast<double>(all);
  return out;
}

json::object gauge(const std::vector<Interval>& rows, std::uint64_t Interval::* which) {
  if (rows.empty()) return {};
  std::uint64_t least = ~std::uint64_t{0}, most = 0;
  for (const Interval& row : rows) {
    least = std::min(least, row.*which);
    most = std::max(most, row.*which);
  }
  return {{"value", rows.back().*which}, {"min", least}, {"max", most}};
}

std::uint64_t journeys(const Result& result, const std::vector<std::size_t>& measured) {
  std::uint64_t begun = 0;
  for (const std::size_t i : measured)
    for (const std::vector<StepStats>& steps : result.segments[i].steps)
      if (!steps.empty())
        for (std::size_t o = 0; o < kOutcomes; ++o)
          if (static_cast<Outcome>(o) != Outcome::kSkipped) begun += steps[0].outcomes[o].count;
  return begun;
}

// k6 says of a threshold whether it was crossed, so true is bad.
json::object thresholds(const Result& result) {
  json::object all;
  for (const CheckResult& check : result.checks) {
    if (check.kind != CheckResult::Kind::kGuardrail) continue;
    const std::string scope = scope_text(check.scope);
    all[clean(scope.empty() ? check.check : check.check + " (" + scope + ")")] =
        check.state != CheckResult::State::kHeld;
  }
  return all;
}

}  // namespace

std::string k6_summary(const Result& result) {
  const Summary s = summarize(result);
  std::vector<std::size_t> measured;
  for (std::size_t i = 0; i < result.timeline.size(); ++i)
    if (!result.timeline[i].warm_up) measured.push_back(i);
  const std::uint64_t good = s.measured.stats.met();
  std::uint64_t held = 0, not_held = 0;
  json::object checks;
  for (const CheckResult& check : result.checks) {
    const bool passed = check.state == CheckResult::State::kHeld;
    ++(passed ? held : not_held);
    const std::string scope = scope_text(check.scope);
    const std::string name = clean(scope.empty() ? check.name : check.name + " (" + scope + ")");
    checks[name] = json::object{{"name", name},
                                {"path", "::" + name},
                                {"id", ""},
                                {"passes", passed ? 1 : 0},
                                {"fails", passed ? 0 : 1}};
  }
  json::object duration = trend(s.response);
  duration["thresholds"] = thresholds(result);
  const double seconds = s.seconds;
  json::array warnings;
  for (const std::string& warning : result.warnings) warnings.emplace_back(clean(warning));
  const json::object summary = {
      {"metrics", json::object{{"http_req_duration", duration},
                               {"service_time", trend(s.service)},
                               {"first_byte_time", trend(s.first_byte)},
                               {"http_reqs", counter(s.sent, seconds)},
                               {"http_req_failed", share(s.sent - good, good)},
                               {"http_req_retries", counter(s.measured.stats.retries, seconds)},
                               {"iterations", counter(journeys(result, measured), seconds)},
                               {"dropped_iterations", counter(s.skipped, seconds)},
                               {"data_received", counter(s.bytes, seconds)},
                               {"data_sent", counter(s.measured.stats.uploads.sent, seconds)},
                               {"checks", share(held, not_held)},
                               {"vus", gauge(result.intervals, &Interval::in_flight)},
                               {"vus_max", gauge(result.intervals, &Interval::connections)}}},
      {"root_group",
       json::object{{"name", ""}, {"path", ""}, {"id", ""}, {"groups", json::object{}}, {"checks", checks}}},
      {"sekisho", json::object{{"campaign", clean(result.name)},
                               {"verdict", name_of(result.verdict)},
                               {"warnings", warnings},
                               {"time_scale", result.environment.time_scale},
                               {"version", result.environment.version},
                               {"commit", result.environment.commit}}}};
  return json::serialize(summary) + "\n";
}

std::string benchmark_summary(const Result& result) {
  const Summary s = summarize(result);
  const std::string name = clean(result.name);
  json::array list;
  const auto add = [&](const char* what, const char* unit, double value) {
    list.push_back(json::object{{"name", name + ": " + what}, {"unit", unit}, {"value", value}});
  };
  if (s.response.count() > 0) {
    add("response p50", "ms", ms(s.response.percentile(50)));
    add("response p95", "ms", ms(s.response.percentile(95)));
    add("response p99", "ms", ms(s.response.percentile(99)));
  }
  if (s.success) add("not successful", "%", 100 - *s.success);
  if (s.cpu.size() == 1 && s.sent > 0 && s.cpu[0].seconds > 0)
    add("target CPU a request", "µs", 1e6 * s.cpu[0].seconds / static_cast<double>(s.sent));
  return json::serialize(list) + "\n";
}

}  // namespace prove
