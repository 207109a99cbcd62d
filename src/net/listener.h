// A listening socket of one worker; SO_REUSEPORT lets every worker have its own for one address.
//
// Owner:    a worker.  Thread: its own; open() may run before the loop starts.
// Failure:  open() throws std::runtime_error with one line. Accepting never fails for good: without
//           descriptors it pauses and goes on.
#pragma once

#include <functional>
#include <string>

#include "net/address.h"
#include "net/loop.h"
#include "net/stream.h"
#include "net/task.h"

namespace net {

class Listener {
 public:
  // Takes each connection: a non-blocking descriptor and the peer's address.
  using Accept = std::function<void(int fd, const Endpoint& peer)>;

  Listener(Loop& loop, const Endpoint& address, bool reuse_port);

  std::string address() const { return bound_.text(); }
  const Endpoint& endpoint() const { return bound_; }

  Task<> run(Accept accept);  // until stop()
  // Closes the socket after emptying its queue: who was told "connected" is served.
  void stop();

 private:
  Loop& loop_;
  int fd_ = -1;
  Endpoint bound_;
  Stream stream_;
  Event pause_;
  bool stopping_ = false;
};

}  // namespace net
