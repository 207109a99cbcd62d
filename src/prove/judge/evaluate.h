// Works a guardrail out: what was measured over its scope, and whether it holds.
//
// Owner:    judge().  Thread: one; totals of a scope are kept, since many checks ask of the same one.
// Lifetime: result, timeline and campaign outlive it.
// Failures: what cannot be told is State::kUnknown with a sentence, never a figure.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

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
  };
  // A figure, or the bounds that it is known to lie within: a recovery that nobody lived to see, a latency of
  // requests that the end of the run cut off. The lower one is the one most favourable to the target.
  struct Value {
    Value(double exact) : low(exact), high(exact) {}  // NOLINT(google-explicit-constructor)
    Value(double l, double h, std::string text) : low(l), high(h), why(std::move(text)) {}
    double low, high;  // infinite: of requests that did not end as expected
    std::string why;   // of bounds: why nobody knows it better; of what is infinite: what did not end
  };
  using Worked = std::expected<Value, Unknown>;

  const Part& part(const Scope& scope);
  Worked value(const Node& node, const Scope& scope);
  Worked measured(const Measure& measure, const Scope& scope);
  Worked latency(const Measure& measure, const Scope& scope, const Part& part) const;
  Worked latency_of_all(const Measure& measure, const Total& total) const;
  Worked recovery(const Measure& measure, const Scope& scope) const;
  double needed_beyond() const;  // requests beyond a percentile
  void compare(const Relation& comparison, CheckResult& result);
  static CheckResult::State state_of(const Value& left, Relation::Op op, const Value& right);

  const Result& result_;
  const Timeline& timeline_;
  const Campaign& campaign_;
  std::map<std::string, std::unique_ptr<Part>> parts_;
  std::map<Unknown::Cause, int> unknowns_;
};

}  // namespace prove
