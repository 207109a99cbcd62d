// One thread of the load: a loop, a share of the schedule, a share of the connections, and books.
//
// Problem:  what is due must go out when it is due, to the microsecond, whatever the target does. So before
//           each wait the loop hands what is due to whoever is free and learns how long it may wait; who
//           finds nobody free goes to the backlog with its intended start.
// Owner:    the engine.  Thread: run() is the body of its own; interrupt() from any.
// Lifetime: plan, timeline and clock outlive it.
// Units:    nanoseconds since the first phase began.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "net/loop.h"
#include "net/scope.h"
#include "prove/engine/books.h"
#include "prove/engine/plan.h"
#include "prove/engine/ring.h"
#include "prove/engine/samples.h"
#include "prove/engine/schedule.h"
#include "prove/engine/user.h"
#include "prove/engine/wait.h"

namespace prove {

class Generator {
 public:
  Generator(const Plan& plan, const Timeline& timeline, Share share);
  ~Generator();

  void run(const Clock& clock);  // until nothing is in flight and nothing comes
  void interrupt();              // any thread
  void end();                    // any thread: no more arrivals, as if the last phase ended now
  // Any thread: to books().take_shown(), a moment later. `wanted` outlives run().
  void show_books(const Engine::Wanted& wanted);
  Books& books() { return books_; }
  Samples& samples() { return samples_; }

  // ---- for users
  const Plan& plan() const { return plan_; }
  const Clock& clock() const { return clock_; }
  net::Loop& loop() { return loop_; }
  std::span<char> scratch() { return scratch_; }
  std::vector<Cursor>& cursors() { return cursors_; }
  Signer* signer(const PlannedStep& step) {
    return step.step->type == StepType::kS3 ? signers_[step.target].get() : nullptr;
  }
  Prover& prover(const PlannedStep& step) { return *provers_[step.proof]; }  // of a step with `dpop`
  // Whether the user shall begin another journey at once: then go() has been called. Else he parks.
  bool next_journey(User& user);
  bool over() const { return over_; }  // the schedule has ended: no think time is worth waiting for
  void connected() { ++connections_; }
  void disconnected() { --connections_; }
  void no_socket() { ++unconnected_; }
  std::uint64_t unconnected() const { return unconnected_; }  // after run()
  void wake_at(Nanos until, User& user) { put_to_sleep({until, &user, false}); }
  void thinks(bool thinks) { thinking_ += thinks ? 1 : -1; }

 private:
  struct Pool {  // of one scenario, open model
    Ring<User*> idle;
    Ring<Nanos> waiting;
  };
  struct Sleeper {
    Nanos until;
    User* user;
    bool between_journeys;  // and not between two steps or two reads
    bool operator>(const Sleeper& other) const { return until > other.until; }
  };

  base::Nanos turn();
  void enter_phase(std::size_t phase);
  void put_to_sleep(Sleeper sleeper);
  bool begin_journey(User& user, Nanos now);
  void take_arrivals(Nanos now);
  void wake_sleepers(Nanos now);
  void wake_users(Nanos now);
  void overflow(std::size_t scenario, Nanos intended);
  void start_user(User& user, std::size_t scenario, Nanos intended);
  Nanos next_due(Nanos now) const;
  void end_if_done(Nanos now);
  void cut(Nanos now);
  void finish(Nanos now);
  Gauges gauges() const;
  const Phase& phase() const { return plan_.campaign.phases[phase_]; }

  const Plan& plan_;
  const Timeline& timeline_;
  const Share share_;
  net::Loop loop_;
  Clock clock_;
  Books books_;
  Samples samples_;
  std::vector<char> scratch_;
  std::vector<Cursor> cursors_;                   // of sequences, one for each data set
  std::vector<std::unique_ptr<Signer>> signers_;  // by target; none where nothing is to be signed
  std::vector<std::unique_ptr<Prover>> provers_;  // by ProofSpec
  Random random_;
  Waiter waiter_;

  std::size_t phase_ = 0;
  Nanos end_;  // of the schedule
  bool begun_ = false;
  bool over_ = false;  // the last phase has ended
  bool cut_ = false;   // what is in flight has been told to end
  bool finished_ = false;
  std::optional<ArrivalSchedule> arrivals_;
  std::optional<UserSchedule> wanted_;
  std::optional<Mix> mix_;

  std::vector<Pool> pools_;
  std::vector<User*> resting_;  // a heap, the lowest number on top
  std::vector<Sleeper> sleepers_;
  std::size_t waiting_ = 0;
  std::size_t active_ = 0;    // users on a journey
  std::size_t thinking_ = 0;  // of them, between two steps
  std::uint64_t connections_ = 0;
  std::uint64_t unconnected_ = 0;  // for want of a descriptor or a port of this machine
  std::vector<std::unique_ptr<User>> users_;
  net::Scope scope_;
};

}  // namespace prove
