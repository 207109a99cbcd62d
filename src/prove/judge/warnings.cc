#include "prove/judge/warnings.h"

#include <fmt/format.h>

#include <algorithm>

#include "prove/judge/bounds.h"
#include "prove/model/quantity.h"

namespace prove {
namespace {

constexpr Nanos kStall = Millis(100);
constexpr double kLong = 10;    // times the pace
constexpr double kTold = 0.01;  // of the requests: then p99 is another

std::string bytes(std::uint64_t n) {
  return show(static_cast<double>(n), kBytes);
}

// How long a user thinks between two requests, on average over all steps.
Nanos think_of(const Campaign& campaign, const Phase& phase) {
  Nanos sum{0};
  std::int64_t steps = 0;
  for (const Scenario& scenario : campaign.scenarios) {
    if (!phase.only.empty() && std::ranges::find(phase.only, scenario.name) == phase.only.end()) continue;
    for (const Step& step : scenario.steps) {
      sum += Nanos(step.think_min + std::max(step.think_min, step.think_max)) / 2;
      ++steps;
    }
  }
  return steps > 0 ? sum / steps : sum;
}

std::string stalled(const Campaign& campaign, const Phase& phase, const Total& sum) {
  const Hdr response = latency_of_sent(sum.stats, &OutcomeStats::response);
  const double omitted = omitted_at(response, response.percentile(50) + think_of(campaign, phase));
  if (omitted < std::max(1.0, kTold * static_cast<double>(response.count()))) return {};
  return fmt::format(
      "phase '{}' is closed, and replies stalled for up to {}: at their usual pace its users would have sent "
      "some {:.0f} requests meanwhile, which are in no percentile (p99 is {}); `rate` has them sent",
      phase.name, show(seconds_of(response.max()), kTime), omitted,
      show(seconds_of(response.percentile(99)), kTime));
}

}  // namespace

double omitted_at(const Hdr& response, Nanos pace) {
  if (response.count() == 0 || pace.count() <= 0) return 0;
  const double every = static_cast<double>(pace.count());
  const double least = std::max(kLong * every, static_cast<double>(kStall.count()));
  double sum = 0;
  for (std::size_t i = response.last_cell(); i + 1 > response.first_cell(); --i) {
    const double took = static_cast<double>(Hdr::highest_of(i));
    if (took < least) break;
    sum += static_cast<double>(response.cell(i)) * (took / every - 1);
    if (i == 0) break;
  }
  return sum;
}

std::vector<std::string> warnings_of(const Result& result, const Campaign& campaign,
                                     const Timeline& timeline) {
  std::vector<std::string> out;
  const Uploads uploads = total(result, timeline.within({})).stats.uploads;
  if (uploads.overtaken > 0)
    out.push_back(
        fmt::format("{} of {} request bodies were overtaken by their replies: of {} the target took {} "
                    "(`uploaded` is the share of bodies that it took whole)",
                    uploads.overtaken, uploads.bodies, bytes(uploads.bytes), bytes(uploads.sent)));
  for (const Phase& phase : campaign.phases) {
    if (!phase.users || phase.warm_up) continue;
    const Total sum = total(result, timeline.within({.scenario = {}, .phase = phase.name, .window = {}}));
    if (std::string text = stalled(campaign, phase, sum); !text.empty()) out.push_back(std::move(text));
  }
  return out;
}

}  // namespace prove
