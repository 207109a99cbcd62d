// The one way to what is behind: a place, an attempt, what it says of the origin, what is counted.
//
// Owner:    nobody; a function of a Way.
// Thread:   the worker's own; the gate and the health are the process's.
// Lifetime: a Way and a Request live until ask() has returned; the Answer owns what it needs from then on.
// Failure:  as origin.h, and of the place kConcurrency and kClientGone (limit/gate.h).
//
// Whoever asks for one client (Walk), and whoever asks for all who wait (feed), come by here, so that no call
// is made that is not limited, judged and counted. The request is a copy of what was asked: it may outlive
// its asker, and an attempt can be made again.
#pragma once

#include <memory>

#include "base/error.h"
#include "limit/gate.h"
#include "net/loop.h"
#include "net/task.h"
#include "origin/origin.h"
#include "telemetry/metrics.h"
#include "upstream/health.h"

namespace upstream {

// What is asked, with text of its own; its body stays where it is. One allocation.
class Request {
 public:
  explicit Request(const origin::Ask& ask);

  const origin::Ask& ask() const { return ask_; }

 private:
  origin::Ask ask_;
  std::unique_ptr<char[]> text_;
};

// What leads to one origin from one worker.
struct Way {
  net::Loop& loop;
  origin::Origin& origin;
  limit::Gate* gate;  // null: as many at a time as come
  Health& health;
  telemetry::OriginMetrics& metrics;
};

struct Answer {
  origin::Reply reply;
  limit::Slot place;  // for as long as the request is with the origin: to the last byte
};

net::Task<base::Result<Answer>> ask(Way way, const Request& request, net::Cancel* cancel);

// What a call that has come back says of its origin.
struct Verdict {
  base::OriginOutcome outcome;
  Says says;
};
Verdict judge(const base::Result<origin::Reply>& reply);

}  // namespace upstream
