// The verdict: PASS, FAIL, or INVALID, which is what a run is that proves nothing either way.
//
// FAIL: a guardrail is broken, or a process of the campaign ended by itself.
// INVALID wins over FAIL where the generator may be to blame: such figures accuse nobody. Broken guardrails
// are listed all the same. It yields to FAIL where it only says that another goal could not be told, or that
// fewer arrivals were sent than offered, by a generator in time and at leisure. What makes a run INVALID:
//   - an open phase in which less than validity.rate of the arrivals were sent before its end
//   - a phase whose p99 send lag is above validity.send_lag
//   - a generator thread that was busy for more than validity.busy of a phase
//   - a guardrail that cannot be told: too few requests beyond a percentile, a slope over too short a time, a
//     missing series, nothing in its scope
//   - a `require` that is broken or cannot be told
//   - no request at all, no guardrail at all, an interruption, a bad Happening
// Warm-up phases are no part of it. Every rule leaves a line among the checks, with its limit, also when it
// is held.
//
// Owner:    nobody.  Thread: any.
#pragma once

#include "prove/model/model.h"
#include "prove/record/result.h"

namespace prove {

void judge(Result& result, const Campaign& campaign);  // fills checks, verdict and warnings

// For reports: checks that are no part of a PASS.
inline bool spoils(const CheckResult& c) {
  return c.state == CheckResult::State::kUnknown ||
         (c.state == CheckResult::State::kBroken && c.kind != CheckResult::Kind::kGuardrail);
}
Verdict verdict_of(const std::vector<CheckResult>& checks);

}  // namespace prove
