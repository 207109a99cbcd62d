// The verdict: PASS, FAIL, or INVALID, which is what a run is that proves nothing either way.
//
// FAIL: a guardrail is broken, or a process of the campaign ended by itself.
// INVALID wins over FAIL where the load was not the one that the file describes for a reason of the harness.
// It yields to FAIL where it only says that another goal could not be told, that fewer arrivals were sent
// than offered, or that the generator was late or busy: what such a generator may have caused is within the
// bounds of each check (lateness.h), so that what is broken all the same was broken by the target. What makes
// a run INVALID:
//   - an open phase in which less than validity.rate of the arrivals were sent before its end
//   - a check that is broken, but by no more than late sending and reading may have added; users who had
//     rested and were late to go on for so much of their time that less than validity.rate of it is left
//   - a generator thread that was busy for more than validity.busy of a phase, where users waited for it or
//     an open load did not go out
//   - a guardrail that cannot be told: too few requests beyond a percentile or for a share, a slope over too
//     short a time, a missing series, nothing in its scope
//   - a `require` that is broken or cannot be told
//   - no request at all, no guardrail at all, an interruption, a bad Happening
// Warm-up phases are no part of it. Every rule leaves a line among the checks, with its limit, also when it
// is held.
//
// Owner:    nobody.  Thread: any.
#pragma once

#include <vector>

#include "prove/model/model.h"
#include "prove/model/timeline.h"
#include "prove/record/result.h"

namespace prove {

void judge(Result& result, const Campaign& campaign);  // fills checks, verdict and warnings

// The segments of a run that went on until then: those behind it last for no time.
std::vector<Segment> segments_until(const Timeline& timeline, Nanos end);

// For reports: checks that are no part of a PASS.
inline bool spoils(const CheckResult& c) {
  return c.state == CheckResult::State::kUnknown ||
         (c.state == CheckResult::State::kBroken && c.kind != CheckResult::Kind::kGuardrail);
}
Verdict verdict_of(const std::vector<CheckResult>& checks);

}  // namespace prove
