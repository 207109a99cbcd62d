// The campaign's clock: phases laid end to end and cut wherever a fault or a window begins or ends.
//
// Problem:  guardrails ask about phases and windows, before, during and after a fault. All boundaries are
//           known beforehand, so each request is counted in the segment that its intended start falls into,
//           and a scope is a set of whole segments: exact, and constant in memory.
// Owner:    prove::run().  Thread: immutable, any.  Units: nanoseconds since the first phase began.
#pragma once

#include <string>
#include <vector>

#include "prove/model/model.h"

namespace prove {

struct Span {  // a named stretch: a window or a fault
  std::string name;
  Nanos from{0}, to{0};
  bool fault = false;
};

struct Segment {
  std::size_t phase = 0;
  Nanos from{0}, to{0};
  bool warm_up = false;
};

// Which part of the run a check or a figure is about. Empty: everything that is no warm-up.
struct Scope {
  std::string scenario, phase;
  std::string window;               // a window's or fault's name, or "before NAME", "after NAME"
  std::string step = {}, tag = {};  // one of them at the most
};

class Timeline {
 public:
  static Timeline of(const Campaign& campaign);

  const std::vector<Segment>& segments() const { return segments_; }
  const std::vector<Span>& spans() const { return spans_; }
  Nanos phase_start(std::size_t phase) const { return starts_[phase]; }
  Nanos phase_end(std::size_t phase) const { return starts_[phase + 1]; }
  Nanos end() const { return starts_.back(); }

  std::size_t segment_at(Nanos offset) const;  // the last one for what lies beyond the end

  // Indices of the segments that lie in the scope; none when a name in it is unknown.
  std::vector<std::size_t> within(const Scope& scope) const;

 private:
  std::vector<Nanos> starts_;  // of the phases; one more for the end
  std::vector<std::string> phase_names_;
  std::vector<Segment> segments_;
  std::vector<Span> spans_;
};

}  // namespace prove
