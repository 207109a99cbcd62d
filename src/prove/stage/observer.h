// Watches the targets while the load runs: their /metrics, and what /proc says about their processes, those
// that they have started with them.
//
// Owner:    prove::run(). sample_before() → start() → finish().
// Thread:   one of its own; it samples at every interval and at every boundary of the timeline, so that a
//           counter's increase over a phase or a window is exact to the time that one scrape takes.
// Failures: a scrape that fails leaves a gap; a check that needs the series then says that it is missing.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "prove/model/model.h"
#include "prove/record/result.h"
#include "prove/stage/family.h"

namespace prove {

class Observer {
 public:
  using PidOf = std::function<pid_t(const Target&)>;

  Observer(const Campaign& campaign, const Timeline& timeline, std::set<std::string> families, PidOf pid_of);
  ~Observer() { finish(); }
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;

  void sample_before();  // before anything is sent, so that the first request is part of an increase
  void start(base::Mono began, base::Nanos interval);
  std::vector<Series> finish();  // takes a last sample

  // The newest value of all series of that name added up, for the progress display; NaN when there is none.
  double latest(const std::string& name) const;

 private:
  void run(base::Mono began, base::Nanos interval);
  void sample(std::optional<base::Mono> began);  // none: before the first phase
  void keep(const std::string& target, const std::string& name, std::map<std::string, std::string> labels,
            bool counter, Point point);

  const Campaign& campaign_;
  const Timeline& timeline_;
  std::set<std::string> families_;
  PidOf pid_of_;

  mutable std::mutex lock_;
  std::condition_variable wake_;
  bool ending_ = false;
  std::vector<Series> series_;
  std::map<std::string, Family> families_of_;  // by target
  std::thread thread_;
};

}  // namespace prove
