// A request's body, pulled by whoever sends it on as fast as that is taken.
//
// Owner:    who has the bytes: a client's session, or a caller within this process.
// Thread:   the worker's own.
// Lifetime: until the exchange that reads it is over.
// Failure:  the Error is the body's own (malformed, too large, too slow, its sender gone) and reaches the
//           caller as it is. But for kCancelled: whom interrupt_by() named wants no more to be waited for.
//           Then nothing is lost, and read() may be called again.
//
// The one interface with a virtual call on the way of a body. It is crossed once for every 64 KiB, and lets
// what sends know nothing of where bodies come from.
#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "base/error.h"
#include "net/loop.h"
#include "net/task.h"

namespace net {

class Upload {
 public:
  virtual Task<base::Result<std::size_t>> read(std::span<char> out) = 0;  // 0: complete; `out` is not empty
  // Until read() has something to give, so that nobody holds a buffer meanwhile.
  virtual Task<base::Result<>> wait() { co_return base::Result<>{}; }
  // From its beginning once more, so that what was sent can be sent again. False: what was read is gone.
  virtual bool rewind() { return false; }

  // Who ends a wait for the sender of the body; null: nobody. The one who did so before.
  Cancel* interrupt_by(Cancel* whom) { return std::exchange(interrupt_, whom); }

 protected:
  ~Upload() = default;
  Cancel* interrupt() const { return interrupt_; }

 private:
  Cancel* interrupt_ = nullptr;
};

}  // namespace net
