// The few statistics that comparisons of runs need.
//
// Owner:    nobody; pure functions.  Thread: any.
#pragma once

#include <cstdint>
#include <vector>

namespace prove {

double median(std::vector<double> values);                   // 0 when there are none
double median_deviation(const std::vector<double>& values);  // from the median

// Mann and Whitney's U: whether two groups of runs come from the same distribution, whatever that is.
struct MannWhitney {
  double u = 0;       // of the first group: in how many pairs its value is the greater one, ties a half
  double p = 1;       // two-sided
  bool exact = true;  // counted over all arrangements, ties among them; else by the normal distribution
};
MannWhitney mann_whitney(const std::vector<double>& a, const std::vector<double>& b);

// How much greater the values of `a` are than those of `b`: Hodges and Lehmann's estimate, the median of all
// differences, and the interval that the same test leaves: every shift that it does not reject at `alpha`.
// Without end on a side where there are too few values for that.
struct Shift {
  double by = 0, low = 0, high = 0;
};
Shift shift_of(const std::vector<double>& a, const std::vector<double>& b, double alpha);

// Fisher's exact test, one-sided: how likely it is that so many of `a` are hit, or more, if both are hit
// alike.
double fisher(std::uint64_t hits_a, std::uint64_t a, std::uint64_t hits_b, std::uint64_t b);

// Clopper and Pearson's bound, one-sided at 95 %: the share that the cause of `k` of `n` has at the least.
double at_least(std::uint64_t k, std::uint64_t n, double alpha = 0.05);

}  // namespace prove
