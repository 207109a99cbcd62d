#include "prove/judge/statistics.h"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/hypergeometric.hpp>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <limits>
#include <numeric>

namespace prove {
namespace {

constexpr std::size_t kExact = 40;  // runs of both groups, up to which all arrangements are counted

// Ranks from 1, those of equal values shared out; doubled, so that they are whole.
std::vector<std::size_t> doubled_ranks(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, {}, [&](std::size_t i) { return values[i]; });
  std::vector<std::size_t> ranks(values.size());
  for (std::size_t from = 0; from < order.size();) {
    std::size_t to = from + 1;
    while (to < order.size() && values[order[to]] == values[order[from]]) ++to;
    for (std::size_t i = from; i < to; ++i) ranks[order[i]] = from + 1 + to;  // 2 * mean of from+1 … to
    from = to;
  }
  return ranks;
}

// In how many ways `n` of the ranks can be chosen, by their sum.
std::vector<double> choices(const std::vector<std::size_t>& ranks, std::size_t n) {
  const std::size_t whole = std::accumulate(ranks.begin(), ranks.end(), std::size_t{0});
  std::vector<std::vector<double>> ways(n + 1, std::vector<double>(whole + 1));  // [how many][their sum]
  ways[0][0] = 1;
  for (const std::size_t rank : ranks)
    for (std::size_t k = n; k-- > 0;)
      for (std::size_t s = whole - rank + 1; s-- > 0;) ways[k + 1][s + rank] += ways[k][s];
  return ways[n];
}

// The share of all choices of `n` of the ranks whose sum is at least as far from the middle as `sum`.
double exact_p(const std::vector<std::size_t>& ranks, std::size_t n, std::size_t sum) {
  const std::size_t whole = std::accumulate(ranks.begin(), ranks.end(), std::size_t{0});
  const std::vector<double> ways = choices(ranks, n);
  const double middle =
      static_cast<double>(whole) * static_cast<double>(n) / static_cast<double>(ranks.size());
  const double distance = std::abs(static_cast<double>(sum) - middle);
  double all = 0, far = 0;
  for (std::size_t s = 0; s <= whole; ++s) {
    all += ways[s];
    if (std::abs(static_cast<double>(s) - middle) >= distance - 1e-9) far += ways[s];
  }
  return far / all;
}

double normal_p(const std::vector<double>& values, double u, double n, double m) {
  std::vector<double> sorted = values;
  std::ranges::sort(sorted);
  double ties = 0;
  for (auto from = sorted.begin(); from != sorted.end();) {
    const auto to = std::upper_bound(from, sorted.end(), *from);
    const auto t = static_cast<double>(to - from);
    ties += t * t * t - t;
    from = to;
  }
  const double all = n + m;
  const double variance = n * m / 12 * (all + 1 - ties / (all * (all - 1)));
  if (variance <= 0) return 1;
  const double distance = std::max(0.0, std::abs(u - n * m / 2) - 0.5);  // U moves in steps
  return std::erfc(distance / std::sqrt(variance) / std::sqrt(2.0));
}

// The largest c for which U is below c with a probability of alpha / 2 at the most, where there is no shift.
std::size_t critical(std::size_t n, std::size_t m, double alpha) {
  if (n + m > kExact) {
    const auto pairs = static_cast<double>(n * m);
    const boost::math::normal standard;
    const double z = boost::math::quantile(standard, alpha / 2);
    const double c = pairs / 2 + z * std::sqrt(pairs * static_cast<double>(n + m + 1) / 12);
    return c > 0 ? static_cast<std::size_t>(c) : 0;
  }
  std::vector<std::size_t> ranks(n + m);
  std::iota(ranks.begin(), ranks.end(), 1);
  const std::vector<double> ways = choices(ranks, n);
  const double all = std::accumulate(ways.begin(), ways.end(), 0.0);
  double below = 0;
  for (std::size_t c = 0; c <= n * m; ++c) {
    below += ways[n * (n + 1) / 2 + c];
    if (below / all > alpha / 2) return c;
  }
  return n * m;
}

// What never ended is as late as what never ended.
double difference(double a, double b) {
  return a == b ? 0 : a - b;
}

}  // namespace

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double median_deviation(const std::vector<double>& values) {
  const double middle = median(values);
  std::vector<double> off;
  off.reserve(values.size());
  for (const double v : values) off.push_back(std::abs(v - middle));
  return median(std::move(off));
}

MannWhitney mann_whitney(const std::vector<double>& a, const std::vector<double>& b) {
  MannWhitney result;
  if (a.empty() || b.empty()) return result;
  std::vector<double> all = a;
  all.insert(all.end(), b.begin(), b.end());
  const std::vector<std::size_t> ranks = doubled_ranks(all);
  const std::size_t sum =
      std::accumulate(ranks.begin(), ranks.begin() + static_cast<std::ptrdiff_t>(a.size()), std::size_t{0});
  const auto n = static_cast<double>(a.size()), m = static_cast<double>(b.size());
  result.u = static_cast<double>(sum) / 2 - n * (n + 1) / 2;
  result.exact = all.size() <= kExact;
  result.p = result.exact ? exact_p(ranks, a.size(), sum) : normal_p(all, result.u, n, m);
  return result;
}

Shift shift_of(const std::vector<double>& a, const std::vector<double>& b, double alpha) {
  constexpr double kNoEnd = std::numeric_limits<double>::infinity();
  if (a.empty() || b.empty()) return {.by = 0, .low = -kNoEnd, .high = kNoEnd};
  std::vector<double> all;
  all.reserve(a.size() * b.size());
  for (const double x : a)
    for (const double y : b) all.push_back(difference(x, y));
  std::ranges::sort(all);
  const std::size_t c = critical(a.size(), b.size(), alpha);
  return {
      .by = median(all), .low = c == 0 ? -kNoEnd : all[c - 1], .high = c == 0 ? kNoEnd : all[all.size() - c]};
}

double fisher(std::uint64_t hits_a, std::uint64_t a, std::uint64_t hits_b, std::uint64_t b) {
  using Hypergeometric = boost::math::hypergeometric_distribution<double>;
  if (hits_a == 0 || b <= hits_b) return 1;  // it has so many in any case
  const auto whole = [](std::uint64_t n) { return static_cast<unsigned>(n); };
  const Hypergeometric drawn(whole(hits_a + hits_b), whole(a), whole(a + b));
  return boost::math::cdf(boost::math::complement(drawn, whole(hits_a - 1)));
}

double at_least(std::uint64_t k, std::uint64_t n, double alpha) {
  using Binomial = boost::math::binomial_distribution<double>;
  if (k == 0 || n == 0) return 0;
  return Binomial::find_lower_bound_on_p(static_cast<double>(n), static_cast<double>(std::min(k, n)), alpha);
}

}  // namespace prove
