// One proof over several runs: `sekisho prove dossier DIR…`, in HTML and Markdown.
//
// Problem:  whoever decides reads one document, not ten: which goals were met and missed in all campaigns,
//           how fast, how it took faults, who was kept out, where its limit was, and what to do next.
// Owner:    the command.  Thread: one.
// Failures: std::runtime_error with one line: a folder that is none or holds no result.json, a result that is
//           damaged, a file that cannot be written.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "prove/report/document.h"
#include "prove/report/dossier_facts.h"

namespace prove {

// The runs in the folders, in their order: one that has a result.json is a run, another is looked through for
// such, by name, as `ab` leaves them.
std::vector<RunFacts> read_runs(const std::vector<std::string>& folders);

// FAIL where a run FAILs, else INVALID where one is, else PASS.
Verdict verdict_of(std::span<const RunFacts> runs);

Document dossier_of(std::span<const RunFacts> runs);

// Writes dossier.html and dossier.md into `out`, says on `stdout` what they tell, and returns the exit code.
int write_dossier(const std::vector<std::string>& folders, const std::string& out);

}  // namespace prove
