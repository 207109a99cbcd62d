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

// Clopper and Pearson's bound, one-sided at 95 %: the share that the cause of `k` of `n` has at the least.
double at_least(std::uint64_t k, std::uint64_t n);

}  // namespace prove
