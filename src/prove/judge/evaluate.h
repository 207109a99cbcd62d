// Works a guardrail out: what was measured over its scope, and whether it holds.
//
// Owner:    judge().  Thread: one; totals of a scope are kept, since many checks ask of the same one.
// Lifetime: result, timeline and campaign outlive it.
// Failures: what cannot be told is State::kUnknown with a sentence, never a figure.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "prove/judge/bounds.h"
#include "prove/judge/series_math.h"
#include "prove/model/expression.h"
#include "prove/model/timeline.h"
#include "prove/record/result.h"

namespace prove {

class Evaluator {
 public:
  Evaluator(const Result& result, const Timeline& timeline, const Campaign& campaign)
      : result_(result), timeline_(timeline), campaign_(campaign) {}

  CheckResult check(const Check& check, CheckResult::Kind kind);

  // Why checks were unknown so far, by cause.
  const std::map<Unknown::Cause, int>& unknowns() const { return unknowns_; }

 private:
  struct Part {  // the run within a scope
    std::vector<std::size_t> segments;
    std::vector<Extent> stretches;
    Total total;
    std::uint64_t users = 0;  // of its closed phases, at the most
    double timeout = 0;       // seconds: the shortest of its steps
  };

  const Part& part(const Scope& scope);
  Worked value(const Node& node, const Scope& scope);
  Worked measured(const Measure& measure, const Scope& scope);
  Worked latency(const Measure& measure, const Scope& scope, const Part& part) const;
  Value doubted(Value seen, double one, const Part& part) const;
  Value paced(double seen, const Part& part) const;
  void compare(const Relation& comparison, CheckResult& result);
  std::expected<CheckResult::State, Unknown> compared(const Relation& comparison, const Value& left,
                                                      const Value& right, bool both, bool swapped) const;
  void unknown_for(const Unknown& why, CheckResult& result);

  const Result& result_;
  const Timeline& timeline_;
  const Campaign& campaign_;
  std::map<std::string, std::unique_ptr<Part>> parts_;
  std::map<Unknown::Cause, int> unknowns_;
};

}  // namespace prove
