#include "prove/run/ab.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "base/sabotage.h"
#include "prove/judge/statistics.h"
#include "prove/report/report_text.h"

namespace prove {
namespace {

constexpr std::size_t kTries = 2;     // times the runs that are wanted, at the most: some may be INVALID
constexpr std::size_t kHopeless = 6;  // runs in a row that are INVALID
constexpr double kClearly = 0.05;     // Fisher's test, one-sided

// What became of the runs of one side. All that were made count, and none is made again in silence.
struct Tally {
  std::array<std::size_t, 3> verdicts{};  // by Verdict's order: PASS, FAIL, INVALID
  std::vector<RunFigures> valid;

  std::size_t failed() const { return verdicts[1]; }
  std::size_t invalid() const { return verdicts[2]; }
  std::size_t all() const { return valid.size() + invalid(); }
  std::string text() const {
    return fmt::format("{} runs, {} PASS, {} FAIL, {} INVALID", all(), verdicts[0], failed(), invalid());
  }
};

struct Round {
  Tally a, b;
};

std::map<std::string, std::string> with(std::map<std::string, std::string> set,
                                        const std::map<std::string, std::string>& side) {
  for (const auto& [name, value] : side) set[name] = value;
  return set;
}

void run_once(const RunOptions& options, const std::map<std::string, std::string>& side,
              const std::string& name, Tally& tally, Interrupt& interrupt) {
  RunOptions one = options;
  one.set = with(options.set, side);
  one.out = options.out + "/" + name;
  one.quiet = true;
  const RunEnd end = run_and_report(one, interrupt);
  if (!end.report_error.empty()) throw std::runtime_error(end.report_error);
  if (interrupt.requested()) return;  // it was cut
  const Verdict verdict = end.result.verdict;
  const bool fails = verdict == Verdict::kFail && !sabotage::on("prove-ab-drops-failures");
  const bool proves = verdict != Verdict::kInvalid;
  if (proves || !sabotage::on("prove-ab-drops-invalid")) ++tally.verdicts[fails ? 1 : proves ? 0 : 2];
  if (verdict != Verdict::kInvalid) tally.valid.push_back(figures_of(end.result, name));
  if (verdict != Verdict::kPass) say(stdout, text_summary(end.result));
  if (!options.quiet) say(stdout, fmt::format("run {}: {}\n", name, name_of(verdict)));
}

// Pairs of runs, in turn, until each side has as many as are wanted that are not INVALID.
Round run_round(const RunOptions& options, const AbOptions& sides, std::size_t number, Interrupt& interrupt) {
  Round round;
  std::size_t hopeless = 0;
  for (const Side side : interleaved(kTries * sides.runs)) {
    Tally& tally = side == Side::kBaseline ? round.a : round.b;
    const bool between_pairs = round.a.all() == round.b.all();
    if (between_pairs && std::min(round.a.valid.size(), round.b.valid.size()) >= sides.runs) break;
    if (interrupt.requested() || hopeless == kHopeless) break;
    const std::size_t invalid = tally.invalid();
    const bool first = side == Side::kBaseline;
    run_once(options, first ? sides.a : sides.b,
             fmt::format("{}-{}-{}", number, first ? "a" : "b", tally.all() + 1), tally, interrupt);
    hopeless = tally.invalid() > invalid ? hopeless + 1 : 0;
  }
  if (hopeless == kHopeless)
    say(stdout, fmt::format("ended early: the last {} runs were INVALID\n", hopeless));
  say(stdout, fmt::format("A: {}\nB: {}\n", round.a.text(), round.b.text()));
  return round;
}

// B fails its campaign where A does not, or clearly more often: no figure makes up for that.
std::string failure_of(const Round& round) {
  const Tally &a = round.a, &b = round.b;
  if (b.failed() == 0 || a.valid.empty()) return "";
  const double p = fisher(b.failed(), b.valid.size(), a.failed(), a.valid.size());
  if (a.failed() > 0 && !(p < kClearly)) return "";
  return fmt::format("B FAILs its campaign in {} of {} runs, and A in {} of {} (p = {:.2g})", b.failed(),
                     b.valid.size(), a.failed(), a.valid.size(), p);
}

// What is left of a side of which many runs are INVALID is a selection of it.
std::string selection_of(const Round& round) {
  const auto more = [](const Tally& one, const Tally& other) {
    return fisher(one.invalid(), one.all(), other.invalid(), other.all()) < kClearly;
  };
  const bool b = more(round.b, round.a);
  if (!b && !more(round.a, round.b)) return "";
  return fmt::format(
      "{} is INVALID clearly more often, {} of {} runs against {} of {}: what is left is a selection",
      b ? "B" : "A", (b ? round.b : round.a).invalid(), (b ? round.b : round.a).all(),
      (b ? round.a : round.b).invalid(), (b ? round.a : round.b).all());
}

// What keeps `no regression` from being said of a round; empty where nothing does.
std::string doubt_of(const Round& round, const Comparison& comparison, const AbOptions& sides,
                     Interrupt& interrupt) {
  if (interrupt.requested()) return "it was interrupted";
  const std::size_t runs = std::min(round.a.valid.size(), round.b.valid.size());
  if (runs < sides.runs)
    return fmt::format("of the {} runs that were wanted of each side there are {}", sides.runs, runs);
  if (std::string selection = selection_of(round); !selection.empty()) return selection;
  const Tally &a = round.a, &b = round.b;
  if (b.failed() * a.valid.size() > a.failed() * b.valid.size())
    return fmt::format("B FAILs its campaign in {} of {} runs, and A in {} of {}, which may be chance",
                       b.failed(), b.valid.size(), a.failed(), a.valid.size());
  if (!comparison.left_out.empty())
    return fmt::format("{} is not in every run", fmt::join(comparison.left_out, ", "));
  std::vector<std::string> open;
  for (const Change& c : comparison.changes)
    if (c.verdict == Change::Verdict::kUndecided) open.push_back(c.name);
  if (open.empty()) return "";
  return fmt::format("{} may have changed by more than the threshold, or not", fmt::join(open, ", "));
}

int fails(const std::string& why) {
  say(stdout, fmt::format("FAIL: {}.\n", why));
  return static_cast<int>(Verdict::kFail);
}

int ends(const std::string& doubt) {
  if (doubt.empty()) {
    say(stdout, "PASS: no regression of B against A.\n");
    return static_cast<int>(Verdict::kPass);
  }
  say(stdout, fmt::format("Not decided: {}.\n", doubt));
  return static_cast<int>(Verdict::kInvalid);
}

}  // namespace

int run_ab(const RunOptions& options, const AbOptions& sides, const CompareOptions& comparison,
           Interrupt& interrupt) {
  // The sides differ by what is set, so their campaigns' hashes do; machine and build are this process's.
  const Round first_round = run_round(options, sides, 1, interrupt);
  const Comparison first = compare(first_round.a.valid, first_round.b.valid, comparison);
  if (!first.changes.empty()) say(stdout, table_of(first, comparison));
  if (const std::string failure = failure_of(first_round); !failure.empty()) return fails(failure);
  if (!first.regression()) return ends(doubt_of(first_round, first, sides, interrupt));
  say(stdout, "A regression; the same again, to confirm it.\n");
  const Round second_round = run_round(options, sides, 2, interrupt);
  const Comparison second = compare(second_round.a.valid, second_round.b.valid, comparison);
  if (!second.changes.empty()) say(stdout, table_of(second, comparison));
  if (const std::string failure = failure_of(second_round); !failure.empty()) return fails(failure);
  for (const Round* round : {&first_round, &second_round})
    if (const std::string selection = selection_of(*round); !selection.empty()) return ends(selection);
  const std::vector<std::string> both = confirmed(first, second);
  if (!both.empty()) return fails(fmt::format("confirmed: {}", fmt::join(both, ", ")));
  if (interrupt.requested()) return ends("it was interrupted");
  std::vector<std::string> once;
  for (const Change& c : first.changes)
    if (c.verdict == Change::Verdict::kRegression) once.push_back(c.name);
  return ends(fmt::format("{} was a regression once, and not again", fmt::join(once, ", ")));
}

}  // namespace prove
