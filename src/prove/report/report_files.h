// All reports of a run in one folder: report.html, report.md, junit.xml, summary.json (k6), benchmark.json
// (github-action-benchmark), latency.hgrm, and result.json, from which the others can be made again.
//
// Problem:  a disk that fills up must leave no report that looks whole, and no mixture of two runs. Every
//           file is written and synced under another name first; names change only when all of them are on
//           the disk.
// Owner:    the command.  Thread: one.
// Failures: std::runtime_error with one line that names the file; the folder then is as it was.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "prove/record/result.h"

namespace prove {

// Takes away what an earlier run left there, the interval log too, so that it does not pass for this run's.
void remove_reports(const std::string& folder);

// Files by name, all of them or none.
void write_files(const std::string& folder, const std::vector<std::pair<std::string, std::string>>& files);

void write_reports(const Result& result, const std::string& folder);  // makes the folder

}  // namespace prove
