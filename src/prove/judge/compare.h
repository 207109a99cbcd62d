// Baselines: whether candidate runs are worse than baseline runs, by metric, and how sure that is.
//
// Problem:  a bare limit of 10 % flaps: the same build fails, fails, passes; and a test that finds nothing
//           has not shown that nothing is there. A regression is called when the change is large AND the runs
//           of the two groups are told apart by the Mann-Whitney U test (across runs, since requests of one
//           run are not independent) AND there are runs enough for that. Who wants to act upon it repeats the
//           whole comparison: see confirmed(). `Same` is called where all that the test leaves possible, the
//           interval about Hodges and Lehmann's shift, is small; else it is not decided.
// Owner:    nobody; values and pure functions but for compare_files().  Thread: any.
// Units:    effect and noise as fractions; figures as their dimension says.
// Failures: files that cannot be read or must not be compared are lines on `err` and exit code 2.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "prove/judge/statistics.h"
#include "prove/model/quantity.h"
#include "prove/record/result.h"

namespace prove {

struct CompareOptions {
  double threshold = 0.10;  // of the baseline's median; of a share: of those that failed
  double points = 0.001;    // of a share, which a change has to be at the least
  double alpha = 0.01;
  std::size_t least_runs = 9;          // in each group, for a change to be called
  bool anyway = false;                 // compare what differs, and say so
  std::vector<std::string> metrics{};  // those alone; none: all
};

// ---- figures of a run

struct MetricFigure {
  std::string name;  // "p95 response", "cpu per request (gateway)"
  Dimension dimension;
  bool more_is_better = false;
  double value = 0;
  std::uint64_t of = 0;  // a share: of so many requests; 0: nobody knows
};
struct RunFigures {
  std::string file;
  Environment environment;
  Verdict verdict = Verdict::kInvalid;
  std::vector<MetricFigure> metrics;  // without warm-up
};
RunFigures figures_of(const Result& result, std::string file);

// What must be the same and is not, a line each: campaign, machine, build, time scale; and runs that are
// INVALID.
std::vector<std::string> differences(const std::vector<RunFigures>& runs);

// ---- the comparison

struct Change {
  enum class Verdict : std::uint8_t {
    kSame,         // whatever it is, it is not large
    kSmall,        // there is a change, and it is not large
    kRegression,   // worse: large and significant
    kImprovement,  // better: large and significant
    kUndecided     // it may be large or not
  } verdict = Verdict::kUndecided;
  std::string name;
  Dimension dimension;
  double baseline = 0, candidate = 0;  // medians
  // Relative to the baseline; of a share: in points. Positive: there is more of it.
  double effect = 0;         // of the medians
  double low = 0, high = 0;  // between which it is, at 1 - alpha
  double limit = 0;          // above which an effect is large
  double seen = 0;           // the smallest effect that these runs could have shown
  MannWhitney test;
};
std::string_view name_of(Change::Verdict verdict);

struct Comparison {
  std::size_t baseline_runs = 0, candidate_runs = 0;
  std::vector<Change> changes;  // of the metrics that all runs have
  std::vector<std::string> left_out;
  bool regression() const;
  bool decided() const;  // every one of them
};
Comparison compare(const std::vector<RunFigures>& baseline, const std::vector<RunFigures>& candidate,
                   const CompareOptions& options);
std::string table_of(const Comparison& comparison, const CompareOptions& options);

// For `prove ab`. In which order to run: A B B A A B …, so that a drift of the machine falls on both alike.
enum class Side : std::uint8_t { kBaseline, kCandidate };
std::vector<Side> interleaved(std::size_t rounds);
// The names of what is a regression in both of two comparisons.
std::vector<std::string> confirmed(const Comparison& first, const Comparison& second);

// `prove compare`: 0 no regression, 1 a regression, 2 refused.
int compare_files(const std::vector<std::string>& baseline, const std::vector<std::string>& candidate,
                  const CompareOptions& options, std::ostream& out, std::ostream& err);

}  // namespace prove
