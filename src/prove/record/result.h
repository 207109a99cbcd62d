// What a run measured and what was made of it: the one value that verdict, reports and baselines work on.
//
// Owner:    prove::run() while it grows, then whoever reads it; result_json.h writes it to result.json and
//           reads it back whole, histograms included, so that every report can be made again from the file.
// Thread:   one.
// Units:    nanoseconds in Nanos and Hdr, seconds since the first phase began in doubles named `at`, bytes.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "prove/model/outcome.h"
#include "prove/model/timeline.h"
#include "prove/record/hdr.h"

namespace prove {

// ---- from the generators

struct OutcomeStats {
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;  // of reply bodies
  Hdr response;             // from the intended start: with the wait for a connection, connect, TLS
  Hdr service;              // from the first byte sent
  Hdr first_byte;           // from the intended start to the reply's first byte

  void add(const OutcomeStats& other);
};

// Bodies of requests. One is whole when the peer's system has taken all of it before the reply was read.
struct Uploads {
  std::uint64_t bodies = 0;  // requests with a body that were not skipped
  std::uint64_t whole = 0;
  std::uint64_t overtaken = 0;  // by the reply: what was left of the body was never asked for
  std::uint64_t bytes = 0;      // of all bodies
  std::uint64_t sent = 0;       // of them, those that were taken

  void add(const Uploads& other);
};

struct StepStats {
  std::array<OutcomeStats, kOutcomes> outcomes;
  std::array<std::uint64_t, static_cast<std::size_t>(Reason::kCount)> reasons{};
  std::map<std::uint16_t, std::uint64_t> statuses;
  std::uint64_t expected_denials = 0;  // requests whose step expects one
  std::uint64_t retries = 0;    // sent again after the peer closed a kept connection; each still counts once
  std::uint64_t redirects = 0;  // followed
  std::uint64_t left_out = 0;   // times that its `if` did not hold: no request, and in no other figure
  Uploads uploads;

  void add(const StepStats& other);
  // No request came to it.
  bool blank() const {
    const auto none = [](const OutcomeStats& o) { return o.count == 0; };
    return retries == 0 && left_out == 0 && reasons == decltype(reasons){} &&
           std::ranges::all_of(outcomes, none);
  }

  // Requests that ended as their steps expect: ok, denied, limited where a limit was expected. What `success`
  // is a share of, wherever it is told.
  std::uint64_t met() const { return reasons[static_cast<std::size_t>(Reason::kNone)]; }
  // Whether the step expects its 429: one step's limited requests are either all expected or none of them is.
  bool expects_limits() const {
    const auto count = [&](Outcome o) { return outcomes[static_cast<std::size_t>(o)].count; };
    return met() > count(Outcome::kOk) + count(Outcome::kDenied);
  }
};

struct SegmentStats {
  std::uint64_t offered = 0;  // arrivals that the schedule has in this segment (open model)
  std::uint64_t sent = 0;     // of them, those whose first byte went out before their phase ended
  Hdr lag;  // how late the generator took up an arrival, whether a connection was free or not
  std::vector<double> busy;    // percent of its time that each generator thread was on a CPU
  std::vector<double> waited;  // percent that it would have been, had the machine had one for it
  std::vector<std::vector<StepStats>> steps;  // [scenario][step]

