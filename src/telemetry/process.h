// What the kernel says about this process, under the names that Prometheus' client libraries use.
//
// Thread:   any; reads /proc, so tens of microseconds.
// Failures: none; a figure that cannot be read is zero.
#pragma once

#include <cstdint>

namespace telemetry {

struct ProcessFigures {
  double cpu_seconds = 0;
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t open_fds = 0;
  std::uint64_t max_fds = 0;
  std::uint64_t threads = 0;
  double start_time = 0;  // unix seconds
};

ProcessFigures read_process();

}  // namespace telemetry
