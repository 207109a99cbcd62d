// What the kernel says about a process, under the names that Prometheus' client libraries use.
//
// Thread:   any; reads /proc, so tens of microseconds.
// Failures: none; a figure that cannot be read is zero.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "telemetry/page.h"

namespace telemetry {

struct ProcessFigures {
  double cpu_seconds = 0;
  double children_cpu_seconds = 0;  // of those that ended and were waited for
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t open_fds = 0;
  std::uint64_t max_fds = 0;
  std::uint64_t threads = 0;
  double start_time = 0;  // unix seconds
};

// Of this process without a pid. All zero when there is no such process; max_fds is this process's own.
ProcessFigures read_process(pid_t pid = 0);

void expose(Page& page, const ProcessFigures& self);

}  // namespace telemetry
