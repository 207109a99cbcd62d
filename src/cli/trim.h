// When freed memory goes back to the system. The allocator keeps what is freed, spread over its arenas, for
// whoever asks next; after a crowd has left that can be as much as the crowd held.
//
// Owner:    cli::Cache; asked once a second by the main thread.  Units: bytes.  Failure: none.
//
// malloc_trim() locks the arenas one after the other for a while, so it is called when the process has grown
// since the last time and the tide has turned: not while memory comes and goes. It looks at what the system
// counts, since a crowd may come and go between two looks. Why not another allocator: docs/adr/0022.
#pragma once

#include <algorithm>
#include <cstdint>

namespace cli {

class Trim {
 public:
  static constexpr std::uint64_t kMuch = 4 << 20;
  static constexpr std::uint64_t kStill = 1 << 20;

  // `held`: for clients, now. `resident`: of the process.
  bool due(std::uint64_t held, std::uint64_t resident) {
    const bool still = held <= last_ + kStill && last_ <= held + kStill;
    last_ = held;
    resident_ = std::min(resident_, resident);
    return still && resident >= resident_ + kMuch;
  }
  void trimmed(std::uint64_t resident) { resident_ = resident; }

 private:
  std::uint64_t last_ = 0;
  std::uint64_t resident_ = 0;  // the least since the last time
};

}  // namespace cli
