#include "prove/report/dossier_facts.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "prove/model/expression.h"
#include "prove/model/seconds.h"
#include "prove/report/page.h"
#include "prove/report/report_data.h"

namespace prove {
namespace {

constexpr double kBucket = 0.1;  // seconds, of an aftermath

std::vector<LatencyRow> latencies_of(const Result& result, const Summary& summary) {
  std::vector<LatencyRow> rows;
  rows.push_back({"", summary.sent, {}});
  rows.back().response.add(summary.response);
  if (result.scenarios.size() < 2) return rows;
  std::vector<std::size_t> measured;
  for (std::size_t i = 0; i < result.timeline.size(); ++i)
    if (!result.timeline[i].warm_up) measured.push_back(i);
  for (const ScenarioInfo& scenario : result.scenarios) {
    const Total sum = total(result, measured, scenario.name);
    rows.push_back({scenario.name,
                    sum.requests() - sum.stats.outcomes[static_cast<std::size_t>(Outcome::kSkipped)].count,
                    latency_of_sent(sum.stats, &OutcomeStats::response)});
  }
  return rows;
}

void add_aftermath(const Result& result, FaultFacts& fault) {
  for (const Aftermath& after : result.aftermaths) {
    if (after.fault != fault.name) continue;
    for (std::size_t i = 0; i < after.good_bad.size(); ++i) {
      const auto& [good, bad] = after.good_bad[i];
      if (good + bad == 0) continue;
      fault.watched = true;
      fault.ended_well = bad == 0;
      if (bad > 0) fault.last_bad = static_cast<double>(i + 1) * kBucket;
    }
  }
}

std::vector<FaultFacts> faults_of(const Result& result, const Summary& summary) {
  std::vector<FaultFacts> all;
  for (const Stretch& span : summary.spans) {
    if (span.kind != Stretch::Kind::kFault) continue;
    const bool cut = result.interrupted || !result.aborted.empty();
    if (cut && span.from >= result.ended_at) continue;  // never came
    const StepStats& stats = span.total.stats;
    FaultFacts fault;
    fault.name = span.name;
    fault.from = span.from;
    fault.to = span.to;
    fault.requests = span.total.requests();
    fault.success = success_of(stats);
    fault.response.add(span.response);
    add_aftermath(result, fault);
    all.push_back(std::move(fault));
  }
  return all;
}

std::vector<SeriesFacts> series_of(const Result& result) {
  std::vector<SeriesFacts> all;
  for (const Series& series : result.series) {
    if (series.points.empty()) continue;
    SeriesFacts facts{.target = series.target,
                      .name = series.name + labels_text(series.labels),
                      .family = series.name,
                      .counter = series.counter,
                      .first = series.points.front().value,
                      .last = series.points.back().value,
                      .most = std::ranges::max(series.points, {}, &Point::value).value};
    for (std::size_t i = 1; i < series.points.size(); ++i) {
      const double before = series.points[i - 1].value, now = series.points[i].value;
      facts.increase += now >= before ? now - before : now;  // it was started again, from 0
    }
    all.push_back(std::move(facts));
  }
  return all;
}

// Middles of two quarters and not a slope: a single step, such as a cache that fills, is none.
std::vector<Growth> growths_of(const Result& result) {
  std::vector<Growth> all;
  double end = 0;
  for (const PhaseInfo& phase : result.phases) end = std::max(end, phase.to);
  end = std::min(end, result.ended_at);
  const auto middle = [](const Series& series, double from, double to) -> std::optional<double> {
    std::vector<double> values;
    for (const Point& p : series.points)
      if (p.at >= from && p.at < to) values.push_back(p.value);
    if (values.size() < 3) return std::nullopt;
    std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
    return values[values.size() / 2];
  };
  for (const Series& series : result.series) {
    if (series.name != kProcRss && series.name != kProcFds) continue;
    const auto before = middle(series, end / 2, end * 3 / 4), after = middle(series, end * 3 / 4, end);
    if (before && after) all.push_back({series.target, series.name, *before, *after, end / 4});
  }
  return all;
}

// Intervals outside of warm-up and faults, by how many requests ended in them. In a run whose rate does not
// at least double there is nothing to see.
std::optional<Knee> knee_of(const Result& result) {
  constexpr std::size_t kBands = 10;
  constexpr std::size_t kFew = 3;  // intervals, of which a median can be had
  constexpr double kSlow = 3;      // times the latency at the lowest rates
  std::vector<std::pair<double, Nanos>> rows;
  double longest = 0;
  for (const Interval& row : result.intervals) longest = std::max(longest, row.seconds);
  for (const Interval& row : result.intervals) {
    const double from = row.at - row.seconds, middle = row.at - (row.seconds / 2);
    const auto within = [&](const PhaseInfo& p) { return middle >= p.from && middle < p.to; };
    const auto phase = std::ranges::find_if(result.phases, within);
    if (row.seconds < longest / 2 || phase == result.phases.end() || phase->warm_up) continue;
    if (std::ranges::any_of(result.spans, [&](const Span& s) {
          return s.fault && from < 2 * seconds_of(s.to) - seconds_of(s.from) && row.at > seconds_of(s.from);
        }))
      continue;
    std::uint64_t ended = 0;
    for (std::size_t i = 0; i < kOutcomes; ++i)
      if (static_cast<Outcome>(i) != Outcome::kSkipped) ended += row.outcomes[i];
    if (ended > 0) rows.emplace_back(static_cast<double>(ended) / row.seconds, row.p99);
  }
  if (rows.empty()) return std::nullopt;
  const auto [least, most] = std::ranges::minmax(rows, {}, &std::pair<double, Nanos>::first);
  if (most.first < 2 * least.first) return std::nullopt;
  std::vector<std::vector<Nanos>> bands(kBands);
  for (const auto& [rate, p99] : rows)
    bands[std::min(kBands - 1, static_cast<std::size_t>(rate / most.first * kBands))].push_back(p99);
  std::optional<Nanos> ground;
  std::optional<Knee> knee;
  for (std::size_t band = 0; band < kBands; ++band) {
    std::vector<Nanos>& seen = bands[band];
    if (seen.size() < kFew) continue;
    std::ranges::sort(seen);
    const Nanos p99 = seen[seen.size() / 2];
    if (!ground) ground = p99;
    const bool slow = static_cast<double>(p99.count()) > kSlow * static_cast<double>(ground->count());
    if (!slow) knee.reset();  // what gets better again was no knee
    if (slow && !knee)
      knee = {most.first * static_cast<double>(band) / static_cast<double>(kBands), p99, *ground};
  }
  return knee;
}

// "12.4 ms", "1.50 s", "2 min 5 s", as figures.h and quantity.h write a time.
std::optional<double> seconds_in(std::string_view text) {
  static const std::map<std::string_view, double> kUnits = {{"ns", 1e-9}, {"µs", 1e-6}, {"ms", 1e-3},
                                                            {"s", 1},     {"min", 60},  {"h", 3600}};
  double sum = 0;
  bool any = false;
  while (!text.empty()) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (!text.starts_with(' ')) return any || value != 0 ? std::nullopt : std::optional(0.0);
    text.remove_prefix(1);
    const std::string_view unit = text.substr(0, text.find(' '));
    const auto found = kUnits.find(unit);
    if (found == kUnits.end()) return std::nullopt;
    sum += value * found->second;
    any = true;
    text.remove_prefix(std::min(unit.size() + 1, text.size()));
  }
  return any ? std::optional(sum) : std::nullopt;
}

}  // namespace

