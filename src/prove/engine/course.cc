#include "prove/engine/course.h"

namespace prove {

Course::Course(const Scenario& scenario)
    : blocks_(scenario.blocks),
      within_(scenario.blocks.size(), kNone),
      holder_(scenario.steps.size(), kNone) {
  for (std::size_t b = 0; b < blocks_.size(); ++b) {
    within_[b] = holder_[blocks_[b].from];
    for (std::size_t s = blocks_[b].from; s < blocks_[b].to; ++s) holder_[s] = b;
  }
}

std::size_t Course::first(Position& at, const Values& values) const {
  at.rounds.assign(blocks_.size(), {});
  at.given_up = false;
  return settle(0, 0, false, at, values);
}

std::size_t Course::next(std::size_t done, Position& at, const Values& values) const {
  for (std::size_t b = holder_[done]; b != kNone; b = within_[b]) at.rounds[b].idle = false;
  return settle(done + 1, holder_[done], true, at, values);
}

// Where `leaving`, all before `step` is done and `block` is the innermost that held the last of it. Else
// `step` is to begin, within those that begin with it from `block` on. A loop and no recursion: a group may
// be left out a million times.
std::size_t Course::settle(std::size_t step, std::size_t block, bool leaving, Position& at,
                           const Values& values) const {
  for (;;) {
    if (leaving) {
      for (; block != kNone && blocks_[block].to == step; block = within_[block])
        if (another_round(block, at, values)) {
          step = blocks_[block].from;
          break;
        }
      if (step == holder_.size()) return step;
      block = block == kNone ? 0 : block + 1;
      leaving = false;
    }
    while (block < blocks_.size() && blocks_[block].from < step) ++block;
    if (block == blocks_.size() || blocks_[block].from > step) return step;
    const Block& next = blocks_[block];
    at.rounds[block] = {};
    if (!next.only_if || next.only_if->holds(values)) {
      ++block;
      continue;
    }
    for (; step < next.to; ++step) at.left_out.push_back(step);
    block = within_[block];
    leaving = true;
  }
}

bool Course::another_round(std::size_t block, Position& at, const Values& values) const {
  const Repeat& repeat = blocks_[block].repeat;
  Round& round = at.rounds[block];
  ++round.done;
  if (repeat.until && repeat.until->holds(values)) return false;
  if (round.idle) return false;
  if (round.done >= repeat.times) {
    at.given_up = at.given_up || repeat.until.has_value();
    return false;
  }
  round.idle = true;
  return true;
}

bool Course::surely(std::size_t step, std::size_t reached) const {
  for (std::size_t b = holder_[step]; b != kNone; b = within_[b])
    if (blocks_[b].only_if && blocks_[b].from >= reached) return false;
  return true;
}

}  // namespace prove
