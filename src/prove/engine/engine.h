// The load: generator threads that send what the timeline says, when it says so, and keep what came back.
//
// Problem:  a harness flatters when a slow target slows the load down. Here the schedule is fixed beforehand:
//           each arrival has its intended start, response times count from it, and who finds no connection
//           free waits in the books, not beside them.
// Owner:    prove::run(). start() → take_intervals() now and then → finish().
// Thread:   the caller's; generators are threads of the engine's own, each with a loop, its share of the
//           schedule and of the connections, and its own books. They meet only to hand over intervals.
// Lifetime: the campaign and timeline outlive it; Tokens are ready before start().
// Failures: constructor: std::runtime_error with one line (a target whose name does not resolve, an
//           authorities' file that cannot be read). After start() failures are outcomes.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "prove/model/model.h"
#include "prove/model/timeline.h"
#include "prove/record/result.h"
#include "prove/wire/dpop.h"

namespace prove {

struct MintedTokens {  // by TokenSpec's name
  std::map<std::string, std::vector<std::string>> by_name;
  std::map<std::string, Keyring> keyrings = {};  // by ProofSpec's
};

struct IntervalPart {  // of one generator; the engine has added up those of all before it hands them on
  Interval row;
  Hdr response, service;  // of everything sent that ended in this interval
};

class Engine {
 public:
  Engine(const Campaign& campaign, const Timeline& timeline, const MintedTokens& tokens);
  ~Engine();  // finish()es
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  void start();              // the first phase begins a moment later
  base::Mono began() const;  // when that is; after start()

  // The intervals that all generators have ended since the last call, oldest first, on past the end of the
  // last phase until all that was in flight has come back.
  std::vector<IntervalPart> take_intervals();

  void
  interrupt();  // no more arrivals; what is in flight is cut short and recorded. Any thread, once or more.
  void end();   // no more arrivals, as if the last phase ended now. Any thread.

  // What has ended so far, of what is wanted. It comes a moment after it was asked for, once all generators
  // have told it, and is nothing until then.
  struct Wanted {
    std::vector<bool> segments;
    bool response = false, service = false, first_byte = false;  // histograms, since each takes its time
  };
  struct Seen {
    Nanos at{};
    std::vector<SegmentStats> segments;
  };
  void want_books(Wanted wanted);  // before start()
  void ask_books();
  std::optional<Seen> take_books();

  bool done() const;  // nothing is in flight and nothing comes any more
  struct Books {
    std::vector<SegmentStats> segments;
    std::vector<Aftermath> aftermaths;
    std::vector<Sample> samples;
    std::uint64_t unconnected = 0;  // connections that this machine had no descriptor or port for
  };
  Books finish();  // waits for done(); once

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace prove
