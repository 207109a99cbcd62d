// A listening socket of one worker; SO_REUSEPORT lets every worker have its own for one address.
//
// Owner:    a worker.  Thread: its own; open() may run before the loop starts.
// Failure:  open() throws std::runtime_error with one line. Accepting never fails for good: without a
//           descriptor it takes clients by one that it holds in reserve, so that they are told and do not
//           hang.
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

  enum class Ipv4 : bool { kToo, kNot };  // what [::] takes beside IPv6, whatever the system's default

  Listener(Loop& loop, const Endpoint& address, bool reuse_port, Ipv4 ipv4 = Ipv4::kToo);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  std::string address() const { return bound_.text(); }
  const Endpoint& endpoint() const { return bound_; }

  // Takes each that came when no descriptor was left, for a word and no more: the listener closes it.
  using TurnAway = std::function<void(int fd)>;

  Task<> run(Accept accept, TurnAway turn_away = [](int) {});  // until stop()
  // Closes the socket after emptying its queue: who was told "connected" is served.
  void stop();

 private:
  int accept_one(Endpoint& peer) const;

  Loop& loop_;
  int fd_ = -1;
  int reserve_ = -1;
  Endpoint bound_;
  Stream stream_;
  Event pause_;
  bool stopping_ = false;
};

}  // namespace net
