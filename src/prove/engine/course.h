// Which steps a journey takes, and how often: `if` and `repeat`.
//
// Problem:  the books have one place for each step, so steps lie end to end, and conditions and repetitions
//           are blocks of them: [from, to), one within the other or apart. Scenarios without any have no
//           Course, and their steps follow one another.
// Owner:    Course: the plan of a run; Position: one user of the load.
// Thread:   Course is immutable, any.
// Lifetime: the Scenario outlives it.
//
// A condition is asked once, before the first round of its block; `until` after each. A round in which every
// step was left out ends its block, since nothing can have changed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "prove/model/model.h"

namespace prove {

class Course {
 public:
  struct Round {
    std::uint64_t done = 0;
    bool idle = true;  // no step of this one was taken
  };
  struct Position {
    std::vector<Round> rounds;          // of each block
    std::vector<std::size_t> left_out;  // steps, since this was emptied
    bool given_up = false;              // an `until` did not come true
  };

  explicit Course(const Scenario& scenario);

  // The step to begin with, and the one after `done`; the number of steps: there is none.
  std::size_t first(Position& at, const Values& values) const;
  std::size_t next(std::size_t done, Position& at, const Values& values) const;

  // Whether a journey that breaks off before `reached` was begun would have come to this step: not where a
  // condition is still to be asked.
  bool surely(std::size_t step, std::size_t reached) const;

 private:
  static constexpr std::size_t kNone = ~std::size_t{0};

  std::size_t settle(std::size_t step, std::size_t block, bool leaving, Position& at,
                     const Values& values) const;
  bool another_round(std::size_t block, Position& at, const Values& values) const;

  const std::vector<Block>& blocks_;
  std::vector<std::size_t> within_;  // of each block, the innermost that holds it
  std::vector<std::size_t> holder_;  // of each step
};

}  // namespace prove
