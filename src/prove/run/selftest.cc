#include "prove/run/selftest.h"

#include <fmt/format.h>
#include <poll.h>

#include <boost/json.hpp>
#include <fstream>
#include <ostream>
#include <stdexcept>

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

struct Measured {
  Hdr response, service, lag;
  std::uint64_t asked = 0, answered = 0;
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
  out.response = latency_of_sent(step, &OutcomeStats::response);
  out.service = latency_of_sent(step, &OutcomeStats::service);
  out.lag = std::move(segment.lag);
  return out;
}

std::string text(Nanos t) {
  return t < Millis(1) ? fmt::format("{:.1f} us", static_cast<double>(t.count()) / 1e3)
                       : fmt::format("{:.1f} ms", static_cast<double>(t.count()) / 1e6);
}

bool print(std::ostream& out, const std::vector<SelftestFigure>& figures) {
  bool all = true;
  for (const SelftestFigure& figure : figures) {
    const std::string wanted = figure.least.count() > 0
                                   ? fmt::format("{} to {}", text(figure.least), text(figure.most))
                                   : fmt::format("at most {}", text(figure.most));
    out << fmt::format("  {:<22} {:>10}   expected {:<24} {}\n", figure.name, text(figure.measured), wanted,
                       figure.held() ? "ok" : "WRONG");
    all &= figure.held();
  }
  return all;
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

int run_selftest(std::ostream& out, const std::string& json_file) {
  try {
    out << fmt::format("a target that hangs for {} s of {}, asked {} times a second over {} connections\n",
                       Seconds(1).count(), std::chrono::duration_cast<Seconds>(kStallRun).count(), kRate,
                       kConnections)
        << std::flush;
    const Measured stalled = measure(kStallRun, true);
    std::vector<SelftestFigure> figures = judge_stall(stalled.response, stalled.service);
    bool held = print(out, figures);
    held &= stalled.answered == stalled.asked;
    out << fmt::format("  {:<22} {:>10}   expected {:<24} {}\n", "answered", stalled.answered, stalled.asked,
                       stalled.answered == stalled.asked ? "ok" : "WRONG");

    out << fmt::format("the same target at rest, asked {} times a second\n", kRate) << std::flush;
    const Measured idle = measure(kIdleRun, false);
    const auto lag = judge_lag(idle.lag);
    held &= print(out, lag);
    figures.insert(figures.end(), lag.begin(), lag.end());

    if (!json_file.empty()) write_json(json_file, figures, held);
    out << (held ? "selftest: what is measured is what happened\n"
                 : "selftest: FAILED, this harness on this machine does not measure what happens\n");
    return held ? 0 : 1;
  } catch (const std::exception& e) {
    out << "selftest: " << e.what() << "\n";
    return 2;
  }
}

}  // namespace prove
