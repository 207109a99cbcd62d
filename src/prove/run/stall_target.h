// A target of the harness's own: answers every request at once, but for one stretch in which it does nothing.
//
// Owner:    selftest.  Thread: one of its own.
// Lifetime: listens from construction to destruction, on a port of the system's choice on loopback.
// Failure:  constructor: std::runtime_error with one line.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "base/clock.h"

namespace prove {

class StallTarget {
 public:
  StallTarget();
  ~StallTarget();
  StallTarget(const StallTarget&) = delete;
  StallTarget& operator=(const StallTarget&) = delete;

  std::uint16_t port() const { return port_; }
  void stall(base::Mono from, base::Nanos time);                      // once
  base::Nanos waited() const { return base::Nanos(waited_.load()); }  // its thread, for a CPU, so far

 private:
  void serve();
  void answer(int fd);

  int listener_ = -1, epoll_ = -1;
  std::uint16_t port_ = 0;
  std::vector<int> clients_;
  std::atomic<base::Nanos::rep> stall_from_, stall_time_{0}, waited_{0};
  std::atomic<bool> closing_{false};
  std::thread thread_;
};

}  // namespace prove
