// Which guardrails may end a run: those that can be told of what was seen so far.
//
// Problem:  `requests > 1000` is broken in the first second of every run, and nobody is to blame for it. A
//           latency or a share is one of the requests that have ended; a count only grows, so that an upper
//           bound which is passed stays so.
// Owner:    nobody; a pure function.  Thread: any.
#pragma once

#include <string>
#include <string_view>

#include "prove/model/model.h"

namespace prove {

// Why the expression can be told only when the run is over; "": it can be told before.
std::string told_late(std::string_view text, const Pairs& defines);

}  // namespace prove
