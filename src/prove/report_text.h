// What `sekisho prove run` says at its end: the verdict, each check, the figures of the load.
//
// Thread: any. Failures: none.
#pragma once

#include <string>

#include "prove/result.h"

namespace prove {

std::string text_summary(const Result& result);

}  // namespace prove
