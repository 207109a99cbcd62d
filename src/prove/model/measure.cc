#include "prove/model/measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace prove {
namespace {

using What = Measure::What;
using Of = Measure::Of;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

template <std::size_t N>
std::size_t index_of(const std::array<std::string_view, N>& names, std::string_view name) {
  return static_cast<std::size_t>(std::ranges::find(names, name) - names.begin());
}

// By Prometheus' convention the name ends in the unit, then in what is counted.
Dimension kind_of_series(std::string_view name) {
  if (name.ends_with("_bucket") || name.ends_with("_count")) return kPlain;
  for (const std::string_view end : {"_total", "_sum"})
    if (name.ends_with(end)) name.remove_suffix(end.size());
  return name.ends_with("_seconds") ? kTime : name.ends_with("_bytes") ? kBytes : kPlain;
}

void read_reason(std::string_view name, Measure& m) {
  const std::size_t i = index_of(kReasonNames, name);
  if (i == 0 || i == kReasonNames.size())
    throw Wrong(fmt::format("there is no reason '{}'; there are {}", name,
                            fmt::join(kReasonNames.begin() + 1, kReasonNames.end(), ", ")));
  m.reason = static_cast<Reason>(i);
}

void read_status(std::string_view name, Measure& m) {
  const bool whole = name.size() == 3 && std::ranges::all_of(name, is_digit);
  const bool family = name.size() == 3 && name.ends_with("xx");
  if ((!whole && !family) || name[0] < '1' || name[0] > '5') throw Wrong("status() wants 503 or 5xx");
  const int hundreds = (name[0] - '0') * 100;
  const int rest = family ? 0 : (name[1] - '0') * 10 + name[2] - '0';
  m.status_from = static_cast<std::uint16_t>(hundreds + rest);
  m.status_to = static_cast<std::uint16_t>(family ? hundreds + 99 : hundreds + rest);
}

}  // namespace

Dimension kind_of(const Measure& m) {
  switch (m.what) {
    case What::kLatency:
    case What::kRecovery:
      return kTime;
    case What::kShare:
    case What::kSuccess:
    case What::kUploaded:
      return kShare;
    case What::kUploadedBytes:
      return kBytes;
    case What::kRate:
    case What::kOffered:
      return kPerSecond;
    case What::kBytesPerSecond:
      return {-1, 1};
    case What::kCount:
    case What::kRequests:
    case What::kRetries:
    case What::kRedirects:
    case What::kLeftOut:
    case What::kReason:
    case What::kStatus:
      return kPlain;
    case What::kSeries:
      break;
  }
  Dimension kind = kind_of_series(m.series);
  if (m.of == Of::kRate || m.of == Of::kSlope) kind = quotient(kind, kTime);
  kind.hourly = m.of == Of::kSlope;
  return kind;
}

bool has_steps(const Measure& m) {
  return m.what != What::kOffered && m.what != What::kRecovery && m.what != What::kSeries &&
         !(m.what == What::kLatency && m.clock == Measure::Clock::kLag);
}

bool is_proc(std::string_view series) {
  return series == kProcRss || series == kProcCpu || series == kProcFds || series == kProcThreads ||
         series == "process_count";
}

std::optional<Outcome> outcome_named(std::string_view name) {
  if (name == kWrongName) return Outcome::kFailed;
  const std::size_t i = index_of(kOutcomeNames, name);
  return i < kOutcomes ? std::optional(static_cast<Outcome>(i)) : std::nullopt;
}

bool read_latency(std::string_view name, Measure& m) {
  const std::size_t dot = name.find('.');
  const std::string_view before = name.substr(0, std::min(dot, name.size()));
  if (dot != name.npos && (before == "service" || before == "first_byte" || before == "lag")) {
    m.clock = before == "service"      ? Measure::Clock::kService
              : before == "first_byte" ? Measure::Clock::kFirstByte
                                       : Measure::Clock::kLag;
    name.remove_prefix(dot + 1);
  }
  m.what = What::kLatency;
  using enum Measure::Statistic;
  if (name == "min" || name == "mean" || name == "max") {
    m.statistic = name == "min" ? kMin : name == "mean" ? kMean : kMax;
    return true;
  }
  if (name.size() < 2 || name[0] != 'p' || !is_digit(name[1])) return false;
  const char* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + 1, end, m.percentile, std::chars_format::fixed);
  if (stop != end || error != std::errc() || name.back() == '.') return false;
  if (m.percentile <= 0) throw Wrong(fmt::format("{} is no percentile; the least value is min", name));
  if (m.percentile >= 100) throw Wrong(fmt::format("{} is no percentile; the largest value is max", name));
  m.statistic = kPercentile;
  return true;
}

