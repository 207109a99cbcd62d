#include "prove/model/timeline.h"

#include <algorithm>

namespace prove {
namespace {

constexpr std::string_view kBefore = "before ";
constexpr std::string_view kAfter = "after ";

// From and to of what a scope's window means; an empty stretch when there is no such name.
std::pair<Nanos, Nanos> stretch(const std::vector<Span>& spans, std::string_view window, Nanos end) {
  const bool before = window.starts_with(kBefore);
  const bool after = window.starts_with(kAfter);
  if (before) window.remove_prefix(kBefore.size());
  if (after) window.remove_prefix(kAfter.size());
  const auto span = std::ranges::find(spans, window, &Span::name);
  if (span == spans.end()) return {Nanos(0), Nanos(0)};
  if (before) return {Nanos(0), span->from};
  if (after) return {span->to, end};
  return {span->from, span->to};
}

}  // namespace

Timeline Timeline::of(const Campaign& campaign) {
  Timeline t;
  std::vector<Nanos> cuts;
  Nanos at{0};
  for (const Phase& phase : campaign.phases) {
    t.starts_.push_back(at);
    t.phase_names_.push_back(phase.name);
    at += phase.duration;
  }
  t.starts_.push_back(at);
  cuts = t.starts_;
  for (const Fault& fault : campaign.faults)
    t.spans_.push_back({fault.name, fault.at, std::min<Nanos>(fault.at + fault.duration, at), true});
  for (const Window& window : campaign.windows)
    t.spans_.push_back({window.name, window.from, std::min<Nanos>(window.to, at), false});
  for (const Span& span : t.spans_) {
    if (span.from < at) cuts.push_back(span.from);
    cuts.push_back(span.to);
  }
  std::ranges::sort(cuts);
  cuts.erase(std::ranges::unique(cuts).begin(), cuts.end());
  std::size_t phase = 0;
  for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
    while (t.starts_[phase + 1] <= cuts[i]) ++phase;
    t.segments_.push_back({phase, cuts[i], cuts[i + 1], campaign.phases[phase].warm_up});
  }
  return t;
}

std::size_t Timeline::segment_at(Nanos offset) const {
  const auto next = std::ranges::upper_bound(segments_, offset, {}, &Segment::from);
  return next == segments_.begin() ? 0 : static_cast<std::size_t>(next - segments_.begin()) - 1;
}

std::vector<std::size_t> Timeline::within(const Scope& scope) const {
  std::pair<Nanos, Nanos> window{Nanos(0), end()};
  if (!scope.window.empty()) window = stretch(spans_, scope.window, end());
  std::vector<std::size_t> inside;
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    const Segment& s = segments_[i];
    const bool named = !scope.phase.empty() && phase_names_[s.phase] == scope.phase;
    if (!scope.phase.empty() && !named) continue;
    if (s.warm_up && !named) continue;  // only who asks for a warm-up by its name gets it
    if (s.from >= window.first && s.to <= window.second) inside.push_back(i);
  }
  return inside;
}

}  // namespace prove
