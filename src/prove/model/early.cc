#include "prove/model/early.h"

#include <fmt/format.h>

#include "prove/model/expression.h"

namespace prove {
namespace {

using What = Measure::What;
using Op = Relation::Op;

bool is_count(const Measure& m) {
  return m.what == What::kCount || m.what == What::kRetries || m.what == What::kReason ||
         m.what == What::kStatus;
}

bool is_of_what_ended(const Measure& m) {
  return (m.what == What::kLatency && m.clock != Measure::Clock::kLag) || m.what == What::kShare ||
         m.what == What::kSuccess || m.what == What::kUploaded;
}

// Whether it is made of counts and numbers that are added up, and so never becomes less.
bool grows(const Node& node) {
  if (node.op == Node::Op::kMeasure) return is_count(node.measure);
  return node.op == Node::Op::kLiteral ||
         (node.op == Node::Op::kAdd && grows(*node.left) && grows(*node.right));
}

bool bounds_from_above(const Relation& r) {
  const bool below = r.op == Op::kLess || r.op == Op::kLessOrEqual;
  const bool above = r.op == Op::kGreater || r.op == Op::kGreaterOrEqual;
  const bool left = r.right->op == Node::Op::kLiteral && grows(*r.left);
  const bool right = r.left->op == Node::Op::kLiteral && grows(*r.right);
  if (r.op == Op::kEqual) return (left && r.right->value == 0) || (right && r.left->value == 0);
  return (left && below) || (right && above);
}

}  // namespace

std::string told_late(std::string_view text, const Pairs& defines) {
  const auto relation = parse_expression(text, defines);
  if (!relation) return relation.error();
  std::string why;
  bool counts = false;
  each_measure(text, defines, [&](const Measure& m) {
    if (is_count(m))
      counts = true;
    else if (!is_of_what_ended(m) && why.empty())
      why = fmt::format("'{}' can be told only when the run is over", m.text);
  });
  if (why.empty() && counts && !bounds_from_above(*relation))
    why = "a count can end a run only by an upper bound, such as count(failed) < 10";
  return why;
}

}  // namespace prove
