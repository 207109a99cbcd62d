// Ctrl-C and its like, asked for where the program can act on them.
//
// Owner:    the command.  Thread: any; SIGINT, SIGTERM and SIGHUP are blocked in every thread
//           (cli::prepare_process), so that none of them ends the program between two steps of an orderly
//           end.
#pragma once

#include <signal.h>
#include <time.h>

#include <atomic>

#include "base/clock.h"

namespace prove {

class Interrupt {
 public:
  Interrupt() {
    sigemptyset(&signals_);
    for (const int s : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals_, s);
    ::pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  }

  // Whether one has come, ever; waits for one that long.
  bool requested(base::Millis patience = base::Millis(0)) {
    const timespec wait{.tv_sec = patience.count() / 1000, .tv_nsec = (patience.count() % 1000) * 1'000'000};
    if (::sigtimedwait(&signals_, nullptr, &wait) > 0) ++count_;
    return count_ > 0;
  }

  // How many have come: what goes on after the first one listens for another.
  int count() {
    requested();
    return count_;
  }

 private:
  sigset_t signals_;
  std::atomic<int> count_{0};
};

}  // namespace prove
