// Two of something under the same campaign, run by run in turn: `sekisho prove ab`.
//
// Problem:  a figure of yesterday against one of today compares two moods of a machine. Here both sides run
//           in one job, A B B A A B …, and a regression counts when a second round of the same finds it
//           again. And who drops the runs that went wrong compares those that survived: every run counts, by
//           side and verdict.
// Owner:    the command.  Thread: the calling one.
// Failures: std::runtime_error with one line.
#pragma once

#include <map>
#include <string>

#include "prove/judge/compare.h"
#include "prove/run/run.h"

namespace prove {

struct AbOptions {
  std::map<std::string, std::string> a, b;  // what differs: ${NAME} on this side
  std::size_t runs = 9;                     // of each side
};

// The exit code: 0 no regression of B against A, each figure told apart from one; 1 a confirmed one, or B
// FAILs its campaign and A does not, or clearly less often; 2 no comparison; 3 not decided: a figure may have
// changed by more than the threshold or not, or there are too few runs that are not INVALID.
int run_ab(const RunOptions& options, const AbOptions& sides, const CompareOptions& comparison,
           Interrupt& interrupt);

}  // namespace prove
