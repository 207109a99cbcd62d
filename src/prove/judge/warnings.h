// What a reader has to know beside the verdict: where a figure says less than it seems to.
//
//   - requests with a body whose reply came before the body was taken: they may be as expected, but nothing
//     was uploaded
//   - closed phases in which replies stalled: users who wait send nothing, so the requests that a stall would
//     have kept waiting were never sent and are in no percentile (coordinated omission)
//
// Owner:    judge().  Thread: any.  No verdict depends on them.
#pragma once

#include <string>
#include <vector>

#include "prove/model/model.h"
#include "prove/model/timeline.h"
#include "prove/record/result.h"

namespace prove {

std::vector<std::string> warnings_of(const Result& result, const Campaign& campaign,
                                     const Timeline& timeline);

// Requests that users at this pace would have sent while they waited for replies that took ten times as long
// and more, and a tenth of a second at least.
double omitted_at(const Hdr& response, Nanos pace);

}  // namespace prove
