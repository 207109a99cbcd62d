// One call for all who want its result at the same time, on whichever worker: a policy's decision, a list of
// tools, a token. FlightTable is what finds such a call by its key; cache::Fills, whose results grow while
// they are read, stands on that alone.
//
// Owner:    Flights, FlightTable: the process; outlive all seats and leads. Seat: the coroutine that wants
//           the result. Lead: the task that makes the call.
// Thread:   Flights and FlightTable any; a lock for a few dozen instructions, never across a wait. A Seat and
//           a Lead belong to their loop's.
// Lifetime: a flight is in the table from its first seat until it lands or its last seat has gone.
// Failure:  the leader's reaches everybody who waits; a Lead that goes without an answer lands as kInternal.
//
// The task that leads runs in its worker's Scope and not in its asker, so that this one may leave. When the
// last seat has been left, lead.cancel() is requested on the leader's loop, and who asks from then on begins
// anew.
//
// Usage:    net::Flights<std::shared_ptr<const Verdict>> flights;                        // the process
//           Flights::Seat seat(flights, key, worker.loop());
//           if (auto lead = seat.lead()) scope.spawn(ask(std::move(*lead), q));  // ends in lead.land(…)
//           const auto* verdict = co_await seat.landed(deadline, &x.gone);
//           if (!verdict) …        // not in time, or the client has left
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/ref.h"
#include "base/siphash.h"
#include "net/loop.h"
#include "net/task.h"
#include "net/waker.h"

namespace net {

// F: base::Shared, with `std::string_view flight_key() const` into itself.
template <class F>
class FlightTable {
 public:
  struct Joined {
    base::Ref<F> flight;
    bool leader = false;  // has to make the call
  };

  // The flight of this key, or what `make` gives.
  template <class Make>
  Joined join(std::string_view key, const Make& make) {
    const std::lock_guard guard(lock_);
    if (const auto found = flights_.find(key); found != flights_.end()) return {found->second, false};
    base::Ref<F> made = make();
    flights_.emplace(made->flight_key(), made);
    return {std::move(made), true};
  }

  // This flight and no other of its key; may be gone already.
  void remove(const F& flight) {
    base::Ref<F> last;  // freed after the lock
    const std::lock_guard guard(lock_);
    const auto found = flights_.find(flight.flight_key());
    if (found == flights_.end() || found->second.get() != &flight) return;
    last = std::move(found->second);
    flights_.erase(found);
  }

  std::vector<base::Ref<F>> all() const {
    const std::lock_guard guard(lock_);
    std::vector<base::Ref<F>> out;
    out.reserve(flights_.size());
    for (const auto& [key, flight] : flights_) out.push_back(flight);
    return out;
  }

  std::size_t size() const {
    const std::lock_guard guard(lock_);
    return flights_.size();
  }

 private:
  // Strangers choose the keys.
  struct Keyed {
    std::size_t operator()(std::string_view key) const { return base::siphash(key); }
  };

  mutable std::mutex lock_;
  std::unordered_map<std::string_view, base::Ref<F>, Keyed>
      flights_;  // keys view into the flights themselves
};

template <class T>
class Flights {
  struct Flight;

 public:
  using Result = base::Result<T>;

  // The right and the duty to give the result. Moved into the task that asks for it.
  class Lead {
   public:
    Lead(Lead&&) noexcept = default;
    Lead& operator=(Lead&&) = delete;
    ~Lead() {
      if (flight_ && !landed_) land(base::fail(base::Code::kInternal, "whoever asked for all has given up"));
    }

    // Requested when nobody waits any more. Good as long as the Lead is, landed or not.
    Cancel& cancel() { return flight_->cancel; }
    void land(Result result) {
      landed_ = true;
      flight_->land(std::move(result));
    }

   private:
    friend class Flights;
    explicit Lead(base::Ref<Flight> flight) : flight_(std::move(flight)) {}
    base::Ref<Flight> flight_;
    bool landed_ = false;
  };

  class Seat {
   public:
    Seat(Flights& flights, std::string_view key, Loop& loop) : waiting_(loop) {
      for (;;) {
        auto [flight, leader] =
            flights.table_.join(key, [&] { return base::make_ref<Flight>(flights, std::string(key), loop); });
        if (flight->enter(waiting_.waker())) {
          if (leader) lead_.emplace(Lead(flight));
          flight_ = std::move(flight);
          return;
        }
        flights.table_.remove(*flight);  // given up between our finding it and our joining
      }
    }
    ~Seat() {
      lead_.reset();
      flight_->leave(waiting_.waker());
    }
    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;

    // Once, for the first of this key: who has it makes the call.
    std::optional<Lead> lead() {
      std::optional<Lead> out = std::move(lead_);
      lead_.reset();
      return out;
    }
    // Null: `until` or `cancel` came first. Good as long as the seat is.
    Task<const Result*> landed(base::Mono until, Cancel* cancel = nullptr) {
      for (;;) {
        if (const Result* const result = flight_->result()) co_return result;
        if (co_await waiting_.until(until, cancel) != Wake::kReady) co_return flight_->result();
      }
    }

   private:
    Waiting waiting_;
    base::Ref<Flight> flight_;
    std::optional<Lead> lead_;
  };

  std::size_t under_way() const { return table_.size(); }

 private:
  struct Flight final : base::Shared<Flight> {
    Flight(Flights& f, std::string k, Loop& l) : flights(f), key(std::move(k)), leaders_loop(l) {}

    std::string_view flight_key() const { return key; }

    bool enter(const base::Ref<Waker>& waker) {
      const std::lock_guard guard(lock);
      if (abandoned) return false;
      waiting.push_back(waker);
      return true;
    }
    void leave(const base::Ref<Waker>& waker) {
      {
        const std::lock_guard guard(lock);
        std::erase(waiting, waker);
        if (outcome || !waiting.empty()) return;
        abandoned = true;
        // Under the lock: until it has landed the leader is there, and its loop with it.
        leaders_loop.post([self = base::Ref<Flight>(this)] { self->cancel.request(); });
      }
      flights.table_.remove(*this);
    }
    void land(Result with) {
      std::vector<base::Ref<Waker>> woken;
      {
        const std::lock_guard guard(lock);
        outcome.emplace(std::move(with));
        woken.swap(waiting);
      }
      flights.table_.remove(*this);
      for (const auto& waker : woken) waker->wake();
    }
    // Constant once it is there.
    const Result* result() {
      const std::lock_guard guard(lock);
      return outcome ? &*outcome : nullptr;
    }

    Flights& flights;
    const std::string key;
    Loop& leaders_loop;
    Cancel cancel;  // of the leader's thread

    std::mutex lock;
    std::optional<Result> outcome;
    std::vector<base::Ref<Waker>> waiting;  // one for each seat
    bool abandoned = false;
  };

  FlightTable<Flight> table_;
};

}  // namespace net