bool read_bare(std::string_view name, Measure& m) {
  if (read_latency(name, m)) return true;
  if (const std::optional<Outcome> outcome = outcome_named(name)) {
    m.what = What::kShare;
    m.outcome = outcome;
    m.unmet = name == kFailedName;
    return true;
  }
  using Pair = std::pair<std::string_view, What>;
  constexpr std::array kNames = {Pair{"success", What::kSuccess},
                                 Pair{"requests", What::kRequests},
                                 Pair{"retries", What::kRetries},
                                 Pair{"redirects", What::kRedirects},
                                 Pair{"left_out", What::kLeftOut},
                                 Pair{"rate", What::kRate},
                                 Pair{"offered", What::kOffered},
                                 Pair{"bytes_per_second", What::kBytesPerSecond},
                                 Pair{"recovery", What::kRecovery},
                                 Pair{"uploaded", What::kUploaded},
                                 Pair{"uploaded_bytes", What::kUploadedBytes}};
  const auto it = std::ranges::find(kNames, name, &Pair::first);
  if (it == kNames.end()) return false;
  m.what = it->second;
  return true;
}

bool read_short(std::string_view name, Measure& m) {
  struct Short {
    std::string_view name, series;
    Of of;
  };
  constexpr std::array kNames = {Short{"rss", kProcRss, Of::kMax}, Short{"rss_slope", kProcRss, Of::kSlope},
                                 Short{"cpu", kProcCpu, Of::kRate}, Short{"fds", kProcFds, Of::kMax},
                                 Short{"threads", kProcThreads, Of::kMax}};
  const auto it = std::ranges::find(kNames, name, &Short::name);
  if (it == kNames.end()) return false;
  m.what = What::kSeries;
  m.series = it->series;
  m.of = it->of;
  return true;
}

std::optional<Of> series_function(std::string_view name) {
  constexpr std::array<std::string_view, 8> kNames = {"delta", "rate", "first", "last",
                                                      "max",   "min",  "avg",   "slope"};
  const std::size_t i = index_of(kNames, name);
  return i < kNames.size() ? std::optional(static_cast<Of>(i)) : std::nullopt;
}

bool read_function(std::string_view name, Measure& m) {
  using Pair = std::pair<std::string_view, What>;
  constexpr std::array kNames = {Pair{"count", What::kCount}, Pair{"reason", What::kReason},
                                 Pair{"status", What::kStatus}};
  const auto it = std::ranges::find(kNames, name, &Pair::first);
  if (it == kNames.end()) return false;
  m.what = it->second;
  return true;
}

void read_about(std::string_view function, std::optional<std::string_view> argument, Measure& m) {
  const std::string_view about = argument.value_or("");
  switch (m.what) {
    case What::kLatency:
    case What::kCount:
      if (!argument && m.what == What::kLatency) return;
      m.outcome = outcome_named(about);
      m.unmet = about == kFailedName;
      if (!m.outcome)
        throw Wrong(fmt::format("{}() wants an outcome: {}", function, fmt::join(kAskedNames, ", ")));
      if (m.what == What::kCount) return;
      if (m.clock == Measure::Clock::kLag) throw Wrong("the generator's lag is the same for all outcomes");
      if (m.outcome == Outcome::kSkipped) throw Wrong("requests that were skipped took no time");
      return;
    case What::kReason:
      return read_reason(about, m);
    case What::kStatus:
      return read_status(about, m);
    case What::kRecovery:
      m.fault = about;
      if (m.fault.empty()) throw Wrong("recovery() wants the name of a fault");
      return;
    default:
      if (argument)
        throw Wrong(fmt::format("{}() takes scenario=, step=, tag=, phase= and window= only", function));
  }
}

bool is_measure_of_load(std::string_view name) {
  Measure ignored;
  return read_bare(name, ignored) || read_function(name, ignored) || series_function(name);
}

}  // namespace prove
