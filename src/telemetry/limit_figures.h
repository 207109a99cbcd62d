// What limits and Redis look like at a scrape, as plain numbers: rooms above fill it in, the exposition renders it.
//
// Owner:    whoever scrapes.  Thread: its own.  Failures: none.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace telemetry {

struct LimitFigures {
  struct Policy {
    std::string name;
    std::uint64_t allowed = 0, refused = 0;
  };
  struct Table {
    std::string_view name;  // "rates" or "failures"
    std::uint64_t entries = 0, capacity = 0, evicted = 0;
  };
  struct Gate {
    std::string_view of;  // "route" or "origin"
    std::string name;
    std::uint64_t max = 0, in_use = 0, queued = 0;
    std::uint64_t entered = 0, waited = 0, refused = 0, timed_out = 0, left = 0;
  };
  std::vector<Policy> policies;
  std::vector<Table> tables;
  std::vector<Gate> gates;
  std::uint64_t failures_charged = 0, failures_refused = 0;
  bool redis = false;  // whether there is one
};

}  // namespace telemetry
