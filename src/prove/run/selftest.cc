#include "prove/run/selftest.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <ostream>
#include <stdexcept>

#include "prove/engine/cpu_clock.h"
#include "prove/engine/engine.h"
#include "prove/run/stall_target.h"

namespace prove {
namespace {

using base::Seconds;

constexpr double kRate = 1'000;
constexpr Millis kStallRun{10'000};
constexpr Millis kStallAt{4'000};
constexpr Millis kStall{1'000};
constexpr Millis kIdleRun{3'000};
constexpr std::uint64_t kConnections = 8;
constexpr double kAtRest = 1;  // percent that threads wait for a CPU where nothing else wants it

struct Measured {
  Hdr response, service, lag;
  std::uint64_t asked = 0, answered = 0, unanswered = 0;
  // Percent of the time, for a CPU: the generator, the target, or all of them for the machine's host,
  // whichever is longest.
  double waited = 0;
};

Campaign campaign_of(std::uint16_t port, Millis duration) {
  Campaign campaign;
  campaign.name = campaign.file = "selftest";
  Target& target = campaign.targets.emplace_back();
  target.name = "built-in";
  target.url.host = "127.0.0.1";
  target.url.port = port;
  Scenario& scenario = campaign.scenarios.emplace_back();
  scenario.name = "ask";
  scenario.connections = kConnections;
  Step& step = scenario.steps.emplace_back();
  step.name = "GET /";
  step.path = Template::compile("/", campaign.slots).value();
  // Connections are made beforehand: what is measured is the stall.
  Phase& warm_up = campaign.phases.emplace_back();
  warm_up.name = "warm-up";
  warm_up.warm_up = true;
  warm_up.duration = Millis(200);
  warm_up.rate = {kRate, kRate};
  Phase& phase = campaign.phases.emplace_back();
  phase.name = "measured";
  phase.duration = duration;
  phase.rate = {kRate, kRate};
  return campaign;
}

Measured measure(Millis duration, bool with_stall) {
  const Nanos stolen = stolen_of_machine();
  StallTarget target;
  const Campaign campaign = campaign_of(target.port(), duration);
  const Timeline timeline = Timeline::of(campaign);
  Engine engine(campaign, timeline, {});
  engine.start();
  if (with_stall) target.stall(engine.began() + timeline.phase_start(1) + kStallAt, kStall);
  while (!engine.done()) {
    ::poll(nullptr, 0, 50);
    engine.take_intervals();
  }
  Engine::Books books = engine.finish();
  SegmentStats& segment = books.segments.at(1);
  const StepStats& step = segment.steps.at(0).at(0);
  Measured out;
  out.asked = segment.offered;
  out.answered = step.outcomes[static_cast<std::size_t>(Outcome::kOk)].count;
  out.unanswered = step.outcomes[static_cast<std::size_t>(Outcome::kTimedOut)].count;
  out.response = latency_of_sent(step, &OutcomeStats::response);
  out.service = latency_of_sent(step, &OutcomeStats::service);
  out.lag = std::move(segment.lag);
  const auto whole = static_cast<double>(base::Nanos(timeline.end()).count());
  const auto percent_of = [whole](Nanos t) { return 100 * static_cast<double>(t.count()) / whole; };
  out.waited = std::max(percent_of(target.waited()), percent_of(stolen_of_machine() - stolen));
  for (const double percent : segment.waited) out.waited = std::max(out.waited, percent);
  return out;
}

std::string text(Nanos t) {
  return t < Millis(1) ? fmt::format("{:.1f} us", static_cast<double>(t.count()) / 1e3)
                       : fmt::format("{:.1f} ms", static_cast<double>(t.count()) / 1e6);
}

void print(std::ostream& out, const std::vector<SelftestFigure>& figures) {
  for (const SelftestFigure& figure : figures) {
    const std::string wanted = figure.least.count() > 0
                                   ? fmt::format("{} to {}", text(figure.least), text(figure.most))
                                   : fmt::format("at most {}", text(figure.most));
    out << fmt::format("  {:<22} {:>10}   expected {:<24} {}\n", figure.name, text(figure.measured), wanted,
                       figure.held() ? "ok" : "WRONG");
  }
}

void write_json(const std::string& file, const std::vector<SelftestFigure>& figures, bool held) {
  boost::json::array rows;
  for (const SelftestFigure& figure : figures)
    rows.push_back({{"name", figure.name},
                    {"measured_ns", figure.measured.count()},
                    {"least_ns", figure.least.count()},
                    {"most_ns", figure.most.count()},
                    {"held", figure.held()}});
  std::ofstream out(file);
  out << boost::json::serialize(boost::json::object{{"held", held}, {"figures", rows}}) << "\n";
  out.close();
  if (!out) throw std::runtime_error(fmt::format("'{}' cannot be written", file));
}

}  // namespace

// At an even 1,000 a second the stall of the tenth second makes 1,000 requests wait for 0 to 1 s, evenly: a
// tenth of all. So the last hundredth waited 0.9 s and more, and of the tenth half waited half a second and
// more. Of the service times only those of the eight that were under way show it.
std::vector<SelftestFigure> judge_stall(const Hdr& response, const Hdr& service) {
  return {{"response p50", response.percentile(50), Nanos(0), Millis(5)},
          {"response p95", response.percentile(95), Millis(450), Millis(550)},
          {"response p99", response.percentile(99), Millis(800), Millis(1'000)},
          {"response max", response.max(), Millis(900), Millis(1'100)},
          {"service p99", service.percentile(99), Nanos(0), Millis(50)},
          {"service max", service.max(), Millis(900), Millis(1'100)}};
}

std::vector<SelftestFigure> judge_lag(const Hdr& lag) {
  return {{"send lag p50", lag.percentile(50), Nanos(0), Nanos(50'000)},
          {"send lag p99", lag.percentile(99), Nanos(0), Millis(10)}};
}

// Waiting for a CPU only makes what is measured longer. What is too short is wrong on any machine.
SelftestVerdict judge_selftest(const std::vector<SelftestFigure>& figures, bool whole, double waited) {
  const auto is_short = [](const SelftestFigure& f) { return f.measured < f.least; };
  if (!whole || std::ranges::any_of(figures, is_short)) return SelftestVerdict::kFalse;
  if (std::ranges::all_of(figures, &SelftestFigure::held)) return SelftestVerdict::kTrue;
  return waited > kAtRest ? SelftestVerdict::kBusy : SelftestVerdict::kFalse;
}

int run_selftest(std::ostream& out, const std::string& json_file) {
  try {
    out << fmt::format("a target that hangs for {} s of {}, asked {} times a second over {} connections\n",
                       Seconds(1).count(), std::chrono::duration_cast<Seconds>(kStallRun).count(), kRate,
                       kConnections)
        << std::flush;
    const Measured stalled = measure(kStallRun, true);
    std::vector<SelftestFigure> figures = judge_stall(stalled.response, stalled.service);
    print(out, figures);
    const bool whole = stalled.answered + stalled.unanswered == stalled.asked;
    out << fmt::format("  {:<22} {:>10}   expected {:<24} {}\n", "answered", stalled.answered, stalled.asked,
                       stalled.answered == stalled.asked ? "ok" : "WRONG");

    out << fmt::format("the same target at rest, asked {} times a second\n", kRate) << std::flush;
    const Measured idle = measure(kIdleRun, false);
    const auto lag = judge_lag(idle.lag);
    print(out, lag);
    figures.insert(figures.end(), lag.begin(), lag.end());

    const double waited = std::max(stalled.waited, idle.waited);
    SelftestVerdict verdict = judge_selftest(figures, whole, waited);
    if (verdict == SelftestVerdict::kTrue && stalled.unanswered > 0)  // longer than any of them may be
      verdict = waited > kAtRest ? SelftestVerdict::kBusy : SelftestVerdict::kFalse;
    if (!json_file.empty()) write_json(json_file, figures, verdict == SelftestVerdict::kTrue);
    if (verdict == SelftestVerdict::kTrue)
      out << "selftest: what is measured is what happened\n";
    else if (verdict == SelftestVerdict::kBusy)
      out << fmt::format(
          "selftest: INVALID, this machine was busy with other things (a thread waited for a CPU for {:.0f} "
          "% of "
          "the time, at rest below {:.0f} %), which says nothing about the harness: run it again at rest\n",
          waited, kAtRest);
    else
      out << "selftest: FAILED, this harness on this machine does not measure what happens\n";
    return static_cast<int>(verdict);
  } catch (const std::exception& e) {
    out << "selftest: " << e.what() << "\n";
    return 2;
  }
}

}  // namespace prove
