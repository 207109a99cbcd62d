// Ends a run whose outcome is known: looks once a second whether a guardrail with `abort` is broken.
//
// Problem:  an hour of load for a target that failed in the first minute is an hour lost. But nobody knows
//           yet how the run will end, so the same evaluator judges the requests that have ended so far, and
//           only what it calls broken, at the figures most favourable to the target, ends the run.
// Owner:    run_campaign(), while the load lasts.  Thread: its own; the books come by the engine's mailbox.
// Lifetime: all that it is given outlives it.  A campaign without such a guardrail costs nothing.
#pragma once

#include <vector>

#include "prove/engine/engine.h"
#include "prove/model/model.h"
#include "prove/model/timeline.h"
#include "prove/record/result.h"

namespace prove {

class AbortWatch {
 public:
  AbortWatch(const Campaign& campaign, const Timeline& timeline, Engine& engine, Result& result);

  // To be called now and then. True once: no more is sent, and the result says so, and by which guardrail.
  bool ends_it(base::Mono now);

 private:
  struct Candidate {
    const Check* check;
    Nanos from;  // not judged before
  };
  void add(const Check& check, Engine::Wanted& wanted);
  bool judge(Engine::Seen seen);

  const Campaign& campaign_;
  const Timeline& timeline_;
  Engine& engine_;
  Result& result_;
  std::vector<Candidate> candidates_;
  base::Mono due_{};
};

}  // namespace prove
