#include "prove/judge/judge.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "base/sabotage.h"
#include "prove/judge/bounds.h"
#include "prove/judge/evaluate.h"
#include "prove/judge/warnings.h"
#include "prove/model/early.h"

namespace prove {
namespace {

using State = CheckResult::State;
using Kind = CheckResult::Kind;

constexpr double kOwnWork =
    60;  // percent of its time, from which on a generator's thread keeps itself waiting

Nanos nanos_of(double seconds) {
  return std::chrono::duration_cast<Nanos>(std::chrono::duration<double>(seconds));
}

CheckResult rule(std::string name, std::string check) {
  CheckResult r;
  r.kind = Kind::kValidity;
  r.state = State::kHeld;
  r.name = std::move(name);
  r.check = std::move(check);
  return r;
}

// Of a rule that is asked of every phase: each phase that breaks it, else the worst one, so that ten phases
// are not ten lines.
class PerPhase {
 public:
  PerPhase(std::string name, std::string check, bool yields = false)
      : blank_(rule(std::move(name), std::move(check))) {
    blank_.yields = yields;
  }

  // `bad` orders phases; the more, the worse.
  void add(const std::string& phase, double bad, std::string measured, std::string why) {
    CheckResult r = blank_;
    r.scope.phase = phase;
    r.measured = std::move(measured);
    r.why = std::move(why);
    if (!r.why.empty()) {
      r.state = State::kBroken;
      broken_.push_back(r);
    } else if (!held_ || bad > worst_) {
      held_ = true;
      worst_ = bad;
      best_ = r;
    }
  }

  void give(std::vector<CheckResult>& checks) const {
    if (broken_.empty() && held_) checks.push_back(best_);
    checks.insert(checks.end(), broken_.begin(), broken_.end());
  }

