#include "prove/report/dossier_rules.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>

#include "prove/model/measure.h"
#include "prove/report/figures.h"

namespace prove {
namespace {

using State = CheckResult::State;

constexpr Nanos kLate{10'000'000};     // a send lag at p99 that is told
constexpr double kBusy = 90;           // percent of a thread
constexpr std::uint64_t kFew = 1'000;  // requests, of which ten are beyond p99
constexpr double kRoomy = 10;          // times better than asked
constexpr double kBriefly = 60;        // seconds in which no leak shows
constexpr double kLong = 600;          // seconds in which a small one does
constexpr double kReserve = 0.7;       // of the rate at the knee, to plan with

std::string quoted(const CheckResult& check) {
  const std::string scope = scope_text(check.scope);
  return "'" + check.name + "'" + (scope.empty() ? "" : " (" + scope + ")");
}

// "'p99 < 5ms' (phase peak) and 2 more"
std::string first_of(const std::vector<std::string>& names) {
  if (names.size() < 2) return names.empty() ? "" : names.front();
  return fmt::format("{} and {} more", names.front(), names.size() - 1);
}

std::vector<std::string> goals_in(const RunFacts& run, State state) {
  std::vector<std::string> names;
  for (const CheckResult& check : run.result.checks)
    if (check.kind == CheckResult::Kind::kGuardrail && check.state == state) names.push_back(quoted(check));
  return names;
}

bool late(const RunFacts& run) {
  return run.summary.measured.lag.percentile(99) > kLate;
}

double length_of(const RunFacts& run) {
  return run.summary.seconds;
}

// ---- of one run

std::string process_died(const RunFacts& run) {
  if (run.result.deaths.empty()) return "";
  return fmt::format(
      "Find out first why {} ended though nobody had asked: no other figure counts beside that.",
      fmt::join(run.result.deaths, ", "));
}

std::string goals_missed(const RunFacts& run) {
  const std::vector<std::string> missed = goals_in(run, State::kBroken);
  if (missed.empty()) return "";
  return fmt::format("{} of {} goals {} missed: {}. Mend the target, or set the goal that is meant.",
                     missed.size(), run.goals(), missed.size() == 1 ? "is" : "are", first_of(missed));
}

std::string let_through(const RunFacts& run) {
  const std::uint64_t n = run.reason(Reason::kNotDenied);
  if (n == 0) return "";
  return fmt::format("{} requests that had to be denied were not. Mend that before anything about speed.",
                     count_text(n));
}

std::string shut_out(const RunFacts& run) {
  const std::uint64_t n = run.reason(Reason::kUnexpectedDenial);
  if (n == 0) return "";
  return fmt::format(
      "{} requests were denied (401 or 403) that had to be let in: look at clocks, keys and "
      "rules.",
      count_text(n));
}

std::string no_recovery(const RunFacts& run) {
  std::vector<std::string> names;
  for (const FaultFacts& fault : run.faults)
    if (fault.watched && !fault.ended_well) names.push_back("'" + fault.name + "'");
  if (names.empty()) return "";
  return fmt::format(
      "Requests still went wrong when the run ended after the fault {}: it has not recovered, or "
      "the run was too short to see it.",
      first_of(names));
}

// Outside of faults, in which they are meant to be.
std::string errors_limit(const RunFacts& run) {
  if (!run.summary.limit.starts_with("Errors were the limit")) return "";
  return run.summary.limit + " Read the samples in its own report.";
}

std::string tls_failed(const RunFacts& run) {
  const std::uint64_t n = run.reason(Reason::kTls);
  if (n == 0) return "";
  return fmt::format("{} requests failed in TLS: look at certificates, names and versions.", count_text(n));
}

std::string interrupted(const RunFacts& run) {
  return run.result.interrupted ? fmt::format("Run it to its end: it was interrupted after {}.",
                                              seconds_text(run.result.ended_at))
                                : "";
}

std::string busy_machine(const RunFacts& run) {
  if (run.result.verdict != Verdict::kInvalid || !late(run) || !machine_was_busy(run.summary.measured))
    return "";
  return fmt::format(
      "Run it again on an idle machine: others had its CPUs, so that arrivals were taken up {} "
      "late (p99); {}.",
      duration_text(run.summary.measured.lag.percentile(99)), generator_text(run.summary.measured));
}

std::string busy_generator(const RunFacts& run) {
  const Total& total = run.summary.measured;
  if (machine_was_busy(total) || (!late(run) && total.busy <= kBusy)) return "";
  return fmt::format(
      "Give the load more threads (generators:, now {}) or a lower rate: its busiest was {:.0f} % "
      "busy and {} late (p99), so that latencies look longer than they are.",
      run.result.environment.generators, total.busy, duration_text(total.lag.percentile(99)));
}

std::string no_room(const RunFacts& run) {
  const std::uint64_t n = run.reason(Reason::kBacklog);
  if (n == 0) return "";
  return fmt::format(
      "{} arrivals found no room, since all connections waited for the target: it was asked for "
      "more than it could do, or connections: is too small.",
      count_text(n));
}

std::string undecided(const RunFacts& run) {
  const std::vector<std::string> unknown = goals_in(run, State::kUnknown);
  if (unknown.empty()) return "";
  std::string why;
  for (const CheckResult& check : run.result.checks)
    if (check.kind == CheckResult::Kind::kGuardrail && check.state == State::kUnknown && why.empty())
      why = check.why;
  return fmt::format("{} of {} goals {} undecided: {}{}", unknown.size(), run.goals(),
                     unknown.size() == 1 ? "is" : "are", first_of(unknown), why.empty() ? "." : ": " + why);
}

std::string few_requests(const RunFacts& run) {
  if (run.summary.sent == 0) return "Nothing was measured: make it longer, or let it start.";
  if (run.summary.sent >= kFew) return "";
  return fmt::format("Only {} requests: beyond p99 lie fewer than ten. Make it longer or faster.",
                     count_text(run.summary.sent));
}

std::string no_goals(const RunFacts& run) {
  return run.goals() == 0 ? "It sets no goals, so that it can prove nothing: add guardrails:." : "";
}

std::string sent_again(const RunFacts& run) {
  if (run.summary.measured.stats.retries == 0) return "";
  return retries_text(run.summary.measured.stats) +
         ": a user without that would have seen errors. Bound them by a guardrail, or find who closes.";
}

std::string memory_grows(const RunFacts& run) {
  constexpr double kPart = 0.02, kBytesLeast = 1 << 20;
  for (const Growth& g : run.growths) {
    const double more = g.after - g.before;
    if (g.series != kProcRss || g.seconds * 4 < kBriefly || more < std::max(kPart * g.before, kBytesLeast))
      continue;
    return fmt::format(
        "The memory of {} still grew in the last quarter, by {} to {} ({} an hour): run it longer, "
        "to see whether that ends.",
        g.target, bytes_text(more), bytes_text(g.after), bytes_text(more / g.seconds * 3600));
  }
  return "";
}

std::string descriptors_grow(const RunFacts& run) {
  constexpr double kPart = 0.1, kLeast = 5;
  for (const Growth& g : run.growths) {
    const double more = g.after - g.before;
    if (g.series != kProcFds || g.seconds * 4 < kBriefly || more < std::max(kPart * g.before, kLeast))
      continue;
    return fmt::format(
        "{} still opened descriptors in the last quarter, {} more, {} in all: look for some that are "
        "never closed.",
        g.target, number_text(more), number_text(g.after));
  }
  return "";
}

std::string knee_seen(const RunFacts& run) {
  if (!run.knee) return "";
  return fmt::format("From about {} on its p99 was {} instead of {}: plan with {} at the most.",
                     rate_text(run.knee->rate), duration_text(run.knee->p99),
                     duration_text(run.knee->ground_p99), rate_text(kReserve * run.knee->rate));
}

std::string roomy_goals(const RunFacts& run) {
  std::vector<std::string> names;
  double least = 0;
  for (const CheckResult& check : run.result.checks)
    if (const auto room = headroom(check); room && *room > kRoomy) {
      names.push_back(quoted(check));
      least = least == 0 ? *room : std::min(least, *room);
    }
  if (names.empty()) return "";
  return fmt::format(
      "{} held with more than {:.0f} times to spare: a tighter limit would notice what gets worse.",
      first_of(names), std::floor(least));
}

constexpr std::array kRules = std::to_array<RunRule>({
    {"process-died", Weight::kMend, process_died},
    {"let-through", Weight::kMend, let_through},
    {"goals-missed", Weight::kMend, goals_missed},
    {"no-recovery", Weight::kMend, no_recovery},
    {"errors-limit", Weight::kMend, errors_limit},
    {"shut-out", Weight::kMend, shut_out},
    {"tls-failed", Weight::kMend, tls_failed},
    {"interrupted", Weight::kDoubt, interrupted},
    {"busy-machine", Weight::kDoubt, busy_machine},
    {"busy-generator", Weight::kDoubt, busy_generator},
    {"no-room", Weight::kDoubt, no_room},
    {"undecided", Weight::kDoubt, undecided},
    {"few-requests", Weight::kDoubt, few_requests},
    {"no-goals", Weight::kDoubt, no_goals},
    {"sent-again", Weight::kDoubt, sent_again},
    {"memory-grows", Weight::kDoubt, memory_grows},
    {"descriptors-grow", Weight::kDoubt, descriptors_grow},
    {"knee", Weight::kAdvice, knee_seen},
    {"roomy-goals", Weight::kAdvice, roomy_goals},
});

// ---- of all of them

std::string scaled(std::span<const RunFacts> runs) {
  std::vector<std::string> names;
  for (const RunFacts& run : runs)
    if (run.result.environment.time_scale != 1) names.push_back(run.label);
  if (names.empty()) return "";
  return fmt::format(
      "{} of {} ran with a scaled time ({}): what needs time, such as leaks, expiry and recovery, is not "
      "seen as "
      "it will be. Run it once at its own length.",
      names.size(), runs.size(), fmt::join(names, ", "));
}

std::string no_faults(std::span<const RunFacts> runs) {
  if (std::ranges::any_of(runs, [](const RunFacts& r) { return !r.faults.empty(); })) return "";
  return "No run sets a fault: nothing here tells how the target recovers. Add a campaign with faults:.";
}

std::string no_denials(std::span<const RunFacts> runs) {
  if (std::ranges::any_of(runs,
                          [](const RunFacts& r) { return r.summary.measured.stats.expected_denials > 0; }))
    return "";
  return "No run asks for what must be denied: nothing here tells that strangers and forged credentials are "
         "kept "
         "out. Add steps that expect 401 or 403.";
}

std::string no_limit(std::span<const RunFacts> runs) {
  const auto reached = [](const RunFacts& r) { return r.knee || !r.summary.limit.starts_with("No limit"); };
  if (std::ranges::any_of(runs, reached)) return "";
  return "No run found a limit: how much more the target could do is not known. Add a campaign whose rate "
         "rises "
         "until it breaks.";
}

std::string all_short(std::span<const RunFacts> runs) {
  double longest = 0;
  for (const RunFacts& run : runs) longest = std::max(longest, length_of(run));
  if (longest >= kLong) return "";
  return fmt::format("The longest run measured for {}: slow leaks and drifts take hours. Add one that lasts.",
                     longest > 0 ? seconds_text(longest) : "no time");
}

std::string mixed_builds(std::span<const RunFacts> runs) {
  std::set<std::string> machines, builds;
  for (const RunFacts& run : runs) {
    machines.insert(run.result.environment.machine);
    builds.insert(run.result.environment.commit + run.result.environment.target_version);
  }
  if (machines.size() < 2 && builds.size() < 2) return "";
  return "Run all of them again with one build on one machine, before their figures are set beside each "
         "other.";
}

constexpr std::array kSetRules = std::to_array<SetRule>({
    {"mixed-builds", Weight::kDoubt, mixed_builds},
    {"time-scale", Weight::kDoubt, scaled},
    {"no-faults", Weight::kAdvice, no_faults},
    {"no-denials", Weight::kAdvice, no_denials},
    {"no-limit", Weight::kAdvice, no_limit},
    {"all-short", Weight::kAdvice, all_short},
});

}  // namespace

std::span<const RunRule> run_rules() {
  return kRules;
}
std::span<const SetRule> set_rules() {
  return kSetRules;
}

std::vector<Recommendation> recommend(std::span<const RunFacts> runs) {
  std::vector<Recommendation> all;
  for (const Weight weight : {Weight::kMend, Weight::kDoubt, Weight::kAdvice}) {
    for (const RunFacts& run : runs)
      for (const RunRule& rule : kRules)
        if (std::string text = rule.weight == weight ? rule.says(run) : ""; !text.empty())
          all.push_back({rule.name, weight, run.label, std::move(text)});
    for (const SetRule& rule : kSetRules)
      if (std::string text = rule.weight == weight ? rule.says(runs) : ""; !text.empty())
        all.push_back({rule.name, weight, "", std::move(text)});
  }
  return all;
}

}  // namespace prove
