// What a process and all that it has started use together.
//
// Problem:  a server that forks, or is started by a shell, works and leaks in processes whose ids nobody
//           knows beforehand.
// Owner:    the observer, one for each target.  Thread: one.
// Failures: a process that ends while it is read counts no more; what has left its group, its parent and ours
//           between two readings is not found.
//
// Members are the process itself, its descendants, what is in the process group that it leads, and whoever
// was a member at the last reading and lives on, whatever has become of its parent. CPU time is that of the
// members, of the children that they have waited for, and what those that ended unwaited for had used when
// they were last read; so it never falls while the process lives. Memory that members share counts for each
// of them.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <vector>

#include "telemetry/process.h"

namespace prove {

class Family {
 public:
  struct Figures {
    double cpu_seconds = 0;
    std::uint64_t resident_bytes = 0, open_fds = 0, threads = 0;
    std::size_t processes = 0;  // 0: it does not run
  };

  // A head that is not the last one begins anew: the process was started again.
  Figures read(pid_t head);

 private:
  struct Relation {
    pid_t parent = 0, group = 0;
    std::uint64_t started = 0;  // ticks: an id that was given again is another process
  };
  static std::map<pid_t, Relation> all_of_machine();
  std::vector<pid_t> members(pid_t head, const std::map<pid_t, Relation>& all) const;

  pid_t head_ = 0;
  std::uint64_t head_started_ = 0;
  struct Known {
    std::uint64_t started = 0;
    double own = 0, children = 0;  // CPU seconds
  };
  double ended(const std::map<pid_t, Known>& now) const;

  std::map<pid_t, Known> known_;  // members at the last reading
  double ended_ = 0;              // CPU seconds of members that nobody waited for
  double cpu_ = 0;
};

}  // namespace prove
