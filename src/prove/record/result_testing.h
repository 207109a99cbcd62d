// A result as a run of ten minutes would leave it, made up: warm-up, a ramp, a steady stretch in which the
// origin is killed, two scenarios, every outcome. For tests of what reads results; the same on every call.
#pragma once

#include <algorithm>
#include <cmath>
#include <random>
#include <string>

#include "prove/record/result.h"

namespace prove::testing {

inline Nanos from_ms(double ms) {
  return Nanos(static_cast<std::int64_t>(ms * 1e6));
}
inline Nanos from_seconds(double seconds) {
  return Nanos(static_cast<std::int64_t>(seconds * 1e9));
}

// `count` latencies around `median` ms with a long tail; the service time lacks `waited` ms.
inline void add_latencies(OutcomeStats& stats, std::uint64_t count, double median, double waited = 0) {
  constexpr int kPoints = 400;
  std::mt19937_64 random(7);
  const auto steps = std::max<std::uint64_t>(1, std::min<std::uint64_t>(count, kPoints));
  for (std::uint64_t i = 0; i < steps; ++i) {
    const std::uint64_t times = (count / steps) + (i < count % steps ? 1 : 0);
    if (times == 0) continue;
    const double p = (static_cast<double>(i) + 0.5) / static_cast<double>(steps);
    const double tail = median * (0.55 + (0.45 * p / 0.5) + (0.25 * std::pow(p / (1 - (0.985 * p)), 1.25)));
    const double jitter = 1 + (0.02 * static_cast<double>(random() % 100) / 100);
    const double wait = p > 0.9 ? waited * (p - 0.9) * 10 : 0;
    stats.service.record(from_ms(tail * jitter), times);
    stats.response.record(from_ms((tail * jitter) + 0.02 + wait), times);
    stats.first_byte.record(from_ms((tail * jitter * 0.92) + 0.02 + wait), times);
  }
  stats.count += count;
  stats.bytes += count * 4'200;
}

inline StepStats step_stats(std::uint64_t ok, std::uint64_t denied, std::uint64_t failed,
                            std::uint64_t timed_out, double median, double waited = 0) {
  StepStats step;
  const auto of = [&](Outcome o) -> OutcomeStats& { return step.outcomes[static_cast<std::size_t>(o)]; };
  add_latencies(of(Outcome::kOk), ok, median, waited);
  add_latencies(of(Outcome::kDenied), denied, median / 3);
  add_latencies(of(Outcome::kFailed), failed, median / 2, waited);
  if (timed_out > 0) add_latencies(of(Outcome::kTimedOut), timed_out, 1'000);
  step.expected_denials = denied;
  const auto reason = [&](Reason r) -> std::uint64_t& { return step.reasons[static_cast<std::size_t>(r)]; };
  reason(Reason::kNone) = ok + denied;
  reason(Reason::kStatus) = failed - (failed / 4);
  reason(Reason::kReset) = failed / 4;
  reason(Reason::kReplyTimeout) = timed_out;
  if (ok > 0) step.statuses[200] = ok;
  if (denied > 0) step.statuses[401] = denied;
  if (failed > 0) step.statuses[504] = failed - (failed / 4);
  return step;
}

inline std::vector<Interval> intervals_of(const Result& result, std::size_t count, double seconds) {
  std::vector<Interval> rows;
  std::mt19937_64 random(11);
  const auto noise = [&] { return 0.97 + (static_cast<double>(random() % 1000) * 0.00006); };
  for (std::size_t i = 0; i < count; ++i) {
    const double at = (static_cast<double>(i) + 1) * seconds, middle = at - (seconds / 2);
    const double rate = middle < 60 ? 40 : middle < 240 ? 40 + ((middle - 60) / 180 * 960) : 1'000;
    const bool fault = std::ranges::any_of(result.spans, [&](const Span& s) {
      return s.fault && from_seconds(middle) >= s.from && from_seconds(middle) < s.to;
    });
    const double slower = (fault ? 14 : 1) * (1 + (rate / 1'500)) * noise();
    Interval row{.at = at, .seconds = seconds};
    const auto n = static_cast<std::uint64_t>(std::lround(rate * seconds));
    row.offered = n;
    const std::uint64_t failed = fault ? n * 18 / 100 : 0;
    const std::uint64_t timed_out = fault ? n / 50 : 0;
    const std::uint64_t denied = n * 3 / 10;
    row.outcomes = {n - denied - failed - timed_out, denied, 0, failed, timed_out, 0};
    row.unmet = failed + timed_out;
    row.bytes = n * 4'200;
    row.p50 = from_ms(0.9 * slower);
    row.p90 = from_ms(1.9 * slower);
    row.p95 = from_ms(2.6 * slower);
    row.p99 = from_ms(6.1 * slower * noise() * noise());
    row.max = from_ms(19 * slower * noise());
    row.service_p99 = from_ms(5.2 * slower);
    row.connections = 64;
    row.in_flight = static_cast<std::uint64_t>(rate * slower / 700) + 1;
    row.waiting = fault ? 38 : 0;
    row.busy = 4 + (rate / 90);
    rows.push_back(row);
  }
  return rows;
}

inline std::vector<Series> series_of(std::size_t count, double seconds) {
  const auto cache = [](std::string result) {
    return Series{"gateway",
                  "sekisho_cache_requests_total",
                  {{"result", std::move(result)}, {"route", "/photos/"}},
                  true,
                  {}};
  };
  std::vector<Series> all = {cache("hit"),
                             cache("miss"),
                             cache("bypass"),
                             {"gateway", "process_rss_bytes", {}, false, {}},
                             {"gateway", "process_cpu_seconds", {}, true, {}},
                             {"gateway", "process_open_fds", {}, false, {}}};
  double hits = 0, misses = 0, cpu = 0.4;
  for (std::size_t i = 0; i <= count; ++i) {
    const double at = static_cast<double>(i) * seconds;
    const double rate = at < 60 ? 40 : at < 240 ? 40 + ((at - 60) / 180 * 960) : 1'000;
    const double ratio = std::min(0.82, 0.2 + (at / 300));
    hits += 0.7 * rate * seconds * ratio;
    misses += 0.7 * rate * seconds * (1 - ratio);
    cpu += rate * seconds * 310e-6;
    const std::array<double, 6> values = {std::floor(hits),
                                          std::floor(misses),
                                          std::floor(at / 3),
                                          2.1e7 + (6e6 * (1 - std::exp(-at / 90))),
                                          cpu,
                                          78};
    for (std::size_t s = 0; s < all.size(); ++s) all[s].points.push_back({at, values[s]});
  }
  return all;
}

inline std::vector<CheckResult> checks_of() {
  using Kind = CheckResult::Kind;
  using State = CheckResult::State;
  return {
      {Kind::kGuardrail, State::kHeld, "p95 < 50ms", "p95 < 50ms", {}, "3.94 ms", "", 61},
      {Kind::kGuardrail,
       State::kBroken,
       "success > 99.5%",
       "success > 99.5%",
       {},
       "98.94 %",
       "7,201 of 676,800 requests failed or timed out.",
       62},
      {Kind::kGuardrail,
       State::kHeld,
       "denied == 100%",
       "denied == 100%",
       {"forged", "", ""},
       "100 %",
       "",
       63},
      {Kind::kGuardrail,
       State::kHeld,
       "back within five seconds",
       "recovery < 5s",
       {"", "", "origin killed"},
       "412 ms",
       "",
       64},
      {Kind::kGuardrail,
       State::kBroken,
       "p99 < 20ms",
       "p99 < 20ms",
       {"", "steady", "origin killed"},
       "96.1 ms",
       "",
       65},
      {Kind::kRequire,
       State::kHeld,
       "the cache answered",
       "delta(sekisho_cache_requests_total{result=\"hit\"}) > 0",
       {},
       "301,224",
       "",
       70},
      {Kind::kValidity,
       State::kHeld,
       "offered rate reached",
       "rate >= 99%",
       {"", "steady", ""},
       "100 %",
       "",
       0},
      {Kind::kValidity, State::kHeld, "send lag", "lag p99 <= 10ms", {}, "112 µs", "", 0},
      {Kind::kValidity, State::kHeld, "generator not saturated", "busy <= 90%", {}, "14.3 %", "", 0},
  };
}

inline Result example_result(std::size_t intervals = 600, double seconds = 1) {
  Result r;
  r.name = "chaos";
  r.text = "Photos through the gateway while their origin is killed and started again.";
  r.file = "campaigns/chaos.yaml";
  r.environment = {.started = "2026-11-21T12:00:00Z",
                   .version = "0.1.0",
                   .commit = "3f9c2ab01d77",
                   .build = "release, clang 19.1.7",
                   .campaign_hash = "8d1f0c2277aa41be",
                   .command = "sekisho prove run campaigns/chaos.yaml --time-scale 0.1",
                   .machine = "b0c4e7719f20",
                   .cpu = "Example CPU @ 2.60GHz",
                   .kernel = "Linux 6.1.0",
                   .cpus = 2,
                   .memory = 25'769'803'776,
                   .time_scale = 0.1,
                   .seed = 1,
                   .generators = 1,
                   .target_version = "sekisho 0.1.0 (3f9c2ab01d77)"};
  r.phases = {{"warm up", 0, 60, true, "40/s"},
              {"ramp", 60, 240, false, "40/s → 1,000/s in 3m"},
              {"steady", 240, 600, false, "1,000/s"}};
  r.scenarios = {{"photos", 70, {"GET /photos/{{key}}", "HEAD /photos/{{key}}"}},
                 {"forged", 30, {"forged token"}}};
  r.spans = {{"origin killed", from_seconds(360), from_seconds(390), true},
             {"after the dust", from_seconds(420), from_seconds(540), false}};
  const std::vector<double> cuts = {0, 60, 240, 360, 390, 420, 540, 600};
  for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
    const std::size_t phase = cuts[i] < 60 ? 0 : cuts[i] < 240 ? 1 : 2;
    r.timeline.push_back({phase, from_seconds(cuts[i]), from_seconds(cuts[i + 1]), phase == 0});
    const double rate = phase == 0 ? 40 : phase == 1 ? 520 : 1'000;
    const auto n = static_cast<std::uint64_t>(rate * (cuts[i + 1] - cuts[i]));
    const bool fault = cuts[i] == 360;
    SegmentStats segment;
    segment.offered = segment.sent = n;
    segment.lag.record(from_ms(0.041), n - (n / 50));
    segment.lag.record(from_ms(0.112), n / 50);
    segment.busy = {4 + (rate / 90)};
    segment.waited = {0.3};
    const std::uint64_t heads = n / 10, forged = n * 3 / 10, gets = n - heads - forged;
    const double median = fault ? 14 : 1.1;
    const std::uint64_t late = fault ? gets * 3 / 100 : 0, wrong = fault ? gets * 22 / 100 : 0;
    segment.steps.resize(2);
    segment.steps[0].push_back(step_stats(gets - late - wrong, 0, wrong, late, median, fault ? 80 : 0));
    segment.steps[0].push_back(step_stats(heads, 0, 0, 0, median * 0.8));
    segment.steps[1].push_back(step_stats(0, forged, 0, 0, 0.9));
    r.segments.push_back(std::move(segment));
  }
  r.intervals = intervals_of(r, intervals, seconds);
  Aftermath aftermath{"origin killed", {}, {{"p95 < 50ms", {{58, 2}, {60, 0}}}}};
  for (int i = 0; i < 40; ++i) aftermath.good_bad.emplace_back(i < 4 ? 60 : 100, i < 4 ? 40 : 0);
  r.aftermaths = {aftermath};
  r.series = series_of(intervals, seconds);
  r.happenings = {{360.0, "fault set: origin killed", false}, {390.1, "fault undone: origin killed", false}};
  r.checks = checks_of();
  r.verdict = Verdict::kFail;
  r.ended_at = 600.02;
  return r;
}

}  // namespace prove::testing
