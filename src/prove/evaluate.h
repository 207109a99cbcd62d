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

#include "prove/expression.h"
#include "prove/result.h"
#include "prove/series_math.h"
#include "prove/timeline.h"

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
  };
  // A figure that is only known to be reached or passed: a recovery that nobody lived to see.
  struct Value {
    double value = 0;
    bool at_least = false;
  };
  using Worked = std::expected<Value, Unknown>;

  const Part& part(const Scope& scope);
  Worked value(const Node& node, const Scope& scope);
  Worked measured(const Measure& measure, const Scope& scope);
  Figure latency(const Measure& measure, const Total& total) const;
  Worked recovery(const Measure& measure, const Scope& scope) const;
  void compare(const Relation& comparison, CheckResult& result);

  const Result& result_;
  const Timeline& timeline_;
  const Campaign& campaign_;
  std::map<std::string, std::unique_ptr<Part>> parts_;
  std::map<Unknown::Cause, int> unknowns_;
};

}  // namespace prove
