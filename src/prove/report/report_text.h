// What `sekisho prove run` says at its end: the verdict, each check, the figures of the load.
//
// Thread: any. Failures: none.
#pragma once

#include <cstdio>
#include <string>

#include "prove/record/result.h"

namespace prove {

std::string text_summary(const Result& result);

// Prints at once. What cannot be printed, to a full disk or a pipe that nobody reads, is lost and nothing
// else: the exit code and the files tell the verdict all the same.
void say(std::FILE* out, const std::string& text);

// Each request of a run that kept all of them, whole: sent, came back, captured, expected.
std::string debug_text(const Result& result);

}  // namespace prove
