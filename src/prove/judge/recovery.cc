#include "prove/judge/recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "base/sabotage.h"
#include "prove/judge/lateness.h"
#include "prove/model/recovery_goals.h"

namespace prove {
namespace {

using Cause = Unknown::Cause;

constexpr base::Millis kBucket{100};  // of an Aftermath
constexpr std::size_t kSecond = 10;   // buckets
constexpr double kGood = 0.99;
constexpr double kForEver = std::numeric_limits<double>::infinity();

struct Sums {
  std::uint64_t good = 0, bad = 0;
};

Sums sum_of(const std::vector<std::pair<std::uint32_t, std::uint32_t>>& buckets, std::size_t from,
            std::size_t count) {
  Sums sums;
  for (std::size_t k = from; k < std::min(buckets.size(), from + count); ++k) {
    sums.good += buckets[k].first;
    sums.bad += buckets[k].second;
  }
  return sums;
}

bool enough(const Sums& sums, double share) {
  const auto all = static_cast<double>(sums.good + sums.bad);
  return static_cast<double>(sums.bad) <= std::floor(all * (1 - share) + 1e-6);
}

using Counts = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

// Second by second, so that a stretch does not begin with the last bad requests of an outage. `idle`: a
// second in which nobody asked will do, but for the first one: it is no proof of anything.
bool good_in(const Counts& good_bad, std::size_t from, std::size_t stretch, bool idle) {
  for (std::size_t at = 0; at < stretch; at += kSecond) {
    const Sums sums = sum_of(good_bad, from + at, std::min(kSecond, stretch - at));
    if (!enough(sums, kGood)) return false;
    if ((at == 0 || !idle) && sums.good == 0) return false;
  }
  return true;
}

// A percentile of a second may be that of a few requests, so it is asked of the whole, and of its beginning.
bool within_in(const Counts& within_beyond, std::size_t from, std::size_t stretch, double share) {
  return enough(sum_of(within_beyond, from, stretch), share) &&
         enough(sum_of(within_beyond, from, std::min(kSecond, stretch)), share);
}

struct Seen {
  double after = 0;  // seconds; where nobody saw it, how long it had not been by then
  bool never = false;
  std::string missing;  // the goal that was the last to be missed
};

// `latencies`: whether the goals count; `idle`: whether a second without requests is a good one.
Seen seen_of(const Aftermath& aftermath, const std::vector<RecoveryGoal>& goals, std::size_t stretch,
             bool latencies, bool idle) {
  const std::size_t end = aftermath.good_bad.size();
  Seen seen;
  std::size_t i = 0;
  for (; i + stretch <= end; ++i) {
    bool well =
        good_in(aftermath.good_bad, i, sabotage::on("prove-recovers-for-a-second") ? kSecond : stretch, idle);
    if (!well) seen.missing.clear();
    for (std::size_t g = 0; well && latencies && g < std::min(goals.size(), aftermath.goals.size()); ++g)
      if (!within_in(aftermath.goals[g].within_beyond, i, stretch, goals[g].share)) {
        well = false;
        seen.missing = goals[g].check;
      }
    if (well) break;
  }
  seen.never = i + stretch > end;
  seen.after = std::chrono::duration<double>(kBucket).count() * static_cast<double>(i);
  return seen;
}

// The fault that the measure or the scope names; "": all of them.
std::string fault_of(const Result& result, const Measure& m, const Scope& scope) {
  if (!m.fault.empty()) return m.fault;
  std::string_view window = scope.window;
  for (const std::string_view word : {"before ", "after "})
    if (window.starts_with(word)) window.remove_prefix(word.size());
  const bool known =
      std::ranges::find(result.aftermaths, window, &Aftermath::fault) != result.aftermaths.end();
  return known ? std::string(window) : "";
}

struct After {
  bool late = false;    // the harness may have made what came after the fault slower than it was
  bool closed = false;  // who waits for a target that hangs asks nothing, and so does who thinks
};

After after(const Result& result, const Campaign& campaign, const Timeline& timeline, const Span& fault) {
  std::vector<std::size_t> segments;
  std::uint64_t users = 0;
  for (const std::size_t i : timeline.within({}))
    if (timeline.segments()[i].from >= fault.to) {
      segments.push_back(i);
      const Phase& phase = campaign.phases[timeline.segments()[i].phase];
      if (phase.users) users = std::max({users, phase.users->first, phase.users->second});
    }
  return {Lateness(total(result, segments), campaign.validity, users).much(), users > 0};
}

}  // namespace

Worked recovery_of(const Result& result, const Campaign& campaign, const Timeline& timeline, const Measure& m,
                   const Scope& scope) {
  if (!scope.scenario.empty())
    return unknown(Cause::kOther, "recovery is told of all scenarios together and has no meaning for one");
  const std::string fault = fault_of(result, m, scope);
  const auto stretch =
      std::max<std::size_t>(1, static_cast<std::size_t>(campaign.validity.recovered / kBucket));
  const std::string shown = show(seconds_of(campaign.validity.recovered), kTime);
  Value worst(0.0);
  bool any = false, never = false, silent = false, full = false;
  std::string missing;
  for (const Aftermath& aftermath : result.aftermaths) {
    if (!fault.empty() && aftermath.fault != fault) continue;
    any = true;
    full = full || aftermath.good_bad.size() >= Aftermath::kBuckets;
    if (aftermath.good_bad.size() < stretch)
      return unknown(Cause::kOther, fmt::format("the run went on for less than {} after fault '{}'", shown,
                                                aftermath.fault));
    const auto span = std::ranges::find_if(
        timeline.spans(), [&](const Span& s) { return s.fault && s.name == aftermath.fault; });
    std::vector<RecoveryGoal> goals;
    if (span != timeline.spans().end()) goals = recovery_goals(campaign, timeline, *span);
    const After then = span == timeline.spans().end() ? After() : after(result, campaign, timeline, *span);
    const Seen with = seen_of(aftermath, goals, stretch, true, !then.closed);
    const Seen least = then.late || then.closed ? seen_of(aftermath, goals, stretch, !then.late, true) : with;
    worst.late = worst.late || (then.late && least.after < with.after);
    silent = silent || (!then.late && least.after < with.after);
    worst.low = std::max(worst.low, least.after);
    if (with.after >= worst.high) missing = with.missing;
    worst.high = std::max(worst.high, with.after);
    never = never || with.never;
  }
  if (!any)
    return unknown(Cause::kOther, fault.empty()
                                      ? "there was no fault to recover from"
                                      : fmt::format("fault '{}' did not end within the run", fault));
  if (worst.late)
    worst.why = "the harness sent late after the fault, which may be why it looks slow";
  else if (silent)
    worst.why = "there were seconds after the fault in which no user asked, for thinking or for waiting";
  else if (!missing.empty())
    worst.why = fmt::format("the last that held again was {}", missing);
  if (!never) return worst;
  worst.why = fmt::format("there was no recovery in the {} that {} after the fault{}",
                          show(worst.high, kTime), full ? "one is watched for" : "the run was watched for",
                          missing.empty() ? "" : fmt::format(" ({} did not hold again)", missing));
  worst.high = kForEver;
  return worst;
}

}  // namespace prove
