// What one generator writes down: every request once, in the segment that its intended start falls into.
//
// Problem:  at 100,000 requests a second the books must cost nothing that shows and never more memory than at
//           the start, so a record is a few additions; the histograms of an interval change hands once an
//           interval.
// Owner:    a generator. The engine takes intervals while it runs, and the rest when its thread has ended.
// Thread:   the generator's, but take_intervals() and take_shown(), which any thread may call.
// Units:    nanoseconds since the first phase began.
#pragma once

#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "prove/engine/engine.h"
#include "prove/model/recovery_goals.h"
#include "prove/wire/expectation.h"

namespace prove {

constexpr Nanos kNever{-1};

struct Record {  // one request
  std::size_t scenario = 0, step = 0;
  Nanos intended{};
  Nanos sent = kNever;        // its first byte
  Nanos first_byte = kNever;  // of the reply
  Nanos done{};
  Ending ending{};
  std::uint16_t status = 0;  // 0: no reply
  std::uint64_t bytes = 0;   // of the reply's body
  bool expects_denial = false;
  std::uint64_t body = 0, body_sent = 0;  // bytes of the request's body
};

struct Gauges {
  std::uint64_t connections = 0, in_flight = 0, waiting = 0;
};

class Books {
 public:
  Books(const Campaign& campaign, const Timeline& timeline);

  void arrival(Nanos intended, Nanos lag);  // an arrival of the schedule was taken up
  void late(Nanos intended, Nanos lag);     // somebody who slept went on that much late
  void sent(Nanos intended, Nanos at);      // an arrival's first byte went out, or was not taken
  void record(const Record& record);
  void redirected(Nanos intended, std::size_t scenario, std::size_t step);
  void left_out(Nanos intended, std::size_t scenario, std::size_t step);
  void retried(Nanos intended, std::size_t scenario, std::size_t step);

  // ---- boundaries; now may be a little late, which the rows say
  void begin();  // on the generator's thread, when the first phase begins
  Nanos next_boundary() const { return boundary_; }
  void pass(Nanos now, Gauges gauges);   // whatever boundaries `now` has reached
  void close(Nanos now, Gauges gauges);  // the last interval, however short

  // What is wanted of them so far, to be taken; a segment that has not changed since is left empty.
  void show(const Engine::Wanted& wanted, Nanos now);
  bool has_shown();  // any thread, as is
  Engine::Seen take_shown();

  std::vector<IntervalPart> take_intervals(std::size_t most);
  std::size_t ready_intervals();
  bool closed();
  Engine::Books take();

 private:
  struct Cell {  // the books of one step in one segment
    StepStats stats;
    std::uint16_t status = 0;  // the last one, to which `count` points: most replies are alike
    std::uint64_t* count = nullptr;
  };
  struct Page {  // one segment
    SegmentStats totals;
    std::vector<std::vector<Cell>> cells;
    std::uint64_t shown = 0;  // requests that it had when it was shown last
  };

  Page& page(Nanos intended);
  void end_interval(Nanos now, Gauges gauges);
  void end_segment(Nanos now);
  void count_aftermath(const Record& record);
  void next();

  const Campaign& campaign_;
  const Timeline& timeline_;
  std::vector<Page> pages_;
  std::size_t page_ = 0;  // where the last record went
  struct After {          // of one fault
    Nanos from{};
    std::vector<RecoveryGoal> goals;
  };
  std::vector<Aftermath> aftermaths_;
  std::vector<After> after_;  // beside them

  IntervalPart part_;
  Nanos interval_from_{}, interval_to_{};
  Nanos interval_cpu_{}, segment_cpu_{}, segment_wait_{};
  Nanos segment_from_{};
  std::size_t segment_ = 0;  // that runs now
  Nanos boundary_{};

  std::mutex lock_;
  std::deque<IntervalPart> done_;
  std::optional<Engine::Seen> shown_;
  bool closed_ = false;
};

}  // namespace prove
