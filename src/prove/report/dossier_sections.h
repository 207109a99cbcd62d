// The sections of a dossier, each from the facts of all its runs; one that has nothing to tell says so.
//
// Owner: dossier_of().  Thread: any; pure functions.
#pragma once

#include <span>
#include <vector>

#include "prove/report/document.h"
#include "prove/report/dossier_facts.h"
#include "prove/report/dossier_rules.h"

namespace prove {

DocSection overview(std::span<const RunFacts> runs);  // verdicts, and what a reader asks first
DocSection goals(std::span<const RunFacts> runs);     // each guardrail of each campaign, met or missed
DocSection recommendations(const std::vector<Recommendation>& all);
DocSection latency(std::span<const RunFacts> runs);
DocSection reliability(std::span<const RunFacts> runs);
DocSection chaos(std::span<const RunFacts> runs);
DocSection security(std::span<const RunFacts> runs);
DocSection capacity(std::span<const RunFacts> runs);
DocSection metrics(std::span<const RunFacts> runs);
DocSection pictures(std::span<const RunFacts> runs);
DocSection environments(std::span<const RunFacts> runs);

}  // namespace prove
