// Nanoseconds as the seconds that files, tables and axes speak of.
//
// Owner: nobody.  Thread: any.
#pragma once

#include <chrono>

#include "base/clock.h"

namespace prove {

inline double seconds_of(base::Nanos t) {
  return std::chrono::duration<double>(t).count();
}

}  // namespace prove
