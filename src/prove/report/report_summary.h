// What all reports tell of a result: worked out once, so that the page, the comment and the numbers agree.
//
// Owner:    a report, for the time it is written.
// Thread:   one.
// Lifetime: points into the result.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "prove/record/result.h"

namespace prove {

struct Stretch {  // a phase, a window or a fault, added up
  std::string name;
  double from = 0, to = 0;  // seconds
  enum class Kind : std::uint8_t { kPhase, kWarmUp, kWindow, kFault } kind = Kind::kPhase;
  std::string load;    // of a phase
  double seconds = 0;  // that it lasted; less than `to` says when the run was cut short
  Total total;
  Hdr response, service;  // of all that was sent
};

struct TargetCpu {  // from process_cpu_seconds
  std::string target;
  double mean = 0, peak = 0;  // CPUs
  double seconds = 0;         // used while measured
  double processes = 1;       // that it was, at the most
};

struct Figure {
  std::string label, value, note;
};

struct Summary {
  Total measured;      // all but warm-up
  double seconds = 0;  // that this lasted
  Hdr response, service, first_byte;
  std::uint64_t sent = 0;      // requests with an outcome but `skipped`
  std::uint64_t skipped = 0;   // never sent
  std::uint64_t bytes = 0;     // of reply bodies
  double offered_rate = 0;     // arrivals a second; 0 in the closed model
  bool journeys = false;       // an arrival is a journey of several requests, so that rates differ by nature
  double achieved_rate = 0;    // requests that ended, a second
  std::optional<double> kept;  // percent of the offered arrivals that went out in time
  std::optional<double> success;  // percent; see success_of()
  std::vector<Stretch> phases, spans;
  std::vector<TargetCpu> cpu;

  std::vector<std::string> reasons;  // why the verdict is not PASS, gravest first
  std::string limit;                 // what the limit was, in a sentence with its figures
  std::vector<Figure> capacity;      // the figures behind it
};

Summary summarize(const Result& result);

// Percent of everything that ended as its step expects, of all outcomes, since an arrival that was skipped
// did not go well. None of none is no figure.
std::optional<double> success_of(const StepStats& stats);

std::string offered_text(const Summary& summary);  // "99.9 % of 800 arrivals/s sent in time", "closed model"
std::string scope_text(const Scope& scope);        // "phase peak, during origin-killed"; "" for the whole run
std::string_view state_text(CheckResult::State state);  // "held", "broken", "unknown"
std::string outcome_text(Outcome outcome);              // "timed out"

// "reset 12, refused 3": the most frequent first; "" when there were none.
std::string reasons_text(const StepStats& stats);
// "12 requests were sent again (retries)"; "" when none was.
std::string retries_text(const StepStats& stats);
// "12 redirects were followed, 3 times a step was left out (if)"; "" where neither was.
std::string turns_text(const StepStats& stats);
// "GET /: status 200–299 was expected, 500 came"; where it went wrong and how.
std::string sample_text(const Sample& sample);
std::string statuses_text(const StepStats& stats);                          // "200 × 1,234, 503 × 12"
std::string labels_text(const std::map<std::string, std::string>& labels);  // {a="b"}; "" when there are none

}  // namespace prove