std::size_t RunFacts::goals() const {
  return static_cast<std::size_t>(
      std::ranges::count(result.checks, CheckResult::Kind::kGuardrail, &CheckResult::kind));
}

std::size_t RunFacts::goals_in(CheckResult::State state) const {
  return static_cast<std::size_t>(std::ranges::count_if(result.checks, [&](const CheckResult& c) {
    return c.kind == CheckResult::Kind::kGuardrail && c.state == state;
  }));
}

RunFacts facts_of(Result result, std::string folder) {
  RunFacts facts;
  facts.folder = std::move(folder);
  facts.summary = summarize(result);
  facts.latencies = latencies_of(result, facts.summary);
  facts.faults = faults_of(result, facts.summary);
  facts.series = series_of(result);
  facts.growths = growths_of(result);
  facts.knee = knee_of(result);
  facts.percentiles_data = percentile_points(facts.summary.response);
  facts.charts_html = time_charts_html(result);
  if (!facts.charts_html.empty()) facts.charts_data = chart_data(result, facts.summary);
  result.segments.clear();
  result.intervals.clear();
  for (Series& series : result.series) series.points.clear();
  for (std::vector<Stretch>* stretches : {&facts.summary.phases, &facts.summary.spans}) stretches->clear();
  facts.result = std::move(result);
  return facts;
}

void label_runs(std::vector<RunFacts>& runs) {
  std::map<std::string, int> named;
  for (const RunFacts& run : runs) ++named[run.result.name];
  for (RunFacts& run : runs)
    run.label = named[run.result.name] == 1 ? run.result.name : run.result.name + " (" + run.folder + ")";
}

std::optional<double> headroom(const CheckResult& check) {
  if (check.kind != CheckResult::Kind::kGuardrail || check.state != CheckResult::State::kHeld)
    return std::nullopt;
  const auto relation = parse_expression(check.check, {});
  if (!relation) return std::nullopt;  // it uses names that the campaign defines
  const bool upper = relation->op == Relation::Op::kLess || relation->op == Relation::Op::kLessOrEqual;
  const Node &left = *relation->left, &right = *relation->right;
  if (!upper || left.op != Node::Op::kMeasure || right.op != Node::Op::kLiteral) return std::nullopt;
  if (left.measure.what != Measure::What::kLatency) return std::nullopt;
  const std::optional<double> measured = seconds_in(check.measured);
  if (!measured || *measured <= 0) return std::nullopt;
  return right.value / *measured;
}

}  // namespace prove
