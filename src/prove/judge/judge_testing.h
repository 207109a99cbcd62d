// A campaign of three phases and a result of it in which all went well, for tests to spoil.
#pragma once

#include <string>

#include "prove/model/model.h"
#include "prove/model/timeline.h"
#include "prove/record/result.h"

namespace prove::testing {

inline base::Millis seconds(int s) {
  return base::Millis(s * 1000);
}

inline Phase open_phase(std::string name, int length, double rate, bool warm_up = false) {
  Phase p;
  p.name = std::move(name);
  p.warm_up = warm_up;
  p.duration = seconds(length);
  p.rate = {rate, rate};
  return p;
}

// warm up 10 s, steady 60 s, calm 30 s; fault `outage` from 30 s to 40 s, window `late` from 80 s to 90 s.
inline Campaign campaign_of_three() {
  Campaign c;
  c.phases = {open_phase("warm up", 10, 100, true), open_phase("steady", 60, 100),
              open_phase("calm", 30, 100)};
  c.scenarios.resize(2);
  c.scenarios[0].name = "photos";
  c.scenarios[0].steps.resize(2);
  c.scenarios[1].name = "forged";
  c.scenarios[1].steps.resize(1);
  Fault fault;
  fault.name = "outage";
  fault.at = seconds(30);
  fault.duration = seconds(10);
  c.faults.push_back(std::move(fault));
  c.windows.push_back({"late", 0, seconds(80), seconds(90)});
  return c;
}

inline void ask(std::vector<Check>& checks, std::string text, std::string scenario = {},
                std::string phase = {}, std::string window = {}) {
  Check c;
  c.line = static_cast<int>(checks.size()) + 1;
  c.text = std::move(text);
  c.scenario = std::move(scenario);
  c.phase = std::move(phase);
  c.window = std::move(window);
  checks.push_back(std::move(c));
}

inline OutcomeStats& of(StepStats& stats, Outcome o) {
  return stats.outcomes[static_cast<std::size_t>(o)];
}

// `count` requests of that outcome that all took `ms`; the service time is half of it.
inline void answer(StepStats& stats, Outcome o, std::uint64_t count, double ms) {
  OutcomeStats& s = of(stats, o);
  s.count += count;
  if (o == Outcome::kOk || o == Outcome::kDenied)
    stats.reasons[static_cast<std::size_t>(Reason::kNone)] += count;
  s.bytes += count * 1'000;
  const auto nanos = [](double t) { return base::Nanos(static_cast<std::int64_t>(t * 1e6)); };
  s.response.record(nanos(ms), count);
  s.service.record(nanos(ms / 2), count);
  s.first_byte.record(nanos(ms / 4), count);
}

// Each segment: 60 % photos of 10 ms in step 0, 30 % of 20 ms in step 1, 10 % denied as expected in 2 ms.
inline Result result_of_three(const Campaign& campaign) {
  Result r;
  const Timeline timeline = Timeline::of(campaign);
  for (const Scenario& s : campaign.scenarios) {
    ScenarioInfo info{s.name, s.weight, {}};
    for (std::size_t i = 0; i < s.steps.size(); ++i) info.steps.push_back("step " + std::to_string(i));
    r.scenarios.push_back(std::move(info));
  }
  r.timeline = timeline.segments();
  r.spans = timeline.spans();
  for (const Segment& segment : r.timeline) {
    const auto n = static_cast<std::uint64_t>((segment.to - segment.from) / base::Millis(10));
    SegmentStats s;
    s.offered = s.sent = n;
    s.lag.record(base::Nanos(80'000), n);
    s.busy = {20, 30};
    s.steps.resize(2);
    s.steps[0].resize(2);
    s.steps[1].resize(1);
    answer(s.steps[0][0], Outcome::kOk, n * 6 / 10, 10);
    answer(s.steps[0][1], Outcome::kOk, n * 3 / 10, 20);
    answer(s.steps[1][0], Outcome::kDenied, n / 10, 2);
    s.steps[0][0].statuses[200] = n * 6 / 10;
    s.steps[0][1].statuses[200] = n * 3 / 10;
    s.steps[1][0].statuses[401] = n / 10;
    s.steps[1][0].expected_denials = n / 10;
    r.segments.push_back(std::move(s));
  }
  Aftermath aftermath{"outage", {}};
  for (int i = 0; i < 600; ++i) aftermath.good_bad.emplace_back(i < 12 ? 5 : 10, i < 12 ? 5 : 0);
  r.aftermaths = {std::move(aftermath)};
  Series hits{"gateway", "sekisho_cache_requests_total", {{"route", "/"}, {"result", "hit"}}, true, {}};
  Series misses = hits, bypasses = hits, rss{"gateway", "process_rss_bytes", {}, false, {}}, cpu = rss;
  misses.labels["result"] = "miss";
  bypasses.labels["result"] = "bypass";
  cpu.name = "process_cpu_seconds";
  cpu.counter = true;
  for (int s = 0; s <= 100; ++s) {
    hits.points.push_back({s + 0.001, s * 60.0});
    misses.points.push_back({s + 0.001, s * 20.0});
    bypasses.points.push_back({s + 0.001, s * 20.0});
    rss.points.push_back({s + 0.001, 20e6 + s * 1000.0});
    cpu.points.push_back({s + 0.001, 3 + s * 0.25});
  }
  r.series = {hits, misses, bypasses, rss, cpu};
  r.ended_at = 100;
  return r;
}

}  // namespace prove::testing
