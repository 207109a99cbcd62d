// What a campaign does to the world around the load: it starts processes, sets up, sets and undoes faults,
// tears down.
//
// Owner:    prove::run().
// Thread:   run()'s; faults are done on one thread of the stage's own, one after the other, at their times.
//           (One thread for as long as the stage lives: a child would die with the thread that forked it.)
// Lifetime: the destructor undoes what is still set, and stops every process, in reverse order.
// Failures: open() and set_up(): std::runtime_error with one line. A fault that cannot be set, or is set
//           late, is a Happening that makes the run INVALID.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "prove/engine/engine.h"
#include "prove/model/model.h"
#include "prove/record/result.h"
#include "prove/stage/filling.h"
#include "prove/stage/process.h"

namespace prove {

class Stage {
 public:
  // `folder`: for the logs of the processes, one NAME.log each. `cancelled`: Ctrl-C.
  Stage(const Campaign& campaign, const MintedTokens& tokens, std::string folder,
        std::function<bool()> cancelled);
  ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  void start_processes();
  void perform(const std::vector<Deed>& deeds, const char* where);  // setup or teardown
  void give_captured(std::vector<DataSpec>& data) const;            // the rows that the setup captured

  void start_faults(base::Mono began);
  void end_faults();  // no more are set; what is set is undone

  // What happened since the last call.
  std::vector<Happening> take_happenings();
  // Processes that ended though nobody asked them to.
  const std::vector<std::string>& deaths() const { return deaths_; }
  std::vector<std::string> active_faults() const;

  pid_t pid_of(const std::string& process) const;  // 0: it does not run
  void close();                                    // ends faults, then the processes

 private:
  struct Event {
    base::Nanos at;
    const Fault* fault;
    bool undo;
  };
  ChildProcess* find(const std::string& name) const;
  // `cancelled`: when to give up waiting, be it for a command, an answer or readiness.
  void do_deed(const Deed& deed, const std::function<bool()>& cancelled);
  void do_call(const Deed& deed, const std::function<bool()>& cancelled);
  void undo_deed(const Fault& fault);
  void run_command(const Deed& deed, const std::function<bool()>& cancelled);
  void run_faults(base::Mono began);
  void note(std::string text, bool bad = false);

  const Campaign& campaign_;
  Filling filling_;
  std::string folder_;
  std::function<bool()> cancelled_;
  Pairs env_;
  std::vector<std::unique_ptr<ChildProcess>> processes_;
  base::Mono began_{};
  std::vector<std::string> deaths_;

  mutable std::mutex lock_;
  std::condition_variable wake_;
  bool ending_ = false;            // no more faults
  std::atomic<bool> cut_ = false;  // the run was interrupted: nobody waits for a fault that is being set
  bool closing_ = false;           // the processes have ended
  std::vector<const Fault*> active_;
  std::vector<Happening> happenings_;
  std::thread faults_;
};

}  // namespace prove
