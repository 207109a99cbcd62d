#include "prove/model/recovery_goals.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "prove/model/expression.h"

namespace prove {
namespace {

std::optional<double> constant(const Node& node) {
  if (node.op == Node::Op::kLiteral) return node.value;
  if (node.op == Node::Op::kMeasure) return std::nullopt;
  const auto left = constant(*node.left);
  if (!left) return std::nullopt;
  if (node.op == Node::Op::kNegative) return -*left;
  const auto right = constant(*node.right);
  if (!right) return std::nullopt;
  switch (node.op) {
    case Node::Op::kAdd:
      return *left + *right;
    case Node::Op::kSubtract:
      return *left - *right;
    case Node::Op::kMultiply:
      return *left * *right;
    default:
      return *left / *right;
  }
}

bool tells_of_each(const Measure& m) {
  return m.what == Measure::What::kLatency && m.clock != Measure::Clock::kLag && !m.unmet &&
         (m.statistic == Measure::Statistic::kPercentile || m.statistic == Measure::Statistic::kMax) &&
         (!m.outcome || *m.outcome == Outcome::kOk);
}

bool covers(const Timeline& timeline, const Scope& scope, Nanos moment) {
  if (moment >= timeline.end()) return false;
  const std::vector<std::size_t> segments = timeline.within(scope);
  return std::ranges::find(segments, timeline.segment_at(moment)) != segments.end();
}

std::optional<RecoveryGoal> goal_of(const Check& check, const Pairs& define, const Timeline& timeline,
                                    Nanos end) {
  const auto relation = parse_expression(check.text, define);
  if (!relation || relation->left->op != Node::Op::kMeasure || !tells_of_each(relation->left->measure))
    return std::nullopt;
  if (relation->op != Relation::Op::kLess && relation->op != Relation::Op::kLessOrEqual) return std::nullopt;
  const auto limit = constant(*relation->right);
  if (!limit || !std::isfinite(*limit)) return std::nullopt;
  const Measure& m = relation->left->measure;
  const Scope scope = scope_of(m, scope_of(check));
  if (!covers(timeline, scope, end)) return std::nullopt;
  return RecoveryGoal{.check = check.text,
                      .scope = scope,
                      .clock = m.clock,
                      .of_met = m.outcome.has_value(),
                      .limit = Nanos(static_cast<std::int64_t>(std::clamp(*limit, 0.0, 1e9) * 1e9)),
                      .share = m.statistic == Measure::Statistic::kMax ? 1 : m.percentile / 100};
}

}  // namespace

bool RecoveryGoal::is_about(const Scenario& of, std::size_t step) const {
  return (scope.scenario.empty() || of.name == scope.scenario) &&
         (scope.step.empty() || of.steps[step].name == scope.step) &&
         (scope.tag.empty() ||
          std::ranges::find(of.steps[step].tags, scope.tag) != of.steps[step].tags.end());
}

std::vector<RecoveryGoal> recovery_goals(const Campaign& campaign, const Timeline& timeline,
                                         const Span& fault) {
  std::vector<RecoveryGoal> goals;
  for (const Check& check : campaign.guardrails)
    if (auto goal = goal_of(check, campaign.define, timeline, fault.to)) goals.push_back(*std::move(goal));
  return goals;
}

}  // namespace prove
