#include "prove/judge/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <optional>
#include <ostream>
#include <set>
#include <stdexcept>

#include "base/sabotage.h"
#include "prove/judge/bounds.h"
#include "prove/judge/series_math.h"
#include "prove/model/measure.h"
#include "prove/record/result_json.h"

namespace prove {
namespace {

void add_target(RunFigures& run, const Result& result, const std::string& target, bool alone,
                const std::vector<Extent>& scope, double requests) {
  Measure m;
  m.what = Measure::What::kSeries;
  m.target = target;
  const std::string suffix = alone ? "" : fmt::format(" ({})", target);
  m.series = kProcCpu;
  m.of = Measure::Of::kDelta;
  if (const Figure cpu = measure_series(result.series, m, scope, 0); cpu && requests > 0)
    run.metrics.push_back({"cpu per request" + suffix, kTime, false, *cpu / requests});
  m.series = kProcRss;
  m.of = Measure::Of::kMax;
  if (const Figure rss = measure_series(result.series, m, scope, 0))
    run.metrics.push_back({"rss" + suffix, kBytes, false, *rss});
}

// Of all that were sent, where what did not end as its step expects took for ever, as in every check.
std::optional<double> percentile_of(const Total& sum, double percentile) {
  const Hdr met = sabotage::on("prove-ab-fast-failures") ? latency_of_sent(sum.stats, &OutcomeStats::response)
                                                         : latency_of_met(sum, &OutcomeStats::response);
  const auto sent = static_cast<double>(latency_of_sent(sum.stats, &OutcomeStats::response).count());
  if (sent == 0) return std::nullopt;
  const double rank = percentile * sent / static_cast<double>(std::max<std::uint64_t>(1, met.count()));
  return met.count() == 0 || rank > 100 ? HUGE_VAL : seconds_of(met.percentile(rank));
}

const MetricFigure* find(const RunFigures& run, std::string_view name) {
  const auto it = std::ranges::find(run.metrics, name, &MetricFigure::name);
  return it == run.metrics.end() ? nullptr : &*it;
}

// The metric's values of a group; fewer than runs when some lack it.
std::vector<double> values_of(const std::vector<RunFigures>& runs, std::string_view name) {
  std::vector<double> values;
  for (const RunFigures& run : runs)
    if (const MetricFigure* m = find(run, name)) values.push_back(m->value);
  return values;
}

double relative(double value, double to) {
  if (value == to) return 0;
  return to == 0 || std::isinf(value) ? HUGE_VAL : value / to - 1;
}

// Of figures that are compared by their quotient.
std::vector<double> logs(std::vector<double> values) {
  for (double& value : values) value = std::log(value);
  return values;
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// Requests of all runs together, and those of them that count for the share.
struct Pooled {
  std::uint64_t hits = 0, all = 0;
  double least(double alpha) const { return at_least(hits, all, alpha); }
  double most(double alpha) const { return 1 - at_least(all - hits, all, alpha); }
};

Pooled pooled(const std::vector<RunFigures>& runs, std::string_view name) {
  Pooled sum;
  for (const RunFigures& run : runs)
    if (const MetricFigure* m = find(run, name)) {
      sum.all += m->of;
      sum.hits += static_cast<std::uint64_t>(std::llround(m->value * static_cast<double>(m->of)));
    }
  return sum;
}

// Runs that all show the same share show no more of it than their requests together can.
void widen(Change& c, const Pooled& before, const Pooled& after, double alpha) {
  if (before.all == 0 || after.all == 0) return;
  c.low = std::min(c.low, after.least(alpha / 2) - before.most(alpha / 2));
  c.high = std::max(c.high, after.most(alpha / 2) - before.least(alpha / 2));
}

Change change_of(const MetricFigure& metric, const std::vector<RunFigures>& before,
                 const std::vector<RunFigures>& after, const CompareOptions& options) {
  const std::vector<double> baseline = values_of(before, metric.name),
                            candidate = values_of(after, metric.name);
  Change c;
  c.name = metric.name;
  c.dimension = metric.dimension;
  c.baseline = median(baseline);
  c.candidate = median(candidate);
  // A tenth of 99.9 % would be a drop that nobody survives: shares are compared in points, and what is large
  // is measured by the smaller part.
  const bool share = metric.dimension.share;
  const auto effect = [&](double b, double a) { return share ? a - b : relative(a, b); };
  c.effect = effect(c.baseline, c.candidate);
  const Shift shift = share ? shift_of(candidate, baseline, options.alpha)
                            : shift_of(logs(candidate), logs(baseline), options.alpha);
  c.low = share ? shift.low : std::expm1(shift.low);
  c.high = share ? shift.high : std::expm1(shift.high);
  if (share) widen(c, pooled(before, metric.name), pooled(after, metric.name), options.alpha);
  c.seen = c.high == c.low ? 0 : (c.high - c.low) / 2;
  c.limit = share ? std::max(options.points, options.threshold * std::min(c.baseline, 1 - c.baseline))
                  : options.threshold;
  c.test = mann_whitney(candidate, baseline);
  const bool apart = c.test.p < options.alpha;
  const bool enough = std::min(baseline.size(), candidate.size()) >= options.least_runs;
  const bool seen = !std::isinf(c.baseline) || !std::isinf(c.candidate);  // of what never ends nothing is
  // A run of nine that went wrong as a whole is in no median.
  const bool odd = !(std::abs(effect(mean(baseline), mean(candidate))) <= c.limit);
  if (std::abs(c.effect) > c.limit && apart && enough)
    c.verdict = (c.effect < 0) == metric.more_is_better ? Change::Verdict::kRegression
                                                        : Change::Verdict::kImprovement;
  else if (-c.limit <= c.low && c.high <= c.limit && seen && !odd)
    c.verdict = apart ? Change::Verdict::kSmall : Change::Verdict::kSame;
  if (c.verdict == Change::Verdict::kUndecided && sabotage::on("prove-ab-unsure-is-same"))
    c.verdict = Change::Verdict::kSame;
  return c;
}

std::string change_text(double effect, bool points, bool sign = true) {
  if (!std::isfinite(effect)) return sign ? (effect < 0 ? "-∞" : "+∞") : "∞";
  const std::string number = fmt::format("{:.{}f}", effect * 100, points ? 3 : 1);
  return fmt::format("{}{} {}", sign && effect >= 0 ? "+" : "", number, points ? "pt" : "%");
}

std::string interval_text(double low, double high, bool points) {
  const int digits = points ? 3 : 1;
  const auto end = [&](double x) {
    return std::isfinite(x) ? fmt::format("{:+.{}f}", x * 100, digits) : x < 0 ? "-∞" : "+∞";
  };
  return fmt::format("{} … {}", end(low), end(high));
}

// A cell that is filled up by what is seen of it, and not by its bytes.
std::string cell(std::string_view text, std::size_t width, bool left = false) {
  const auto seen = static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
  const std::string room(width > seen ? width - seen : 0, ' ');
  return left ? fmt::format("{}{}", text, room) : fmt::format("{}{}", room, text);
}

RunFigures figures_of_file(const std::string& file) {
  return figures_of(load_result(file), file);
}

}  // namespace

RunFigures figures_of(const Result& result, std::string file) {
  RunFigures run{std::move(file), result.environment, result.verdict, {}};
  std::vector<std::size_t> segments;
  for (std::size_t i = 0; i < result.timeline.size(); ++i)
    if (!result.timeline[i].warm_up) segments.push_back(i);
  const Total sum = total(result, segments);
  for (const double p : {50.0, 95.0, 99.0})
    if (const auto taken = percentile_of(sum, p))
      run.metrics.push_back({fmt::format("p{:.0f} response", p), kTime, false, *taken});
  const auto requests = static_cast<double>(sum.requests());
  const double good = static_cast<double>(sum.stats.met());
  if (sum.seconds > 0) run.metrics.push_back({"throughput", kPerSecond, true, good / sum.seconds});
  if (requests > 0) run.metrics.push_back({"success", kShare, true, good / requests, sum.requests()});
  const std::vector<Extent> scope = extents_of(result.timeline, segments);
  std::set<std::string> targets;
  for (const Series& s : result.series)
    if (is_proc(s.name)) targets.insert(s.target);
  const double skipped =
      static_cast<double>(sum.stats.outcomes[static_cast<std::size_t>(Outcome::kSkipped)].count);
  for (const std::string& target : targets)
    add_target(run, result, target, targets.size() == 1, scope, requests - skipped);
  return run;
}

std::vector<std::string> differences(const std::vector<RunFigures>& runs) {
  std::vector<std::string> lines;
  const auto ask = [&](std::string_view what, auto of) {
    std::vector<std::pair<std::string, std::string>> kinds;  // value, the first file that has it
    for (const RunFigures& run : runs) {
      const std::string value = of(run.environment);
      if (std::ranges::find(kinds, value, &std::pair<std::string, std::string>::first) == kinds.end())
        kinds.emplace_back(value, run.file);
    }
    if (kinds.size() < 2) return;
    std::string line = fmt::format("the {} differs:", what);
    for (const auto& [value, file] : kinds)
      line += fmt::format(" {} in {};", value.empty() ? "none" : value, file);
    line.pop_back();
    lines.push_back(std::move(line));
  };
  ask("campaign (or a value of --set)", [](const Environment& e) { return e.campaign_hash; });
  ask("machine", [](const Environment& e) { return fmt::format("{} ({}, {})", e.machine, e.cpu, e.kernel); });
  ask("build", [](const Environment& e) { return e.build; });
  ask("time scale", [](const Environment& e) { return fmt::format("{}", e.time_scale); });
  for (const RunFigures& run : runs)
    if (run.verdict == Verdict::kInvalid)
      lines.push_back(fmt::format("{} is INVALID: its figures prove nothing", run.file));
  return lines;
}

std::string_view name_of(Change::Verdict verdict) {
  constexpr std::array<std::string_view, 5> kNames = {"same", "small", "REGRESSION", "improvement",
                                                      "not decided"};
  return kNames[static_cast<std::size_t>(verdict)];
}

bool Comparison::regression() const {
  return std::ranges::any_of(changes,
                             [](const Change& c) { return c.verdict == Change::Verdict::kRegression; });
}

bool Comparison::decided() const {
  return std::ranges::none_of(changes,
                              [](const Change& c) { return c.verdict == Change::Verdict::kUndecided; });
}

Comparison compare(const std::vector<RunFigures>& baseline, const std::vector<RunFigures>& candidate,
                   const CompareOptions& options) {
  Comparison result;
  result.baseline_runs = baseline.size();
  result.candidate_runs = candidate.size();
  std::vector<MetricFigure> metrics;  // of any run, in order of appearance
  for (const auto* runs : {&baseline, &candidate})
    for (const RunFigures& run : *runs)
      for (const MetricFigure& m : run.metrics)
        if (std::ranges::find(metrics, m.name, &MetricFigure::name) == metrics.end()) metrics.push_back(m);
  for (const std::string& asked : options.metrics)
    if (std::ranges::find(metrics, asked, &MetricFigure::name) == metrics.end())
      result.left_out.push_back(asked);
  for (const MetricFigure& m : metrics) {
    if (!options.metrics.empty() && std::ranges::find(options.metrics, m.name) == options.metrics.end())
      continue;
    const std::size_t before = values_of(baseline, m.name).size(),
                      after = values_of(candidate, m.name).size();
    if (before == baseline.size() && after == candidate.size() && before * after > 0)
      result.changes.push_back(change_of(m, baseline, candidate, options));
    else
      result.left_out.push_back(m.name);
  }
  return result;
}

std::string table_of(const Comparison& comparison, const CompareOptions& options) {
  const auto row = [](const std::array<std::string, 7>& c, std::string_view verdict) {
    return fmt::format("{} {} {} {} {} {} {}  {}\n", cell(c[0], 28, true), cell(c[1], 12), cell(c[2], 12),
                       cell(c[3], 10), cell(c[4], 18), cell(c[5], 9), cell(c[6], 8), verdict);
  };
  std::string out = row({"metric (medians)", fmt::format("{} baseline", comparison.baseline_runs),
                         fmt::format("{} candid.", comparison.candidate_runs), "change",
                         fmt::format("{:g} % interval", 100 * (1 - options.alpha)), "could see", "p"},
                        "");
  const auto shown = [](double value, Dimension kind) { return std::isinf(value) ? "∞" : show(value, kind); };
  for (const Change& c : comparison.changes) {
    const bool points = c.dimension.share;
    out += row(
        {c.name, shown(c.baseline, c.dimension), shown(c.candidate, c.dimension),
         change_text(c.effect, points), interval_text(c.low, c.high, points),
         change_text(c.seen, points, false), c.test.p < 0.0001 ? "<0.0001" : fmt::format("{:.4f}", c.test.p)},
        name_of(c.verdict));
  }
  for (const std::string& name : comparison.left_out) out += cell(name, 28, true) + " not in every run\n";
  out += fmt::format(
      "A regression is worse by more than {:g} % (a share: {:g} points, or {:g} % of those that failed) with "
      "p < {:g} "
      "(Mann-Whitney, two-sided) over at least {} runs of each; `same` and `small` are less than that over "
      "the "
      "whole interval (Hodges-Lehmann).\n",
      options.threshold * 100, options.points * 100, options.threshold * 100, options.alpha,
      options.least_runs);
  return out;
}

std::vector<Side> interleaved(std::size_t rounds) {
  std::vector<Side> order;
  order.reserve(2 * rounds);
  for (std::size_t i = 0; i < rounds; ++i) {
    const bool turned = i % 2 == 1;
    order.push_back(turned ? Side::kCandidate : Side::kBaseline);
    order.push_back(turned ? Side::kBaseline : Side::kCandidate);
  }
  return order;
}

std::vector<std::string> confirmed(const Comparison& first, const Comparison& second) {
  std::vector<std::string> names;
  for (const Change& a : first.changes)
    for (const Change& b : second.changes)
      if (a.name == b.name && a.verdict == Change::Verdict::kRegression &&
          b.verdict == Change::Verdict::kRegression)
        names.push_back(a.name);
  return names;
}

int compare_files(const std::vector<std::string>& baseline, const std::vector<std::string>& candidate,
                  const CompareOptions& options, std::ostream& out, std::ostream& err) {
  if (baseline.empty() || candidate.empty()) {
    err << "sekisho prove compare: it takes at least one baseline and one candidate\n";
    return 2;
  }
  try {
    std::vector<RunFigures> before, after;
    for (const std::string& file : baseline) before.push_back(figures_of_file(file));
    for (const std::string& file : candidate) after.push_back(figures_of_file(file));
    std::vector<RunFigures> all = before;
    all.insert(all.end(), after.begin(), after.end());
    const std::vector<std::string> lines = differences(all);
    for (const std::string& line : lines)
      (options.anyway ? out : err) << (options.anyway ? "warning: " : "sekisho prove compare: ") << line
                                   << "\n";
    if (!lines.empty() && !options.anyway) {
      err << "sekisho prove compare: not compared; --anyway compares what differs\n";
      return 2;
    }
    const Comparison comparison = compare(before, after, options);
    out << table_of(comparison, options);
    return comparison.regression() ? 1 : 0;
  } catch (const std::runtime_error& error) {
    err << "sekisho prove compare: " << error.what() << "\n";
    return 2;
  }
}

}  // namespace prove
