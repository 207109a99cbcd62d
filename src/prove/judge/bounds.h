// A figure that may be known only to lie between two bounds, and what a comparison of such figures comes to.
//
// Problem:  a recovery that nobody lived to see, a latency of requests that the run's end cut off, one that
//           late sending has made longer: each has a figure most favourable to the target and one least so. A
//           check holds or is broken only where it does at every figure in between.
// Owner:    the evaluator; plain values.  Thread: any.  Units: those of the measure; infinite: for ever.
// Failures: an Unknown, where no figure can be had at all.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <utility>

#include "prove/judge/series_math.h"
#include "prove/model/expression.h"
#include "prove/model/seconds.h"
#include "prove/record/result.h"

namespace prove {

struct Value {
  Value(double exact) : low(exact), high(exact) {}  // NOLINT(google-explicit-constructor)
  Value(double l, double h, std::string text) : low(l), high(h), why(std::move(text)) {}
  double low, high;  // infinite: of requests that did not end as expected
  std::string why;   // of bounds: why nobody knows it better; of what is infinite: what did not end
  std::uint64_t sample =
      0;              // of a share: the requests that it is a share of, the fewest where there are several
  bool late = false;  // the bounds lie apart for what the harness may have added
};
using Worked = std::expected<Value, Unknown>;

inline std::unexpected<Unknown> unknown(Unknown::Cause cause, std::string text) {
  return std::unexpected(Unknown{cause, std::move(text)});
}

// But for what the last binary digits make of decimal figures.
bool holds(double a, Relation::Op op, double b);
CheckResult::State state_of(const Value& left, Relation::Op op, const Value& right);

Value negative(const Value& a);
Worked combined(Node::Op op, const Value& a, const Value& b, const Node& divisor);  // + - * /

}  // namespace prove
