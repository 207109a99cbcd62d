// What a dossier recommends: a table of rules, each a condition on results and the sentence that follows from
// it, with the figures that made it hold. Advice and no verdict: no rule changes an exit code.
//
// Owner:    dossier.h.  Thread: any; pure functions.
// To add:   a row of kRules (of one run) or kSetRules (of all of them), and a case in dossier_rules_test.cc.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "prove/report/dossier_facts.h"

namespace prove {

enum class Weight : std::uint8_t { kMend, kDoubt, kAdvice };  // gravest first

struct RunRule {
  std::string_view name;
  Weight weight;
  std::string (*says)(const RunFacts& run);  // "" where it does not apply
};
struct SetRule {
  std::string_view name;
  Weight weight;
  std::string (*says)(std::span<const RunFacts> runs);
};

std::span<const RunRule> run_rules();
std::span<const SetRule> set_rules();

struct Recommendation {
  std::string_view rule;
  Weight weight;
  std::string run;  // its label; "": all of them
  std::string text;
};
// Gravest first, then in the order of the runs.
std::vector<Recommendation> recommend(std::span<const RunFacts> runs);

}  // namespace prove
