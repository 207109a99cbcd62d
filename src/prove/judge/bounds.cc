#include "prove/judge/bounds.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace prove {
namespace {

using State = CheckResult::State;

bool same(double a, double b) {
  if (!std::isfinite(a) || !std::isfinite(b)) return a == b;
  return a == b || std::abs(a - b) <= 1e-9 * std::max(std::abs(a), std::abs(b));
}

double apply(Node::Op op, double a, double b) {
  switch (op) {
    case Node::Op::kAdd:
      return a + b;
    case Node::Op::kSubtract:
      return a - b;
    case Node::Op::kMultiply:
      return a * b;
    default:
      return a / b;
  }
}

}  // namespace

bool holds(double a, Relation::Op op, double b) {
  switch (op) {
    case Relation::Op::kLess:
      return a < b && !same(a, b);
    case Relation::Op::kLessOrEqual:
      return a < b || same(a, b);
    case Relation::Op::kGreater:
      return a > b && !same(a, b);
    case Relation::Op::kGreaterOrEqual:
      return a > b || same(a, b);
    case Relation::Op::kEqual:
      return same(a, b);
    case Relation::Op::kNotEqual:
      return !same(a, b);
  }
  return false;
}

State state_of(const Value& a, Relation::Op op, const Value& b) {
  const auto state = [](bool held, bool broken) {
    return held ? State::kHeld : broken ? State::kBroken : State::kUnknown;
  };
  // What never ended breaks what it is bounded by, and holds nothing: a target that answers nobody is neither
  // slower than was asked, nor as fast as it was when it answered nobody either.
  const auto decided = [&](double x, double y, double worst_x, double worst_y) {
    return state(holds(x, op, y) && std::isfinite(x) && std::isfinite(y),
                 !holds(worst_x, op, worst_y) && !(std::isinf(worst_x) && std::isinf(worst_y)));
  };
  switch (op) {
    case Relation::Op::kLess:
    case Relation::Op::kLessOrEqual:
      return decided(a.high, b.low, a.low, b.high);
    case Relation::Op::kGreater:
    case Relation::Op::kGreaterOrEqual:
      return decided(a.low, b.high, a.high, b.low);
    case Relation::Op::kEqual:
    case Relation::Op::kNotEqual:
      break;
  }
  const bool exact = a.low == a.high && b.low == b.high;
  if (exact && std::isinf(a.low) && std::isinf(b.low)) return State::kUnknown;
  const bool equal = exact && same(a.low, b.low);
  const auto below = [](double x, double y) { return x < y && !same(x, y); };
  const bool apart = exact ? !equal : below(a.high, b.low) || below(b.high, a.low);
  return op == Relation::Op::kEqual ? state(equal, apart) : state(apart, equal);
}

Value negative(const Value& a) {
  Value out = a;
  out.low = -a.high;
  out.high = -a.low;
  return out;
}

Worked combined(Node::Op op, const Value& a, const Value& b, const Node& divisor) {
  if (op == Node::Op::kDivide && b.low <= 0 && b.high >= 0)
    return unknown(Unknown::Cause::kOther,
                   divisor.op == Node::Op::kMeasure
                       ? fmt::format("{} was 0, and nothing is a share of it", divisor.measure.text)
                       : "it would divide by 0");
  const std::array corners = {apply(op, a.low, b.low), apply(op, a.low, b.high), apply(op, a.high, b.low),
                              apply(op, a.high, b.high)};
  const std::string& why = a.why.empty() ? b.why : a.why;
  if (std::ranges::any_of(corners, [](double x) { return std::isnan(x); }))
    return unknown(Unknown::Cause::kOther, fmt::format("what never ended cannot be reckoned with: {}", why));
  const auto [low, high] = std::ranges::minmax(corners);
  Value out(low, high, why);
  out.late = a.late || b.late;
  out.sample = a.sample == 0 || b.sample == 0 ? a.sample + b.sample : std::min(a.sample, b.sample);
  return out;
}

}  // namespace prove