  void add(const SegmentStats& other);  // another generator's share of the same segment; appends to busy
};

struct Interval {  // one row of the time series
  double at = 0;   // its end
  double seconds = 0;
  std::array<std::uint64_t, kOutcomes> outcomes{};
  std::optional<std::uint64_t> unmet = {};  // ended not as their steps expect; older results do not say
  std::uint64_t offered = 0;
  std::uint64_t bytes = 0;
  Nanos p50{0}, p90{0}, p95{0}, p99{0}, max{0};  // response time of everything that was sent
  Nanos service_p99{0};
  std::uint64_t connections = 0, in_flight = 0, waiting = 0;  // at its end
  double busy = 0;                                            // of the busiest generator, percent
};

struct Aftermath {  // of one fault: requests by intended start, a bucket each 100 ms after its end
  static constexpr std::size_t kBuckets = 3'000;  // five minutes
  struct Goal {  // a latency guardrail that covers the moment after it: recovery_goals.h, in that order
    std::string check;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> within_beyond;  // its limit, beside good_bad
  };
  std::string fault;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> good_bad;  // as far as the run went
  std::vector<Goal> goals = {};
};

// ---- from the target

struct Point {
  double at = 0;
  double value = 0;
};
struct Series {
  std::string target;
  std::string name;  // of the family
  std::map<std::string, std::string> labels;
  bool counter = false;
  std::vector<Point> points;
};
// Figures of /proc are series of the target too: process_rss_bytes, process_cpu_seconds (a counter),
// process_open_fds, process_threads.

// ---- what was made of it

enum class Verdict : std::uint8_t { kPass = 0, kFail = 1, kInvalid = 3 };  // the exit codes
inline std::string_view name_of(Verdict v) {
  return v == Verdict::kPass ? "PASS" : v == Verdict::kFail ? "FAIL" : "INVALID";
}

struct CheckResult {
  enum class Kind : std::uint8_t { kGuardrail, kRequire, kValidity } kind = Kind::kGuardrail;
  enum class State : std::uint8_t { kHeld, kBroken, kUnknown } state = State::kUnknown;  // unknown: INVALID
  std::string name;   // as a person would say it
  std::string check;  // the expression
  Scope scope;
  std::string measured;  // "12.4 ms", "99.98 %"
  std::string why;       // where it is not held: one sentence
  int line = 0;          // of the campaign file; 0: a rule of the harness
  bool yields = false;   // of a rule: a guardrail that is broken all the same goes before it
};

struct Happening {  // on the timeline: a fault set or undone, a process that ended by itself, Ctrl-C
  double at = 0;
  std::string text;
  bool bad = false;  // makes the run INVALID
};

// One request that did not end as its step expects, to be seen: as it was sent and what came back, the head
// and the first bytes of the body, as they were framed; what may be a secret is masked.
struct Sample {
  std::string scenario, step;
  Outcome outcome = Outcome::kFailed;
  Reason reason = Reason::kNone;
  double at = 0;                                // its intended start
  Nanos took{0};                                // from there to its end
  std::string expected;                         // all that the step expects
  std::string why;                              // what of it broke, in a sentence; "" where nothing did
  std::string request;                          // "" where a value cannot stand where the step puts it
  std::string reply;                            // "" where none came
  bool cut = false;                             // there was more of either
  std::map<std::string, std::string> captured;  // of steps that went well
};

struct Environment {
  std::string started;  // ISO 8601, UTC
  std::string version, commit, build;
  std::string campaign_hash;
  std::string command;  // to do it again
  std::string machine;  // fingerprint: hash of the next four
  std::string cpu, kernel;
  std::uint64_t cpus = 0, memory = 0;
  double time_scale = 1;
  std::uint64_t seed = 0, generators = 0;
  std::string target_version;  // labels of the target's …_build_info series, where it has one
};

struct PhaseInfo {
  std::string name;
  double from = 0, to = 0;
  bool warm_up = false;
  std::string load;  // "0 → 50/s in 10m", "64 users"
};
struct ScenarioInfo {
  std::string name;
  double weight = 1;
  std::vector<std::string> steps;
  std::vector<std::vector<std::string>> tags = {};  // of each step
};

struct Result {
  static constexpr int kVersion = 1;
  std::string name, text, file;
  Environment environment;
  std::vector<PhaseInfo> phases;
  std::vector<ScenarioInfo> scenarios;
  std::vector<Span> spans;
  std::vector<Segment> timeline;
  std::vector<SegmentStats> segments;  // beside `timeline`
  std::vector<Interval> intervals;
  std::vector<Aftermath> aftermaths;
  std::vector<Series> series;
  std::vector<Happening> happenings;
  std::vector<Sample> samples;      // of requests that went wrong, the first of each step and reason
  std::vector<std::string> deaths;  // processes that ended though nobody asked them to: FAIL
  std::vector<CheckResult> checks;
  std::vector<std::string> warnings;  // what a reader has to know beside the verdict, a sentence each
  Verdict verdict = Verdict::kInvalid;
  double ended_at = 0;  // of a run that was aborted: when that was
  bool interrupted = false;
  std::vector<CheckResult> aborted;  // none, or the guardrail that ended the run, as it stood then
};

// Whether a check about this scope is about that step, by the indices of both.
bool is_about(const Scope& scope, const ScenarioInfo& scenario, std::size_t step);

// The segments of a scope added up, over all steps of its scenario (or of all scenarios).
struct Total {
  StepStats stats;
  std::uint64_t offered = 0, sent = 0;
  OutcomeStats expected_limits;  // of those that were limited, the ones whose step expects it
  Hdr lag;
  double busy = 0;     // of the busiest generator
  double waited = 0;   // for a CPU: of the one that did longest
  double seconds = 0;  // that the scope lasts
  std::uint64_t requests() const {
    std::uint64_t n = 0;
    for (const OutcomeStats& o : stats.outcomes) n += o.count;
    return n;
  }
};
// Whether it was the machine, and not the generator's own work, that kept the generator from its schedule.
bool machine_was_busy(const Total& total);
// "its thread waited for a CPU for 43 % of the time and used 6 %"
std::string generator_text(const Total& total);

Total total(const Result& result, const std::vector<std::size_t>& segments, const Scope& steps);
Total total(const Result& result, const std::vector<std::size_t>& segments, std::string_view scenario = {},
            std::string_view step = {});

// The latency of every request that was sent, however it ended, for reports. Skipped requests have none.
Hdr latency_of_sent(const StepStats& stats, Hdr OutcomeStats::* which);
// That of the requests that ended as their steps expect, and that of those sent that did not.
Hdr latency_of_met(const Total& total, Hdr OutcomeStats::* which);
Hdr latency_of_failed(const Result& result, const std::vector<std::size_t>& segments, const Scope& steps,
                      Hdr OutcomeStats::* which);

}  // namespace prove
