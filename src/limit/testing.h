// For tests only: moments, and what the process uses of memory.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <fstream>

#include "base/clock.h"

namespace limit {

inline base::Mono at(base::Nanos since_start) {
  return base::Mono(since_start);
}

inline std::uint64_t resident_bytes() {
  std::uint64_t all = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace limit
