// Relaying between two plain sockets without the bytes passing through user space.
//
// Owner:    a worker keeps one PipePool; a relay borrows a pipe for its duration.
// Thread:   the worker's own.
// Failure:  pipe() may be refused (descriptors, the user's pipe budget); callers then copy. A pipe that still
//           holds bytes when its relay ends is thrown away, never given to the next. A relay fails with
//           kClosed, kTimedOut or kCancelled, and Relayed says which side it was.
//
// Measured (docs/performance.md): splice costs about a third of 64 KiB copies in CPU per GiB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "net/error.h"
#include "net/pace.h"
#include "net/stream.h"
#include "net/task.h"

namespace net {

class PipePool {
 public:
  static constexpr int kSize = 256 << 10;  // an unprivileged user's budget has room for many of these

  struct Pipe {
    int in = -1, out = -1;
    std::size_t capacity = 0;
    explicit operator bool() const { return in >= 0; }
  };

  PipePool() = default;
  ~PipePool();
  PipePool(const PipePool&) = delete;
  PipePool& operator=(const PipePool&) = delete;

  Pipe take();  // empty when the system gives none of a useful size, or descriptors are scarce
  void give_back(Pipe pipe, bool drained);
  void close_idle();

 private:
  static void close(const Pipe& pipe);
  static constexpr std::size_t kKept = 32;
  std::vector<Pipe> free_;
};

struct Relayed {
  std::uint64_t bytes = 0;   // taken by `to`
  bool from_failed = false;  // else `to` did, or somebody cancelled, where an error is given
};

// Moves exactly `n` bytes. Each of the two idle deadlines counts from the last progress on its side; `least`
// is asked of who takes them.
Task<Result<>> splice_exactly(PipePool& pool, PipePool::Pipe pipe, Stream& from, Stream& to, std::uint64_t n,
                              base::Nanos from_idle, base::Nanos to_idle, const LeastRate& least,
                              Relayed& done);

}  // namespace net
