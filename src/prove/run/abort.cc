#include "prove/run/abort.h"

#include <fmt/format.h>

#include "prove/judge/evaluate.h"
#include "prove/judge/judge.h"
#include "prove/model/expression.h"

namespace prove {
namespace {

constexpr base::Millis kEach{1'000};

}  // namespace

AbortWatch::AbortWatch(const Campaign& campaign, const Timeline& timeline, Engine& engine, Result& result)
    : campaign_(campaign), timeline_(timeline), engine_(engine), result_(result) {
  Engine::Wanted wanted;
  wanted.segments.resize(timeline.segments().size());
  for (const Check& check : campaign.guardrails)
    if (check.abort) add(check, wanted);
  engine.want_books(std::move(wanted));
}

void AbortWatch::add(const Check& check, Engine::Wanted& wanted) {
  const Scope scope = scope_of(check);
  const std::vector<std::size_t> own = timeline_.within(scope);
  const Nanos begin = own.empty() ? Nanos(0) : timeline_.segments()[own.front()].from;
  candidates_.push_back({&check, begin + check.after});
  each_measure(check.text, campaign_.define, [&](const Measure& m) {
    for (const std::size_t i : timeline_.within(scope_of(m, scope))) wanted.segments[i] = true;
    if (m.what != Measure::What::kLatency) return;
    wanted.response = wanted.response || m.clock == Measure::Clock::kResponse;
    wanted.service = wanted.service || m.clock == Measure::Clock::kService;
    wanted.first_byte = wanted.first_byte || m.clock == Measure::Clock::kFirstByte;
  });
}

bool AbortWatch::ends_it(base::Mono now) {
  if (candidates_.empty() || !result_.aborted.empty()) return false;
  if (auto seen = engine_.take_books(); seen && judge(*std::move(seen))) return true;
  if (now >= due_) {
    due_ = now + kEach;
    engine_.ask_books();
  }
  return false;
}

bool AbortWatch::judge(Engine::Seen seen) {
  Result part;
  part.scenarios = result_.scenarios;
  part.intervals = result_.intervals;  // they say how busy the generators were at the most
  part.timeline = segments_until(timeline_, seen.at);
  part.segments = std::move(seen.segments);
  Evaluator evaluator(part, timeline_, campaign_);
  for (const Candidate& candidate : candidates_) {
    if (seen.at < candidate.from) continue;
    CheckResult found = evaluator.check(*candidate.check, CheckResult::Kind::kGuardrail);
    if (found.state != CheckResult::State::kBroken) continue;
    engine_.end();
    result_.ended_at = seconds_of(base::mono_now() - engine_.began());
    result_.happenings.push_back(
        {result_.ended_at, fmt::format("aborted, since a guardrail is broken: {}", found.name), false});
    result_.aborted.push_back(std::move(found));
    return true;
  }
  return false;
}

}  // namespace prove
