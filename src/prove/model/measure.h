// What a guardrail can ask about, by the names that expression.h lists.
//
// Owner:    the expression that it stands in.  Thread: immutable, any.
// Failures: the readers of names throw Wrong, which parse_expression() turns into a text.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "prove/model/outcome.h"
#include "prove/model/quantity.h"

namespace prove {

struct Selector {  // of a label
  std::string label;
  std::vector<std::string> values;  // any of them
};

struct Measure {
  enum class What : std::uint8_t {
    kLatency,
    kShare,
    kSuccess,
    kCount,
    kRequests,
    kRetries,
    kRedirects,
    kLeftOut,
    kUploaded,
    kUploadedBytes,
    kRate,
    kOffered,
    kBytesPerSecond,
    kReason,
    kStatus,
    kRecovery,
    kSeries
  } what = What::kRequests;
  std::string text;                     // as the file says it
  std::string scenario, phase, window;  // instead of the check's own; "": that
  std::string step, tag;                // either of them goes instead of both

  enum class Clock : std::uint8_t { kResponse, kService, kFirstByte, kLag } clock = Clock::kResponse;
  enum class Statistic : std::uint8_t { kPercentile, kMin, kMean, kMax } statistic = Statistic::kPercentile;
  double percentile = 0;
  std::optional<Outcome> outcome;
  bool unmet =
      false;  // `failed`: all that did not end as expected; `outcome` alone is the one called `wrong`

  Reason reason = Reason::kNone;
  std::uint16_t status_from = 0, status_to = 0;
  std::string fault;  // "": the one that the scope's window names, else all

  enum class Of : std::uint8_t { kDelta, kRate, kFirst, kLast, kMax, kMin, kAvg, kSlope } of = Of::kDelta;
  std::string series;
  std::vector<Selector> selectors;
  std::string target;
  bool or_zero = false;  // where no series has these labels: it may be that none has come to have them
};

Dimension kind_of(const Measure& measure);
// Whether it can be told of one step: not what arrivals, faults and the target as a whole have.
bool has_steps(const Measure& measure);

// Series that come from /proc and not from a scrape.
inline constexpr std::string_view kProcRss = "process_rss_bytes";
inline constexpr std::string_view kProcCpu = "process_cpu_seconds";
inline constexpr std::string_view kProcFds = "process_open_fds";
inline constexpr std::string_view kProcThreads = "process_threads";
inline constexpr std::string_view kCacheRequests = "sekisho_cache_requests_total";
inline constexpr std::string_view kBuildInfo = "sekisho_build_info";
bool is_proc(std::string_view series);

// ---- for the parser

// A recursive descent wants one way out; it never leaves expression.cc.
struct Wrong : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// What checks call an outcome: as everywhere, but that `failed` is said of all that did not end as expected,
// and `wrong` of those alone that were answered wrongly or not at all.
inline constexpr std::string_view kFailedName = "failed", kWrongName = "wrong";
inline constexpr std::array<std::string_view, kOutcomes + 1> kAskedNames = {
    "ok", "denied", "limited", kFailedName, kWrongName, "timed_out", "skipped"};
std::optional<Outcome> outcome_named(std::string_view name);
bool read_latency(std::string_view name, Measure& measure);  // "p99.9", "min", "service.p95"
bool read_bare(std::string_view name, Measure& measure);     // the above, "success", "ok", "requests", …
bool read_short(std::string_view name, Measure& measure);    // "rss" and other names for series
std::optional<Measure::Of> series_function(std::string_view name);  // "delta"
bool read_function(std::string_view name,
                   Measure& measure);  // those that need an argument: "count", "reason", "status"
// What stands between the parentheses beside the scope.
void read_about(std::string_view function, std::optional<std::string_view> argument, Measure& measure);

// Whether the campaign's own names would hide a measure of the load. Those of the target they may.
bool is_measure_of_load(std::string_view name);

}  // namespace prove
