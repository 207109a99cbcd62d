// How much longer the harness itself may have made the latencies of a part of the run.
//
// Problem:  where arrivals are taken up late, or the generator's thread waits for a CPU, what is measured is
//           longer than what the target took: never shorter. So an upper bound that holds was kept whatever
//           the harness did, and one that is broken was broken by the target only where no delay that was
//           seen could explain it.
// Owner:    the evaluator, for one check.  Thread: any.  Lifetime: the total outlives it.  Units: seconds.
//
// In the open model the delays are known: as late as an arrival was taken up, as late may a reply have been
// read, since one loop does both. So the share of requests delayed by more than d is at most twice that of
// arrivals later than d/2. In the closed model it is known how long the thread waited for a CPU while it had
// work: that long each of the users may have waited, and by Markov's inequality at most sum / (n d) of n
// requests by more than d. Behind lag of more than `send_lag` the target had bursts to serve, and the longest
// delay counts for every request; of a closed load whose generator was the limit nobody knows any delay.
#pragma once

#include <vector>

#include "prove/model/model.h"
#include "prove/record/result.h"

namespace prove {

class Lateness {
 public:
  // `users`: of the part's closed phases, at the most; 0: it has none.
  Lateness(const Total& total, const Validity& validity, std::uint64_t users);

  // Of so many that were not answered within `timeout`, or a longer one, those that may have been answered
  // and not heard: they were asked or read so late that of their time more than a tenth was the harness's.
  std::uint64_t unheard(std::uint64_t timed_out, double timeout) const;

  bool bounded() const { return !boundless_; }  // false: it may have added anything
  // Arrivals came in bursts or a generator was the limit: what was not sent may be the harness's own doing.
  bool doubt() const { return bursts_ || busy_; }
  bool much() const { return boundless_ || bursts_ || waited_ > 0.1 * seconds_ * users_; }
  double mean() const { return mean_; }
  double most() const { return most_; }
  std::vector<double> steps() const;        // delays to be tried, from 0
  double share_beyond(double delay) const;  // of the requests, that were delayed by more

  // The least that a statistic of the target's own can have been. `at`: the measured figure that a share
  // (0 to 1) of the requests did not exceed, which grows with it.
  template <class At>
  double least(double share, const At& at) const {
    if (boundless_) return 0;
    double best = 0;
    for (const double delay : steps()) {
      const double left = share - share_beyond(delay);
      if (left > 0) best = std::max(best, at(left) - delay);
    }
    return best;
  }

 private:
  const Hdr& lag_;
  bool boundless_ = false, bursts_ = false, busy_ = false;
  double waited_ = 0;  // seconds that all users together waited for the thread's CPU
  double requests_ = 0, seconds_ = 0, users_ = 0;
  double mean_ = 0, most_ = 0;
};

}  // namespace prove
