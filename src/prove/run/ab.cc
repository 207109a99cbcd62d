#include "prove/run/ab.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "prove/report/report_text.h"

namespace prove {
namespace {

constexpr int kTries = 3;  // of one run, before its side counts as INVALID

struct Round {
  std::vector<RunFigures> a, b;
};

std::map<std::string, std::string> with(std::map<std::string, std::string> set,
                                        const std::map<std::string, std::string>& side) {
  for (const auto& [name, value] : side) set[name] = value;
  return set;
}

// One run of one side; nothing when it could not be had.
std::optional<RunFigures> run_once(const RunOptions& options, const std::map<std::string, std::string>& side,
                                   const std::string& name, Interrupt& interrupt) {
  RunOptions one = options;
  one.set = with(options.set, side);
  one.out = options.out + "/" + name;
  one.quiet = true;
  for (int attempt = 0; attempt < kTries && !interrupt.requested(); ++attempt) {
    const RunEnd end = run_and_report(one, interrupt);
    if (!end.report_error.empty()) throw std::runtime_error(end.report_error);
    if (end.result.verdict != Verdict::kInvalid) return figures_of(end.result, name);
    say(stdout, text_summary(end.result));
  }
  return std::nullopt;
}

std::optional<Round> run_round(const RunOptions& options, const AbOptions& sides, std::size_t number,
                               Interrupt& interrupt) {
  Round round;
  for (const Side side : interleaved(sides.runs)) {
    const bool first = side == Side::kBaseline;
    std::vector<RunFigures>& runs = first ? round.a : round.b;
    const std::string name = fmt::format("{}-{}-{}", number, first ? "a" : "b", runs.size() + 1);
    auto figures = run_once(options, first ? sides.a : sides.b, name, interrupt);
    if (!figures) return std::nullopt;
    runs.push_back(*std::move(figures));
    if (!options.quiet) say(stdout, fmt::format("run {} done\n", name));
  }
  return round;
}

}  // namespace

int run_ab(const RunOptions& options, const AbOptions& sides, const CompareOptions& comparison,
           Interrupt& interrupt) {
  // The sides differ by what is set, so their campaigns' hashes do; machine and build are this process's.
  const auto first_round = run_round(options, sides, 1, interrupt);
  if (!first_round) return static_cast<int>(Verdict::kInvalid);
  const Comparison first = compare(first_round->a, first_round->b, comparison);
  say(stdout, table_of(first, comparison));
  if (!first.regression()) {
    if (std::ranges::find(first.changes, Change::Verdict::kTooFew, &Change::verdict) == first.changes.end())
      return 0;
    say(stdout,
        fmt::format("There is a large change, and it takes {} runs of each side to tell what it is worth.\n",
                    comparison.least_runs));
    return static_cast<int>(Verdict::kInvalid);
  }
  say(stdout, "A regression; the same again, to confirm it.\n");
  const auto second_round = run_round(options, sides, 2, interrupt);
  if (!second_round) return static_cast<int>(Verdict::kInvalid);
  const Comparison second = compare(second_round->a, second_round->b, comparison);
  say(stdout, table_of(second, comparison));
  const std::vector<std::string> both = confirmed(first, second);
  if (both.empty()) {
    say(stdout, "Not confirmed.\n");
    return 0;
  }
  say(stdout, fmt::format("Confirmed: {}.\n", fmt::join(both, ", ")));
  return 1;
}

}  // namespace prove
