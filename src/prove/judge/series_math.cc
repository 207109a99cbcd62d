#include "prove/judge/series_math.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "base/sabotage.h"

namespace prove {
namespace {

using Of = Measure::Of;

constexpr double kSnap =
    0.25;  // a sample for a boundary is taken at it, or as soon after it as the thread wakes
constexpr double kCovered = 0.9;  // of the scope, by samples: what came where there was none would go unseen
constexpr double kShort = 10;     // seconds; of a gauge over less than that a sample will do
constexpr double kInfinite = std::numeric_limits<double>::infinity();

std::unexpected<Unknown> unknown(Unknown::Cause cause, std::string text) {
  return std::unexpected(Unknown{cause, std::move(text)});
}

std::string gap(const Measure& m, double blind, double asked) {
  return fmt::format("there is no sample of {} for {} of {}", m.series, show(blind, kTime),
                     show(asked, kTime));
}

std::string label_of(const Series& s, const std::string& name) {
  const auto label = s.labels.find(name);
  return label == s.labels.end() ? std::string() : label->second;
}

bool selected(const Series& s, const std::vector<Selector>& selectors) {
  return std::ranges::all_of(selectors, [&](const Selector& want) {
    return std::ranges::find(want.values, label_of(s, want.label)) != want.values.end();
  });
}

// A label's value that never showed may be one that nothing counts under: a typo must hold no goal.
std::string none_has(const Measure& m, const std::vector<const Series*>& family) {
  std::string labels, seen;
  for (const Selector& want : m.selectors) {
    labels += fmt::format("{}{}=\"{}\"", labels.empty() ? "" : ", ", want.label, fmt::join(want.values, "|"));
    std::set<std::string> values;
    for (const Series* s : family) values.insert(label_of(*s, want.label));
    constexpr std::size_t kShown = 8;
    const bool more = values.size() > kShown;
    if (more) values.erase(std::next(values.begin(), kShown), values.end());
    seen += fmt::format("{}{} was {}{}", seen.empty() ? "" : "; ", want.label, fmt::join(values, ", "),
                        more ? " and others" : "");
  }
  return fmt::format(
      "no series of {0} has {{{1}}} ({2}); where it is right that none has come, write {0}{{…}} or 0",
      m.series, labels, seen);
}

// When the target was scraped, as far as its series tell.
std::set<double> scrape_times(const std::vector<Series>& all, const std::string& target) {
  std::set<double> times;
  for (const Series& s : all)
    if (s.target == target && !is_proc(s.name))
      for (const Point& p : s.points) times.insert(p.at);
  return times;
}

double snapped(double boundary, const std::set<double>& times) {
  const auto next = times.lower_bound(boundary - 1e-3);
  return next != times.end() && *next <= boundary + kSnap ? *next : boundary;
}

struct Chosen {
  std::vector<const Series*> series;
  std::string target;
  std::set<double> times;  // of the samples
};

std::expected<Chosen, Unknown> choose(const std::vector<Series>& all, const Measure& m) {
  using enum Unknown::Cause;
  Chosen chosen;
  std::set<std::string> targets;
  std::vector<const Series*> family;
  for (const Series& s : all)
    if (s.name == m.series && !s.points.empty() && (m.target.empty() || s.target == m.target)) {
      targets.insert(s.target);
      family.push_back(&s);
    }
  if (family.empty())
    return unknown(kSeries, fmt::format("no sample of {} was had{}", m.series,
                                        m.target.empty() ? "" : fmt::format(" from target '{}'", m.target)));
  if (targets.size() > 1)
    return unknown(kSeries,
                   fmt::format("{} comes from several targets; choose one by {{target=\"…\"}}", m.series));
  for (const Selector& want : m.selectors)
    if (std::ranges::none_of(family, [&](const Series* s) { return s->labels.contains(want.label); }))
      return unknown(kSeries, fmt::format("no series of {} has a label '{}'", m.series, want.label));
  chosen.target = *targets.begin();
  for (const Series* s : family)
    if (selected(*s, m.selectors)) chosen.series.push_back(s);
  if (chosen.series.empty() && !m.or_zero && !sabotage::on("prove-unseen-is-zero"))
    return unknown(kSeries, none_has(m, family));
  chosen.times = is_proc(m.series) ? std::set<double>() : scrape_times(all, chosen.target);
  for (const Series* s : family)
    for (const Point& p : s->points) chosen.times.insert(p.at);
  return chosen;
}

// A counter's label set first shows when it first counts: until then it stood at zero.
std::vector<Point> from_zero(const Series& s, const std::set<double>& times) {
  std::vector<Point> points = s.points;
  const auto first = times.find(points.front().at);
  if (!is_proc(s.name) && first != times.end() && first != times.begin())
    points.insert(points.begin(), {*std::prev(first), 0});
  return points;
}

bool is_counter(const Series& s) {
  return s.counter || s.name.ends_with("_total") || s.name.ends_with("_count") || s.name.ends_with("_bucket");
}

Figure of_counter(const Chosen& chosen, const Measure& m, const std::vector<Extent>& scope) {
  using enum Unknown::Cause;
  for (const Series* s : chosen.series)
    if (!is_counter(*s))
      return unknown(kSeries,
                     fmt::format("{} is no counter; ask last({}) - first({})", m.series, m.series, m.series));
  const double begin = *chosen.times.begin(), end = *chosen.times.rbegin();
  double sum = 0, seconds = 0, asked = 0;
  for (const Extent& stretch : scope) {
    const double from = snapped(stretch.from, chosen.times), to = snapped(stretch.to, chosen.times);
    asked += to - from;
    seconds += std::max(0.0, std::min(to, end) - std::max(from, begin));
    const bool whole = m.of == Of::kDelta;  // what was still in flight counts, but belongs to no second
    for (const Series* s : chosen.series)
      sum += increase(from_zero(*s, chosen.times), whole && stretch.first ? -kInfinite : from,
                      whole && stretch.last ? kInfinite : to);
  }
  if (seconds <= 0)
    return unknown(kSeries, fmt::format("fewer than two samples of {} fell into the scope", m.series));
  if (seconds < kCovered * asked) return unknown(kSeries, gap(m, asked - seconds, asked));
  return m.of == Of::kRate ? sum / seconds : sum;
}

// The sum of all series at each sample of the scope.
std::vector<Point> summed(const Chosen& chosen, const std::vector<Extent>& scope) {
  std::map<double, double> sums;
  for (const Extent& stretch : scope) {
    const double from = snapped(stretch.from, chosen.times), to = snapped(stretch.to, chosen.times);
    for (const Series* s : chosen.series)
      for (const Point& p : s->points)
        if (p.at >= from && p.at <= to) sums.try_emplace(p.at, 0);
  }
  for (const Series* s : chosen.series)
    for (const Point& p : s->points)
      if (const auto it = sums.find(p.at); it != sums.end()) it->second += p.value;
  std::vector<Point> points;
  points.reserve(sums.size());
  for (const auto& [at, value] : sums) points.push_back({at, value});
  return points;
}

// The longest time within the scope in which nobody looked.
double longest_gap(const std::vector<Point>& points, const std::vector<Extent>& scope) {
  double longest = 0;
  for (const Extent& stretch : scope) {
    double since = stretch.from;
    for (const Point& p : points) {
      if (p.at < since || p.at > stretch.to) continue;
      longest = std::max(longest, p.at - since);
      since = p.at;
    }
    longest = std::max(longest, stretch.to - since);
  }
  return longest;
}

Figure of_gauge(const Chosen& chosen, const Measure& m, const std::vector<Extent>& scope, double least) {
  using enum Unknown::Cause;
  if (chosen.series.empty()) return 0.0;  // `or 0`
  const std::vector<Point> points = summed(chosen, scope);
  if (points.empty()) return unknown(kSeries, fmt::format("no sample of {} fell into the scope", m.series));
  double asked = 0;
  for (const Extent& stretch : scope) asked += stretch.to - stretch.from;
  // The first or last sample that there is stands for the scope's end only where it lies close to it, and
  // what was the most between two samples is known only where they are close to each other.
  const double most = std::max(kShort, (1 - kCovered) * asked);
  const double blind = longest_gap(points, scope);
  const bool one = m.of == Of::kFirst || m.of == Of::kLast || m.of == Of::kSlope;
  if (!one && blind > most) return unknown(kSeries, gap(m, blind, asked));
  if (m.of == Of::kFirst && points.front().at - scope.front().from > most)
    return unknown(kSeries, fmt::format("the first sample of {} came {} after the beginning", m.series,
                                        show(points.front().at - scope.front().from, kTime)));
  if (m.of == Of::kLast && scope.back().to - points.back().at > most)
    return unknown(kSeries, fmt::format("the last sample of {} came {} before the end", m.series,
                                        show(scope.back().to - points.back().at, kTime)));
  const auto by_value = [](const Point& a, const Point& b) { return a.value < b.value; };
  switch (m.of) {
    case Of::kFirst:
      return points.front().value;
    case Of::kLast:
      return points.back().value;
    case Of::kMax:
      return std::ranges::max(points, by_value).value;
    case Of::kMin:
      return std::ranges::min(points, by_value).value;
    case Of::kAvg: {
      double sum = 0;
      for (const Point& p : points) sum += p.value;
      return sum / static_cast<double>(points.size());
    }
    default:
      break;
  }
  if (asked < least || blind > std::max((1 - kCovered) * asked, std::min(kShort, asked / 3)))
    return unknown(kSlope, fmt::format("a slope over {} tells nothing; {} are needed, sampled throughout",
                                       show(std::min(asked, asked - blind), kTime), show(least, kTime)));
  if (points.size() < 3) return unknown(kSlope, fmt::format("{} samples are no slope", points.size()));
  return slope(points);
}

}  // namespace

std::vector<Extent> extents_of(const std::vector<Segment>& timeline,
                               const std::vector<std::size_t>& segments) {
  std::vector<Extent> stretches;
  for (const std::size_t i : segments) {
    const double from = std::chrono::duration<double>(timeline[i].from).count();
    const double to = std::chrono::duration<double>(timeline[i].to).count();
    const bool last = i + 1 == timeline.size();
    if (!stretches.empty() && stretches.back().to == from) {
      stretches.back().to = to;
      stretches.back().last = last;
    } else {
      stretches.push_back({from, to, i == 0, last});
    }
  }
  return stretches;
}

double busiest_of(const Result& result, const std::vector<Extent>& stretches) {
  double asked = 0, most = 0;
  for (const Extent& stretch : stretches) asked += stretch.to - stretch.from;
  const double window = std::max(2.0, asked / 20);
  for (const Extent& stretch : stretches) {
    double seconds = 0, busy = 0;  // of the rows from `first` to `i`
    std::size_t first = 0;
    for (std::size_t i = 0; i < result.intervals.size(); ++i) {
      const auto within = [&](const Interval& row) {
        return row.at - row.seconds >= stretch.from - 1e-6 && row.at <= stretch.to + 1e-6;
      };
      const auto add = [&](const Interval& row, double sign) {
        seconds += sign * row.seconds;
        busy += sign * row.seconds * row.busy;
      };
      if (!within(result.intervals[i])) {
        first = i + 1;
        seconds = busy = 0;
        continue;
      }
      add(result.intervals[i], 1);
      while (seconds - result.intervals[first].seconds >= window - 1e-6) add(result.intervals[first++], -1);
      if (seconds >= window - 1e-6) most = std::max(most, busy / seconds);
    }
  }
  return most;
}

double increase(const std::vector<Point>& points, double from, double to) {
  double sum = 0;
  for (std::size_t i = 0; i + 1 < points.size(); ++i) {
    const Point &a = points[i], &b = points[i + 1];
    const double grown = b.value < a.value ? b.value : b.value - a.value;  // it fell: it began again at zero
    const double length = b.at - a.at;
    const double inside = std::min(b.at, to) - std::max(a.at, from);
    if (inside <= 0) continue;
    sum += inside >= length ? grown : grown * inside / length;
  }
  return sum;
}

double slope(const std::vector<Point>& points) {
  const auto n = static_cast<double>(points.size());
  double at = 0, value = 0, above = 0, below = 0;
  for (const Point& p : points) {
    at += p.at / n;
    value += p.value / n;
  }
  for (const Point& p : points) {
    above += (p.at - at) * (p.value - value);
    below += (p.at - at) * (p.at - at);
  }
  return below > 0 ? above / below : 0;
}

Figure measure_series(const std::vector<Series>& all, const Measure& m, const std::vector<Extent>& scope,
                      double least) {
  const auto chosen = choose(all, m);
  if (!chosen) return std::unexpected(chosen.error());
  if (m.of == Of::kDelta || m.of == Of::kRate) return of_counter(*chosen, m, scope);
  return of_gauge(*chosen, m, scope, least);
}

}  // namespace prove
