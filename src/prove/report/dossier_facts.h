// What a dossier tells of one run: distilled once from its result, which then is let go but for its small
// parts, so that a dossier of a hundred runs costs what the largest one does.
//
// Owner:    dossier.h.  Thread: one.  Lifetime: independent of the result that it was made from.
// Units:    seconds on the timeline of the run, requests a second.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "prove/report/report_summary.h"

namespace prove {

struct LatencyRow {      // of a scenario, or of the whole run
  std::string scenario;  // "": the whole
  std::uint64_t requests = 0;
  Hdr response;
};

struct FaultFacts {
  std::string name;
  double from = 0, to = 0;
  std::uint64_t requests = 0;      // meant to start in it
  std::optional<double> success;   // percent of them
  Hdr response;                    // of them
  bool watched = false;            // the run went on after it
  std::optional<double> last_bad;  // seconds from its end to the last request that went wrong; none: none did
  bool ended_well = false;         // the last tenth of a second that had requests was without fault
};

struct SeriesFacts {
  std::string target, name;  // with its labels
  std::string family;
  bool counter = false;
  double first = 0, last = 0, most = 0;
  double increase = 0;  // of a counter, over restarts
};

// Where latency leaves the ground while the rate grows.
struct Knee {
  double rate = 0;              // requests a second, from which on it was slow
  Nanos p99{0}, ground_p99{0};  // there, and at the lowest rates
};

// How the middle of a series' third quarter of the run compares to that of its last one.
struct Growth {
  std::string target, series;
  double before = 0, after = 0, seconds = 0;  // between the middles of the two
};

struct RunFacts {
  std::string label;   // by which the dossier names it; no other has it
  std::string folder;  // as the command line led to it
  Result result;       // without segments and intervals
  Summary summary;
  std::vector<LatencyRow> latencies;
  std::vector<FaultFacts> faults;
  std::vector<SeriesFacts> series;
  std::vector<Growth> growths;
  std::optional<Knee> knee;
  std::string charts_html, charts_data;  // "" where nothing was measured
  std::string percentiles_data;          // an array: [[x, ms], …]

  std::uint64_t reason(Reason r) const { return summary.measured.stats.reasons[static_cast<std::size_t>(r)]; }
  std::uint64_t count(Outcome o) const {
    return summary.measured.stats.outcomes[static_cast<std::size_t>(o)].count;
  }
  std::size_t goals() const;
  std::size_t goals_in(CheckResult::State state) const;
};

RunFacts facts_of(Result result, std::string folder);

// A run that has no name of its own among the others is told by its folder.
void label_runs(std::vector<RunFacts>& runs);

// How many times better than its limit a latency goal was met; nothing for other goals, and for those that
// were not.
std::optional<double> headroom(const CheckResult& check);

}  // namespace prove
