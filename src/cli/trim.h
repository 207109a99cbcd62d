// When freed memory goes back to the system. The allocator keeps what is freed, spread over its arenas, for
// whoever asks next; after a crowd has left that can be as much as the crowd held.
//
// Owner:    cli::Cache; asked once a second by the main thread.  Units: bytes.  Failure: none.
//
// malloc_trim() locks the arenas one after the other for a while, so it is called when much was freed and the
// tide has turned: not while memory comes and goes. Why not another allocator: docs/adr/0022.
#pragma once

#include <algorithm>
#include <cstdint>

namespace cli {

class Trim {
 public:
  static constexpr std::uint64_t kMuch = 4 << 20;
  static constexpr std::uint64_t kStill = 1 << 20;

  // `held`: for clients, now.
  bool due(std::uint64_t held) {
    most_ = std::max(most_, held);
    const bool still = held <= last_ + kStill && last_ <= held + kStill;
    last_ = held;
    if (!still || most_ - held < kMuch) return false;
    most_ = held;
    return true;
  }

 private:
  std::uint64_t most_ = 0;  // since the last time
  std::uint64_t last_ = 0;
};

}  // namespace cli