 private:
  CheckResult blank_, best_;
  std::vector<CheckResult> broken_;
  double worst_ = 0;
  bool held_ = false;
};

// Percent of its time that each generator was busy in these segments.
std::vector<double> busy_of(const Result& result, const std::vector<std::size_t>& segments) {
  std::vector<double> sums;
  double length = 0;
  for (const std::size_t i : segments) {
    const double t = std::chrono::duration<double>(result.timeline[i].to - result.timeline[i].from).count();
    const std::vector<double>& busy = result.segments[i].busy;
    if (sums.size() < busy.size()) sums.resize(busy.size());
    for (std::size_t g = 0; g < busy.size(); ++g) sums[g] += busy[g] * t;
    length += t;
  }
  for (double& sum : sums) sum /= length;
  return sums;
}

bool unknown_goal(const CheckResult& c) {
  return c.kind == Kind::kGuardrail && c.state == State::kUnknown;
}

std::string limit(double percent) {
  return fmt::format("{:g} %", percent);
}

// Why arrivals were late, or replies read late.
std::string cause_of(const Total& sum) {
  if (machine_was_busy(sum)) return "the machine was busy with other things: " + generator_text(sum);
  if (sum.busy > kOwnWork) return "the generator was busy: " + generator_text(sum);
  return "the generator did not keep to its schedule: it, or its machine, stood still (" +
         generator_text(sum) + ")";
}

// One phase of the load, as it was sent.
struct Sent {
  const Phase& phase;
  Total sum;
  std::vector<double> busy;  // of each generator
  bool short_of = false;     // of arrivals
};

std::vector<Sent> sent_of(const Result& result, const Campaign& campaign, const Timeline& timeline) {
  std::vector<Sent> all;
  for (std::size_t i = 0; i < campaign.phases.size(); ++i) {
    const Phase& phase = campaign.phases[i];
    const bool ended_early = result.interrupted || !result.aborted.empty();
    if (phase.warm_up || (ended_early && seconds_of(timeline.phase_start(i)) >= result.ended_at)) continue;
    const auto segments = timeline.within({.scenario = {}, .phase = phase.name, .window = {}});
    all.push_back({phase, total(result, segments), busy_of(result, segments), false});
  }
  return all;
}

// An arrival at the very end of a phase may be as late as any other, and is no arrival less.
void check_rate(std::vector<Sent>& all, const Validity& v, std::vector<CheckResult>& checks) {
  PerPhase rate("the offered rate was reached", fmt::format("sent >= {} of the arrivals", limit(v.rate)),
                true);
  for (Sent& one : all) {
    const Total& sum = one.sum;
    if (!one.phase.rate || sum.offered == 0) continue;
    const double sent = static_cast<double>(sum.sent) / static_cast<double>(sum.offered);
    const double last = std::min(1.0, seconds_of(v.send_lag) / std::max(1e-3, sum.seconds));
    const std::string shown = show(sent, kShare);
    one.short_of = (sent + last) * 100 < v.rate - 1e-9 && sum.sent < sum.offered;
    rate.add(
        one.phase.name, -sent, shown,
        !one.short_of
            ? ""
            : fmt::format("{} of the {} arrivals of phase '{}' were sent before it ended (limit {}): the "
                          "load was not the one that the campaign describes; where the target is what is "
                          "slow, `connections` of the scenario is how many may be under way",
                          shown, sum.offered, one.phase.name, limit(v.rate)));
  }
  rate.give(checks);
}

// The part of their time that users of a closed phase who had rested went on late: so much less they asked.
double lost_of(const Sent& one) {
  if (!one.phase.users || one.sum.seconds <= 0) return 0;
  const auto [from, to] = *one.phase.users;
  const double length = seconds_of(Nanos(one.phase.duration));
  const double ramp = one.phase.ramp ? std::min(length, seconds_of(Nanos(*one.phase.ramp))) : length;
  const double mean = static_cast<double>(to) + (static_cast<double>(from) - static_cast<double>(to)) / 2 *
                                                    (length > 0 ? ramp / length : 0);
  return seconds_of(one.sum.lag.mean()) * static_cast<double>(one.sum.lag.count()) /
         (std::max(1.0, mean) * one.sum.seconds);
}

// Late arrivals and late readings only add to what is measured, so they spoil a run only where a check asks
// for less than they may have added, `turned` of them; or where users asked less than the file describes.
void check_lag(const std::vector<Sent>& all, const Validity& v, int turned,
               std::vector<CheckResult>& checks) {
  const std::string shown = show(seconds_of(v.send_lag), kTime);
  PerPhase lag("arrivals were taken up in time", fmt::format("lag.p99 <= {}, or no check turns on it", shown),
               true);
  Nanos worst{0};
  for (const Sent& one : all) worst = std::max(worst, one.sum.lag.max());
  for (const Sent& one : all) {
    const Nanos p99 = one.sum.lag.percentile(99), most = one.sum.lag.max();
    if (one.sum.lag.count() == 0 && one.phase.rate && one.sum.offered > 0) {
      lag.add(one.phase.name, 0, "", fmt::format("no send lag was recorded in phase '{}'", one.phase.name));
      continue;
    }
    if (one.sum.lag.count() == 0 && one.sum.waited == 0) continue;
    if (const double lost = lost_of(one); lost * 100 > 100 - v.rate) {
      lag.add(one.phase.name, seconds_of(p99), show(seconds_of(p99), kTime),
              fmt::format(
                  "the users of phase '{}' were {} of their time late to go on (limit {}), and asked less of "
                  "the target than the campaign describes: {}",
                  one.phase.name, show(lost, kShare), limit(100 - v.rate), cause_of(one.sum)));
      continue;
    }
    const bool late = turned > 0 && (p99 > v.send_lag || most == worst);
    const std::string what =
        fmt::format("{} {} not told, since ", turned, turned == 1 ? "check is" : "checks are");
    if (one.sum.lag.count() == 0) {  // of users who never rest there is nothing to be late with
      lag.add(one.phase.name, 0, "",
              late ? what + fmt::format("the users of phase '{}' may have waited as long: {}", one.phase.name,
                                        cause_of(one.sum))
                   : "");
      continue;
    }
    lag.add(
        one.phase.name, seconds_of(p99), show(seconds_of(p99), kTime),
        late ? what + fmt::format("one arrival in a hundred of phase '{}' was taken up {} late or later, the "
                                  "worst {} (limit {}), and replies were read as late: {}",
                                  one.phase.name, show(seconds_of(p99), kTime), show(seconds_of(most), kTime),
                                  shown, cause_of(one.sum))
             : "");
  }
  lag.give(checks);
}

// Where users wait for a busy generator they ask less of the target than they would. An open load that went
// out all the same was the one that the file describes.
void check_busy(const std::vector<Sent>& all, const Validity& v, int turned,
                std::vector<CheckResult>& checks) {
  PerPhase busy("the generator was not the limit", fmt::format("busy <= {}", limit(v.busy)), true);
  for (const Sent& one : all) {
    const bool matters = one.phase.users.has_value() || one.short_of || turned > 0;
    for (std::size_t g = 0; g < one.busy.size(); ++g)
      busy.add(
          one.phase.name, one.busy[g], show(one.busy[g] / 100, kShare),
          one.busy[g] <= v.busy || !matters
              ? ""
              : fmt::format("generator {} was {:.0f} % busy in phase '{}' (limit {}): the generator, not the "
                            "target, was the limit",
                            g + 1, one.busy[g], one.phase.name, limit(v.busy)));
    if (one.busy.empty() && one.sum.requests() > 0)
      busy.add(one.phase.name, 0, "",
               fmt::format("nobody knows how busy the generators were in phase '{}'", one.phase.name));
  }
  busy.give(checks);
}

// A target that dies has failed, whatever its figures were until then.
void check_processes(const Result& result, const Campaign& campaign, std::vector<CheckResult>& checks) {
  if (campaign.processes.empty() && result.deaths.empty()) return;
  CheckResult r = rule("every process stays up", "processes that end by themselves or not in order == 0");
  r.kind = Kind::kGuardrail;
  r.measured = show(static_cast<double>(result.deaths.size()), kPlain);
  if (!result.deaths.empty()) {
    r.state = State::kBroken;
    r.why =
        fmt::format("ended though nobody asked for it, or not in order: {}", fmt::join(result.deaths, ", "));
  }
  checks.push_back(std::move(r));
}

int count_of(const Evaluator& evaluator, Unknown::Cause cause) {
  const auto it = evaluator.unknowns().find(cause);
  return it == evaluator.unknowns().end() ? 0 : it->second;
}

void check_samples(const Campaign& campaign, const Evaluator& evaluator, std::vector<CheckResult>& checks) {
  const auto of = [&](Unknown::Cause cause) { return count_of(evaluator, cause); };
  const auto add = [&](CheckResult r, int count, std::string_view what) {
    r.yields = true;
    if (count > 0) {
      r.state = State::kBroken;
      r.why = fmt::format("{} {} {}", count, count == 1 ? "check asks" : "checks ask", what);
    }
    checks.push_back(std::move(r));
  };
  add(rule("enough requests for each percentile and share",
           fmt::format("requests beyond a percentile >= {}, shares that they can show",
                       campaign.validity.tail_samples)),
      of(Unknown::Cause::kTail), "for a percentile or a share of too few requests");
  add(rule("long enough for each slope",
           fmt::format("stretch >= {}",
                       show(std::chrono::duration<double>(campaign.validity.slope).count(), kTime))),
      of(Unknown::Cause::kSlope), "for a slope over too short a time");
  add(rule("every series that is asked for", "no sample missing"), of(Unknown::Cause::kSeries),
      "for a series of the target that is missing");
}

void check_course(const Result& result, const Campaign& campaign, const Timeline& timeline,
                  std::vector<CheckResult>& checks) {
  CheckResult sent = rule("requests were sent", "requests > 0");
  const Total all = total(result, timeline.within({}));
  const std::uint64_t skipped = all.stats.outcomes[static_cast<std::size_t>(Outcome::kSkipped)].count;
  const std::uint64_t number = all.requests() - skipped;
  sent.measured = show(static_cast<double>(number), kPlain);
  if (number == 0) {
    sent.state = State::kBroken;
    sent.why = "outside warm-up no request was sent";
  }
  checks.push_back(std::move(sent));

  CheckResult asked = rule("something is asked of the target", "guardrails > 0");
  asked.measured = show(static_cast<double>(campaign.guardrails.size()), kPlain);
  if (campaign.guardrails.empty()) {
    asked.state = State::kBroken;
    asked.why = "the campaign has no guardrail, so there is nothing that a PASS would mean";
  }
  checks.push_back(std::move(asked));

  CheckResult whole = rule("the run went to its end", "uninterrupted");
  const double length = std::chrono::duration<double>(timeline.end()).count();
  whole.measured = show(std::min(result.ended_at, length), kTime);
  if (result.interrupted) {
    whole.state = State::kBroken;
    whole.why = fmt::format("the run was interrupted after {} of {}", show(result.ended_at, kTime),
                            show(length, kTime));
  }
  checks.push_back(std::move(whole));

  bool bad = false;
  for (const Happening& h : result.happenings) {
    if (!h.bad) continue;
    bad = true;
    CheckResult r = rule("nothing unforeseen happened", "no mishap");
    r.state = State::kBroken;
    r.measured = h.text;
    r.why = fmt::format("{}, {} after the start", h.text, show(h.at, kTime));
    checks.push_back(std::move(r));
  }
  if (!bad) checks.push_back(rule("nothing unforeseen happened", "no mishap"));
}

// Of a run that a guardrail ended: that one is broken, as it was seen then. What else did not hold, and needs
// the whole run to be told, may have come to hold.
void settle_aborted(const Result& result, const Campaign& campaign, std::vector<CheckResult>& checks) {
  if (result.aborted.empty()) return;
  const CheckResult& by = result.aborted.front();
  const std::string when = show(result.ended_at, kTime);
  for (CheckResult& c : checks) {
    if (c.state == State::kHeld && c.name != by.name) continue;
    if (c.kind == Kind::kGuardrail && c.name == by.name && c.check == by.check && c.line == by.line) {
      if (c.state != State::kBroken) c = by;
      c.why += fmt::format("; this ended the run after {}", when);
    } else if (c.state != State::kHeld &&
               (c.kind == Kind::kRequire || !told_late(c.check, campaign.define).empty())) {
      c.state = State::kUnknown;
      c.yields = true;
      c.why = fmt::format("the run was aborted after {}, before this could be told", when);
    }
  }
}

}  // namespace

std::vector<Segment> segments_until(const Timeline& timeline, Nanos end) {
  std::vector<Segment> segments = timeline.segments();
  for (Segment& segment : segments) segment.to = std::clamp(end, segment.from, segment.to);
  return segments;
}

// What is wrong with the load or the harness comes first: nothing that was measured then need be so. What
// only says that a goal could not be told, or that the target took less load than it was offered, takes
// nothing from a goal that is broken whatever it would have said.
Verdict verdict_of(const std::vector<CheckResult>& checks) {
  if (!sabotage::on("prove-mishap-passes") && std::ranges::any_of(checks, [](const CheckResult& c) {
        return spoils(c) && !c.yields && !unknown_goal(c);
      }))
    return Verdict::kInvalid;
  const bool broken = std::ranges::any_of(
      checks, [](const CheckResult& c) { return c.kind == Kind::kGuardrail && c.state == State::kBroken; });
  if (broken && !sabotage::on("prove-broken-goal-passes")) return Verdict::kFail;
  if (sabotage::on("prove-unknown-goal-passes")) return Verdict::kPass;
  return std::ranges::any_of(checks, spoils) ? Verdict::kInvalid : Verdict::kPass;
}

void judge(Result& result, const Campaign& campaign) {
  const Timeline timeline = Timeline::of(campaign);
  result.timeline =
      result.aborted.empty() ? timeline.segments() : segments_until(timeline, nanos_of(result.ended_at));
  result.segments.resize(
      result.timeline.size());  // of a run that was interrupted before its load: empty ones
  Evaluator evaluator(result, timeline, campaign);
  std::vector<CheckResult> checks;
  checks.reserve(campaign.guardrails.size() + campaign.require.size());
  for (const Check& check : campaign.guardrails) checks.push_back(evaluator.check(check, Kind::kGuardrail));
  for (const Check& check : campaign.require) checks.push_back(evaluator.check(check, Kind::kRequire));
  settle_aborted(result, campaign, checks);
  check_processes(result, campaign, checks);
  std::vector<Sent> sent = sent_of(result, campaign, timeline);
  const int turned = count_of(evaluator, Unknown::Cause::kLate);
  check_rate(sent, campaign.validity, checks);
  check_lag(sent, campaign.validity, turned, checks);
  check_busy(sent, campaign.validity, turned, checks);
  check_samples(campaign, evaluator, checks);
  check_course(result, campaign, timeline, checks);
  result.checks = std::move(checks);
  result.verdict = verdict_of(result.checks);
  result.warnings = warnings_of(result, campaign, timeline);
}

}  // namespace prove
