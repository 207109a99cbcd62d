#include "prove/judge/shares.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/sabotage.h"
#include "prove/judge/statistics.h"

namespace prove {
namespace {

using Op = Relation::Op;
using State = CheckResult::State;

constexpr double kDoubt = 0.05;

bool at_the_most(Op op) {
  return op == Op::kLess || op == Op::kLessOrEqual;
}
bool at_the_least(Op op) {
  return op == Op::kGreater || op == Op::kGreaterOrEqual;
}

// What it says is that every request, or none, is one of them.
bool of_all(Op op, double threshold) {
  return (op == Op::kGreaterOrEqual && threshold >= 1) || (op == Op::kLessOrEqual && threshold <= 0);
}

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

std::uint64_t of_sample(double share, std::uint64_t n) {
  return static_cast<std::uint64_t>(std::llround(std::clamp(share, 0.0, 1.0) * static_cast<double>(n)));
}

}  // namespace

std::uint64_t needed_for_share(Op op, double threshold, std::uint64_t exact) {
  if (sabotage::on("prove-one-request-shows-all")) return 1;
  if ((!at_the_most(op) && !at_the_least(op)) || of_all(op, threshold)) return exact;
  const double right = at_the_least(op) ? threshold : 1 - threshold;  // the least share of those that go well
  if (right <= 0) return 1;
  if (right >= 1) return exact;  // "< 0%", "> 100%"
  return std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(std::ceil(std::log(kDoubt) / std::log(right) - 1e-9)));
}

std::expected<State, Unknown> state_of_share(const Value& share, Op op, double threshold, std::uint64_t exact,
                                             bool confident) {
  const std::uint64_t n = share.sample;
  const bool bounded = (at_the_most(op) || at_the_least(op)) && !of_all(op, threshold);
  const std::uint64_t seen = of_sample(share.high, n);
  if (bounded && confident) {
    const Value within(at_least(seen, n), 1 - at_least(n - seen, n), {});
    const State state = state_of(within, op, threshold);
    if (state != State::kUnknown) return state;
    return unknown(Unknown::Cause::kTail,
                   fmt::format("{} requests leave it between {} and {} at 95 % confidence", grouped(n),
                               show(within.low, kShare), show(within.high, kShare)));
  }
  const State state = state_of(share, op, threshold);
  const std::uint64_t needed = needed_for_share(op, threshold, exact);
  if (n >= needed) return state;
  if (state == State::kBroken) {
    const double wrong = at_the_least(op) ? threshold : 1 - threshold;
    const std::uint64_t bad = at_the_least(op) ? n - seen : seen;
    // One that went wrong refutes "all", however few there were; more of them would not mend the rest either.
    if (!bounded || at_least(bad, n) > 1 - wrong) return state;
  }
  return unknown(Unknown::Cause::kTail,
                 fmt::format("{} requests cannot show {} {}: {} are needed", grouped(n), name_of(op),
                             show(threshold, kShare), grouped(needed)));
}

}  // namespace prove
