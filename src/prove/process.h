// The processes that a campaign starts itself, so that its faults can stop, kill and restart them.
//
// Owner:    Stage; every process that was started is stopped by the destructor at the latest.
// Thread:   any; each call locks the one process that it is about. Calls wait: for an exit, for readiness.
// Lifetime: a child dies with this process (PR_SET_PDEATHSIG), however that ends.
// Failures: std::runtime_error with one line: a command that does not exist, a process that ends or does not become
//           ready in time (with the last line that it wrote).
#pragma once

#include <sys/types.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>

#include "prove/model.h"

namespace prove {

class ChildProcess {
 public:
  // What it prints goes to `log_file`, appended. `env` comes on top of this process's environment.
  ChildProcess(const Process& spec, Pairs env, std::string log_file);
  ~ChildProcess() { terminate(); }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  const Process& spec() const { return spec_; }

  // Starts it and waits until it is ready; gives up when `cancelled` says so.
  void start(const std::function<bool()>& cancelled);

  void signal(int number);  // nothing when it does not run
  void terminate();         // SIGTERM, SIGKILL when the time that it may take is over; waits
  void kill();              // SIGKILL; waits

  // For one that ends by itself: "" when it did so with exit code 0, else how it ended.
  std::string wait_end(base::Nanos patience);

  // Once after each exit that nobody here asked for: how it ended; else "".
  std::string ended_by_itself();

  pid_t pid() const { return pid_; }  // 0: it does not run

 private:
  void spawn();
  bool reap(bool wait);  // true when it has ended (or never ran)
  bool ready();
  bool wait_exit(base::Nanos patience);
  std::string last_line() const;

  const Process& spec_;
  Pairs env_;
  std::string log_file_;
  std::mutex lock_;
  std::atomic<pid_t> pid_{0};
  int status_ = 0;
  bool expected_ = true;  // that it is not running
  bool told_ = true;
};

}  // namespace prove
