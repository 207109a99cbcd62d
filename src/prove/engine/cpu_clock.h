// How long the calling thread has been on a CPU.
//
// Thread: any.  A system call: for boundaries, not for requests.
#pragma once

#include <time.h>

#include "base/clock.h"

namespace prove {

inline base::Nanos cpu_of_thread() {
  timespec ts;
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
  return base::Nanos(ts.tv_sec * 1'000'000'000LL + ts.tv_nsec);
}

}  // namespace prove
