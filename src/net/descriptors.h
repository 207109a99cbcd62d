// How many descriptors the process holds, and for whom there is still one.
//
// Owner:    the process: it has one table of descriptors, and one of these.
// Thread:   any. Counts are relaxed, so that a few more may be taken at a time than there is room for; what
//           is kept back covers that.
// Failure:  none. Until limit() has been called there is room for everybody: in tests, in other commands.
//
// Who takes a descriptor counts it: a Loop what it watches, a PipePool its pipes, a folder its files. Who can
// do without asks before: when it gets tight, pipes are refused first (a body is copied then), then idle
// connections to origins are not kept, then clients are turned away, and last requests that would need one
// more. An eighth is nobody's: the admin listener, logs, look-ups and the keys of issuers live on it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>

#include "telemetry/counter.h"
#include "telemetry/page.h"

namespace net {

class Descriptors {
 public:
  enum class For : std::uint8_t { kPipe, kKept, kClient, kRequest, kCount };

  void limit(std::uint64_t all);  // what the system allows; at start

  void taken(std::uint64_t n = 1) {
    if (used_.fetch_add(n, std::memory_order_relaxed) + n > bound(For::kKept)) scarce();
  }
  void given_back(std::uint64_t n = 1) { used_.fetch_sub(n, std::memory_order_relaxed); }

  // Whether n more may be taken for that; else it is counted as refused.
  bool room(For what, std::uint64_t n = 1) {
    if (used_.load(std::memory_order_relaxed) + n <= bound(what)) [[likely]]
      return true;
    refuse(what);
    return false;
  }

  // Whether one may be held for a moment by who waits for a place: of those that are nobody's half is for
  // them. Each that may is to be followed by waited().
  bool may_wait() {
    if (waiting_.fetch_add(1, std::memory_order_relaxed) < most_waiting_.load(std::memory_order_relaxed))
      return true;
    waited();
    return false;
  }
  void waited() { waiting_.fetch_sub(1, std::memory_order_relaxed); }

  // Called, on whichever thread, when there is no more room for what is kept: it is to be given up. Not more
  // than ten times a second. Null: nobody any more.
  void on_scarce(std::function<void()> call);

  void expose(telemetry::Page& page) const;

 private:
  static constexpr auto kKinds = static_cast<std::size_t>(For::kCount);
  std::uint64_t bound(For what) const {
    return bounds_[static_cast<std::size_t>(what)].load(std::memory_order_relaxed);
  }
  void refuse(For what);
  void scarce();

  std::atomic<std::uint64_t> used_{0};
  std::array<std::atomic<std::uint64_t>, kKinds> bounds_{~0ULL, ~0ULL, ~0ULL, ~0ULL};
  std::atomic<std::uint64_t> waiting_{0}, most_waiting_{~0ULL};
  std::array<telemetry::SharedCounter, kKinds> refused_;
  std::atomic<std::int64_t> told_{0};  // when; nanoseconds
  std::mutex lock_;
  std::function<void()> call_;
};

Descriptors& descriptors();

}  // namespace net
