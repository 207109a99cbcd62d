// When the load comes: the arithmetic of rates, arrivals and users, with no clock and no socket in it.
//
// Problem:  the schedule must stand before the first request, or a slow target would slow the load down. So
//           the n-th arrival is where the integral of the rate reaches n, and nothing that happens can move
//           it.
// Owner:    a generator, one of each for every phase.
// Thread:   one.  Units: nanoseconds since the phase began, arrivals a second.
//
// Shares: of even arrivals, generator g of G takes those whose number is g modulo G, so that together they
// are the schedule of one. Of a Poisson process each generator has its own at a G-th of the rate, which adds
// up to a Poisson process at the whole rate.
#pragma once

#include <cstdint>
#include <vector>

#include "prove/model/model.h"
#include "prove/model/random.h"

namespace prove {

// Which of how many generators.
struct Share {
  std::uint64_t index = 0, of = 1;
};

// A quantity that goes from one value to another in a straight line and then stays.
class Ramp {
 public:
  Ramp(double from, double to, Nanos ramp, Nanos duration);

  double at(Nanos t) const;
  double integral(Nanos t) const;  // value × seconds since the beginning
  double total() const { return integral(duration_); }
  Nanos duration() const { return duration_; }

  // When the integral reaches `n`; Nanos::max() where it does not before the end.
  Nanos when_integral(double n) const;
  // When the value is first above `level`; max() where never.
  Nanos when_above(double level) const;

 private:
  double from_, to_;    // by second
  double ramp_;         // seconds
  double at_ramp_end_;  // the integral there
  Nanos duration_;
};

// The arrivals of one generator in one open phase, in order.
class ArrivalSchedule {
 public:
  ArrivalSchedule(const Phase& phase, Share share, std::uint64_t seed);

  Nanos next() const { return next_; }  // Nanos::max(): no more
  void pop();

 private:
  Ramp rate_;
  Arrivals kind_;
  Share share_;
  Random random_;
  double count_;  // of arrivals before `next_`: whole when even, a sum of exponential gaps when Poisson
  double total_;
  Nanos next_{};
  void place();
};

// How many of the users are at work in a closed phase. User u works while u < wanted(); who has worked his
// journey to its end and is not wanted rests.
class UserSchedule {
 public:
  UserSchedule(const Phase& phase);  // NOLINT(google-explicit-constructor): a phase seen in one light

  std::uint64_t wanted(Nanos t) const;
  Nanos starts(std::uint64_t user) const { return users_.when_above(static_cast<double>(user)); }

 private:
  Ramp users_;
};

// Picks a scenario by weight.
class Mix {
 public:
  // Those that the phase runs, of scenarios that have a weight.
  Mix(const Campaign& campaign, const Phase& phase);

  std::size_t pick(Random& random) const {
    if (parts_.size() == 1) return parts_.front().scenario;
    const double at = random.unit() * parts_.back().up_to;
    for (const Part& part : parts_)
      if (at < part.up_to) return part.scenario;
    return parts_.back().scenario;
  }
  bool empty() const { return parts_.empty(); }
  std::vector<std::size_t> scenarios() const;

 private:
  struct Part {
    std::size_t scenario;
    double up_to;  // the weights of this and all before it
  };
  std::vector<Part> parts_;
};

}  // namespace prove
