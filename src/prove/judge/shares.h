// Whether a share was told of enough requests.
//
// Problem:  one request that went well is a success of 100 %, and proves no 99.999 %. A check of a share is
//           of what was seen, as everywhere; what it needs beside that is a sample that could have shown it:
//           so many requests that, had every one of them gone well, at most one set in twenty of a target
//           that misses the threshold would have looked like that (Clopper and Pearson, one-sided at 95 %,
//           which is the rule of three: 3 / 0.1 % makes some 3,000).
// Owner:    nobody; pure functions.  Thread: any.  See docs/adr/0028.
#pragma once

#include <optional>

#include "prove/judge/bounds.h"

namespace prove {

// Of a check "share op threshold", the least number of requests; `exact` of those that ask for a share
// itself, for all or for none of the requests.
std::uint64_t needed_for_share(Relation::Op op, double threshold, std::uint64_t exact);

// The state of such a check of a share that has a sample, or why it has none. With `confident` the check is
// not of the share that was seen but of all that lie within its bounds at 95 %.
std::expected<CheckResult::State, Unknown> state_of_share(const Value& share, Relation::Op op,
                                                          double threshold, std::uint64_t exact,
                                                          bool confident);

}  // namespace prove
