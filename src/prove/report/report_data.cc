#include "prove/report/report_data.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cmath>
#include <set>

#include "prove/model/seconds.h"

namespace prove {
namespace {

namespace json = boost::json;

// What a cache was asked and answered, as the expression hit_ratio means it: a bypass is no question.
constexpr std::array<std::string_view, 5> kAsked = {"hit", "stale", "miss", "collapsed", "revalidated"};

// Four digits are more than a plot shows, and they keep the page small.
double short_number(double value) {
  if (value == 0 || !std::isfinite(value)) return 0;
  const double scale = std::pow(10, 4 - std::ceil(std::log10(std::abs(value))));
  return std::round(value * scale) / scale;
}

double ms(Nanos d) {
  return short_number(static_cast<double>(d.count()) / 1e6);
}

template <class Rows, class Of>
json::array column(const Rows& rows, Of&& of) {
  json::array out;
  out.reserve(rows.size());
  for (const auto& row : rows) out.push_back(of(row));
  return out;
}

// The mean of neighbours: these are states and rates, not percentiles.
std::vector<Point> thinned_points(const std::vector<Point>& points, std::size_t bound) {
  if (points.size() <= bound) return points;
  const std::size_t group = (points.size() + bound - 1) / bound;
  std::vector<Point> out;
  for (std::size_t i = 0; i < points.size(); i += group) {
    const std::size_t n = std::min(group, points.size() - i);
    Point sum;
    for (std::size_t k = i; k < i + n; ++k) {
      sum.at += points[k].at;
      sum.value += points[k].value;
    }
    out.push_back({sum.at / static_cast<double>(n), sum.value / static_cast<double>(n)});
  }
  return out;
}

json::object line(const std::string& name, const std::vector<Point>& all, double scale = 1) {
  const std::vector<Point> points = thinned_points(all, kChartRows);
  return {{"name", name},
          {"x", column(points, [](const Point& p) { return std::round(p.at * 100) / 100; })},
          {"y", column(points, [&](const Point& p) { return short_number(p.value * scale); })}};
}

// Latency at percentiles that lie evenly on the axis log10(1 / (1 - p)), as far as there are requests to
// tell.
json::array by_percentile(const Hdr& hdr) {
  json::array out;
  if (hdr.count() == 0) return out;
  const double last = std::min(6.0, std::log10(static_cast<double>(hdr.count())));
  constexpr int kSteps = 24;  // a decade
  for (int i = 0; i <= static_cast<int>(last * kSteps); ++i) {
    const double x = static_cast<double>(i) / kSteps;
    out.push_back(json::array{short_number(x), ms(hdr.percentile(100 * (1 - std::pow(10, -x))))});
  }
  out.push_back(json::array{short_number(last), ms(hdr.max())});
  return out;
}

json::array percentile_lines(const Summary& s) {
  json::array out;
  std::size_t kinds = 0;
  for (const OutcomeStats& o : s.measured.stats.outcomes) kinds += o.response.count() > 0 ? 1 : 0;
  if (kinds != 1)
    out.push_back(json::object{
        {"outcome", "all"}, {"response", by_percentile(s.response)}, {"service", by_percentile(s.service)}});
  for (std::size_t i = 0; i < kOutcomes; ++i) {
    const OutcomeStats& o = s.measured.stats.outcomes[i];
    if (static_cast<Outcome>(i) == Outcome::kSkipped || o.response.count() == 0) continue;
    out.push_back(json::object{{"outcome", kOutcomeNames[i]},
                               {"response", by_percentile(o.response)},
                               {"service", by_percentile(o.service)}});
  }
  return out;
}

json::object target_lines(const Result& result) {
  json::array hits, rss, cpu;
  std::set<std::string> targets;
  for (const Series& series : result.series) targets.insert(series.target);
  for (const std::string& target : targets)
    if (const auto points = hit_ratio(result, target); !points.empty()) hits.push_back(line(target, points));
  for (const Series& series : result.series) {
    if (series.name == "process_rss_bytes")
      rss.push_back(line(series.target, series.points, 1.0 / (1 << 20)));
    if (series.name == "process_cpu_seconds") cpu.push_back(line(series.target, cpus_used(series)));
  }
  return {{"hits", hits}, {"rss", rss}, {"cpu", cpu}};
}

json::object interval_columns(const std::vector<Interval>& rows) {
  json::object out;
  const auto rate = [](const Interval& r, std::uint64_t n) {
    return r.seconds > 0 ? short_number(static_cast<double>(n) / r.seconds) : 0;
  };
  out["at"] =
      column(rows, [](const Interval& r) { return std::round((r.at - (r.seconds / 2)) * 100) / 100; });
  out["offered"] = column(rows, [&](const Interval& r) { return rate(r, r.offered); });
  for (std::size_t i = 0; i < kOutcomes; ++i)
    out[kOutcomeNames[i]] = column(rows, [&](const Interval& r) { return rate(r, r.outcomes[i]); });
  const auto latency = [&](Nanos Interval::* which) {
    return column(rows, [&](const Interval& r) { return ms(r.*which); });
  };
  out["p50"] = latency(&Interval::p50);
  out["p95"] = latency(&Interval::p95);
  out["p99"] = latency(&Interval::p99);
  out["max"] = latency(&Interval::max);
  out["service_p99"] = latency(&Interval::service_p99);
  out["waiting"] = column(rows, [](const Interval& r) { return r.waiting; });
  out["in_flight"] = column(rows, [](const Interval& r) { return r.in_flight; });
  out["busy"] = column(rows, [](const Interval& r) { return short_number(r.busy); });
  return out;
}

}  // namespace

std::vector<Interval> thinned(const std::vector<Interval>& rows, std::size_t bound) {
  const std::size_t group = std::max<std::size_t>(1, (rows.size() + bound - 1) / bound);
  double longest = 0;
  for (const Interval& row : rows) longest = std::max(longest, row.seconds);
  std::vector<Interval> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Interval& row = rows[i];
    const bool scrap = row.seconds < longest / 2;
    if (out.empty() || (i % group == 0 && !scrap)) {
      out.push_back(row);
      continue;
    }
    Interval& sum = out.back();
    sum.at = row.at;
    sum.seconds += row.seconds;
    for (std::size_t k = 0; k < kOutcomes; ++k) sum.outcomes[k] += row.outcomes[k];
    if (sum.unmet) sum.unmet = *sum.unmet + row.unmet.value_or(0);
    sum.offered += row.offered;
    sum.bytes += row.bytes;
    for (Nanos Interval::* which : {&Interval::p50, &Interval::p90, &Interval::p95, &Interval::p99,
                                    &Interval::max, &Interval::service_p99})
      sum.*which = std::max(sum.*which, row.*which);
    for (std::uint64_t Interval::* which : {&Interval::connections, &Interval::in_flight, &Interval::waiting})
      sum.*which = std::max(sum.*which, row.*which);
    if (!scrap) sum.busy = std::max(sum.busy, row.busy);  // a share of almost no time says nothing
  }
  return out;
}

