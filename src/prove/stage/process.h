// The processes that a campaign starts itself, so that its faults can stop, kill and restart them.
//
// Owner:    Stage; every process that was started is stopped by the destructor at the latest.
// Thread:   any; each call locks the one process that it is about. Calls wait: for an exit, for readiness.
// Lifetime: a child dies with this process (PR_SET_PDEATHSIG), however that ends.
// Failures: std::runtime_error with one line: a command that does not exist, a process that ends or does not
//           become ready in time (with the last line that it wrote).
#pragma once

#include <sys/types.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>

#include "prove/model/model.h"

namespace prove {

class ChildProcess {
 public:
  // What it prints goes to `log_file`, appended. `env` comes on top of this process's environment.
  ChildProcess(const Process& spec, Pairs env, std::string log_file);
  ~ChildProcess() { terminate(); }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  const Process& spec() const { return spec_; }

  // Starts it, unless it runs, and waits until it is ready; gives up when `cancelled` says so.
  void start(const std::function<bool()>& cancelled);

  // False when it did not run. SIGSTOP, SIGCONT and SIGKILL reach what it has started as well: a master that
  // is stopped while its workers serve on would be no fault.
  bool signal(int number);
  bool terminate();  // SIGTERM, SIGKILL when the time that it may take is over; waits
  bool kill();       // SIGKILL; waits

  // For one that ends by itself: "" when it did so with exit code 0, else how it ended. What it has started
  // may live on, unless it took too long or was cancelled.
  std::string wait_end(base::Nanos patience, const std::function<bool()>& cancelled);

  // Once after each exit that nobody here asked for: how it ended; else "".
  std::string ended_by_itself();

  // Once after each terminate() that met with a crash, or with no end at all: how it ended; else "".
  std::string ended_out_of_order();

  pid_t pid() const { return pid_; }  // 0: it does not run

 private:
  void spawn();
  bool reap(bool wait);  // true when it has ended (or never ran); ends what it has left behind
  void signal_all(int number) const;
  bool ready();
  bool wait_exit(base::Nanos patience, const std::function<bool()>& cancelled = {});
  std::string last_line() const;

  const Process& spec_;
  Pairs env_;
  std::string log_file_;
  std::mutex lock_;
  std::atomic<pid_t> pid_{0};
  std::string disorder_;  // of the last terminate()
  int status_ = 0;
  bool expected_ = true;  // that it is not running
  bool told_ = true;
  bool may_leave_ = false;  // processes behind
};

}  // namespace prove