std::vector<Point> hit_ratio(const Result& result, const std::string& target) {
  std::map<double, std::pair<double, double>> increases;  // by time: hits, all
  for (const Series& series : result.series) {
    if (series.target != target || series.name != "sekisho_cache_requests_total") continue;
    const auto label = series.labels.find("result");
    if (label == series.labels.end() || std::ranges::find(kAsked, label->second) == kAsked.end()) continue;
    for (std::size_t i = 1; i < series.points.size(); ++i) {
      const double more = std::max(0.0, series.points[i].value - series.points[i - 1].value);
      auto& [hits, all] = increases[series.points[i].at];
      if (label->second == "hit" || label->second == "stale") hits += more;
      all += more;
    }
  }
  std::vector<Point> points;
  for (const auto& [at, counts] : increases)
    if (counts.second > 0) points.push_back({at, 100 * counts.first / counts.second});
  return points;
}

std::vector<Point> cpus_used(const Series& series) {
  std::vector<Point> points;
  double longest = 0;
  for (std::size_t i = 1; i < series.points.size(); ++i)
    longest = std::max(longest, series.points[i].at - series.points[i - 1].at);
  for (std::size_t i = 1; i < series.points.size(); ++i) {
    const Point &a = series.points[i - 1], &b = series.points[i];
    if (b.at - a.at < longest / 10) continue;  // /proc counts in hundredths of a second
    if (b.value >= a.value) points.push_back({(a.at + b.at) / 2, (b.value - a.value) / (b.at - a.at)});
  }
  return points;
}

std::string percentile_points(const Hdr& hdr) {
  return json::serialize(by_percentile(hdr));
}

std::string chart_data(const Result& result, const Summary& summary) {
  json::object data;
  const std::vector<Interval> rows = thinned(result.intervals, kChartRows);
  data["intervals"] = interval_columns(rows);
  data["end"] =
      std::max(result.phases.empty() ? 0 : result.phases.back().to, rows.empty() ? 0 : rows.back().at);
  data["phases"] = column(result.phases, [](const PhaseInfo& p) -> json::value {
    return {{"name", p.name}, {"from", p.from}, {"to", p.to}, {"warm_up", p.warm_up}};
  });
  data["spans"] = column(result.spans, [](const Span& s) -> json::value {
    return {{"name", s.name}, {"from", seconds_of(s.from)}, {"to", seconds_of(s.to)}, {"fault", s.fault}};
  });
  json::array bad;
  for (const Happening& h : result.happenings)
    if (h.bad) bad.push_back(h.at);
  data["bad"] = bad;
  data["journeys"] = summary.journeys;
  data["targets"] = target_lines(result);
  data["percentiles"] = percentile_lines(summary);
  return json::serialize(data);
}

}  // namespace prove
