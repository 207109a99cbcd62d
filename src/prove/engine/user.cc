#include "prove/engine/user.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/sabotage.h"
#include "net/dial.h"
#include "prove/engine/generator.h"

namespace prove {
namespace {

constexpr Nanos kRest = Millis(100);  // for which a connection is not asked whether it is still there

constexpr Ending kInFlightEnding{Outcome::kTimedOut, Reason::kInFlight};

Nanos think_time(const Step& step, Random& random) {
  const Nanos least = step.think_min;
  const Nanos more = step.think_max > step.think_min ? Nanos(step.think_max - step.think_min) : Nanos(0);
  return more.count() == 0
             ? least
             : least + Nanos(static_cast<Nanos::rep>(random.below(static_cast<std::uint64_t>(more.count()))));
}

// Whether the peer has said or ended something that the loop has not heard of yet.
bool has_news(const net::Stream& stream) {
  char byte = 0;
  return ::recv(stream.fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 ||
         (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

}  // namespace

User::User(Generator& generator, std::uint64_t number, std::size_t scenario)
    : generator_(generator),
      number_(number),
      scenario_(scenario),
      connections_(generator.plan().targets.size()),
      values_(generator.plan().campaign.slots.size()),
      random_(generator.plan().campaign.seed * 0x9e3779b97f4a7c15 + number * 2 + (scenario == kAnyScenario)),
      exchange_(generator.clock(), generator.scratch()) {}

void User::cut() {
  cut_ = true;
  cancel_.request();
  if (waits_) waits_->cancel();
}

void User::close(Connection& connection) {
  if (!connection.stream.open()) return;
  connection.stream.close();
  generator_.disconnected();
}

// A connection that was kept may have been closed by the peer meanwhile; then there will be a new one, and
// nothing was sent twice. One that rested is asked for it, so that a server which closes what is idle is seen
// to, also where the loop comes late. False when there came what nobody had asked for.
bool User::fit_for_use(Connection& connection, Nanos now) {
  net::Stream& stream = connection.stream;
  if (!stream.open()) return true;
  if (!stream.watch().readable && !stream.hangup() &&
      (now - connection.rests_since < kRest || !has_news(stream)))
    return true;
  const std::span<char> scratch = generator_.scratch();
  const ssize_t n = stream.try_read(scratch);
  if (n == net::Stream::kAgain) return true;
  close(connection);
  if (n <= 0) return true;
  // 408 says why the peer closes a connection that was idle for long: RFC 9110, 15.5.9.
  const std::string_view came(scratch.data(), static_cast<std::size_t>(n));
  return came.starts_with("HTTP/1.1 408") || came.starts_with("HTTP/1.0 408");
}

// For scenarios with `resend`. Who keeps connections may close one just as a request sets out. That is
// nobody's failure where the request may be sent twice and was not read, and so it comes back: a system
// answers bytes that nobody will read with a reset. (So does a server that read it and gave up; the two look
// alike.) An orderly end alone means that the request was read and dropped; if a reset is to follow it, it
// takes a round trip.
net::Task<bool> User::was_unread(Connection& connection, const PlannedStep& step) {
  constexpr Nanos kLongest = Millis(50);  // what is cut later was cut while it was served
  const Nanos round_trip = connection.connect_took;
  if (!connection.used || !step.request.idempotent() || exchange_.begun() || cut_) co_return false;
  if (exchange_.done() - exchange_.sent() > 2 * round_trip + kLongest) co_return false;
  if (exchange_.refused()) co_return true;
  generator_.wake_at(generator_.clock().now() + 2 * round_trip, *this);
  co_await Park{*this};
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(connection.stream.fd(), SOL_SOCKET, SO_ERROR, &error, &size);
  co_return error != 0;
}

Wire User::rendered(const PlannedStep& step) {
  const Wire wire = step.request.render(values_, buffer_, generator_.signer(step));
  if (!step.step->dpop) return wire;
  const PlannedTarget& target = generator_.plan().targets[step.target];
  const Prover::Place place{.base = target.proof_base, .skip = target.proof_skip, .target = step.target};
  return generator_.prover(step).prove(wire, buffer_, *step.step->dpop, place, proofs_, base::wall_now());
}

// Keeps the nonce that a reply brought. Whether the reply only asked for it: RFC 9449 §8 and §9.
bool User::asked_for_nonce(const PlannedStep& step) {
  std::string& known = proofs_.nonce(step.target);
  const bool fresh = !exchange_.nonce().empty() && exchange_.nonce() != known;
  if (fresh) known = exchange_.nonce();
  return fresh && step.step->dpop->nonce == NonceUse::kAnswer &&
         (exchange_.wants_nonce() || exchange_.status() == 400);
}

net::Task<Ending> User::connect(Connection& connection, const PlannedStep& step, base::Mono deadline) {
  const PlannedTarget& target = generator_.plan().targets[step.target];
  const Nanos began = generator_.clock().now();
  auto stream = co_await net::connect(generator_.loop(), target.addresses, deadline, &cancel_);
  if (!stream) {
    if (stream.error().fault == net::Fault::kCancelled) co_return kInFlightEnding;
    if (stream.error().fault == net::Fault::kNoRoom) generator_.no_socket();  // a limit of ours
    if (base::mono_now() >= deadline) co_return Ending{Outcome::kTimedOut, Reason::kConnectTimeout};
    trouble_ = stream.error().text;
    co_return Ending{Outcome::kFailed, Reason::kRefused};
  }
  connection.stream = std::move(*stream);
  connection.used = false;
  generator_.connected();
  const std::uint64_t bandwidth = generator_.plan().scenarios[journey_scenario_].scenario->bandwidth;
  if (bandwidth > 0) {
    // Else the system would take what the user does not read.
    const int room = static_cast<int>(std::clamp<std::uint64_t>(bandwidth / 4, 16 << 10, 1 << 20));
    ::setsockopt(connection.stream.fd(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  }
  if (target.tls) {
    connection.stream.set_deadline(deadline);
    waits_ = &connection.stream;
    const auto done = co_await connection.stream.handshake(*target.tls, target.server_name);
    waits_ = nullptr;
    if (!done) {
      close(connection);
      if (done.error().fault == net::Fault::kCancelled) co_return kInFlightEnding;
      if (done.error().fault == net::Fault::kTimedOut)
        co_return Ending{Outcome::kTimedOut, Reason::kConnectTimeout};
      trouble_ = done.error().text;
      co_return Ending{Outcome::kFailed, Reason::kTls};
    }
  }
  connection.connect_took = generator_.clock().now() - began;
  co_return Ending{};
}

// All in one coroutine: one for each request or step would be an allocation for each.
net::Task<> User::run() {
  const Clock& clock = generator_.clock();
  Books& books = generator_.books();
  for (;;) {
    if (!generator_.next_journey(*this)) {
      co_await Park{*this};
      if (!on_journey_) co_return;
    }
    const PlannedScenario& scenario = generator_.plan().scenarios[journey_scenario_];
    if (scenario.sources.any())
      scenario.sources.fill(values_, random_, generator_.cursors(), {number_, iteration_});
    ++iteration_;
    Nanos intended = journey_start_;
    well_ = true;
    Reason why_skipped = Reason::kEarlierStep;
    for (std::size_t i = 0; i < scenario.steps.size(); ++i) {
      const PlannedStep& step = scenario.steps[i];
      const bool last = i + 1 == scenario.steps.size();
      Record record{.scenario = journey_scenario_,
                    .step = i,
                    .intended = intended,
                    .done = intended,
                    .expects_denial = step.expectation.denial()};
      if (!well_) {
        record.ending = {Outcome::kSkipped, why_skipped};
        books.record(record);
        continue;
      }
      Wire wire = rendered(step);
      record.body = wire.bytes.size() + wire.generated - wire.head;
      const base::Mono deadline = clock.began + intended + step.step->timeout;
      Connection& connection = connections_[step.target];
      bool tried = false, asked = false, told_nonce = false;
      trouble_ = {};
      for (bool anew = false;; anew = true) {
        const Nanos now = clock.now();
        if (!anew && now >= deadline - clock.began) {  // while it waited for a connection
          record.ending = {Outcome::kTimedOut, Reason::kConnectTimeout};
          record.done = now;
          break;
        }
        tried = true;
        if (wire.bad) {
          record.ending = {Outcome::kFailed, Reason::kBadValue};
          record.done = now;
          break;
        }
        if (!anew && !fit_for_use(connection, now)) {
          trouble_ = "there came what nobody had asked for";
          record.ending = {Outcome::kFailed, Reason::kBadReply};
          record.done = clock.now();
          break;
        }
        if (!connection.stream.open()) {
          record.ending = co_await connect(connection, step, deadline);
          if (!record.ending.met()) {
            record.done = clock.now();
            break;
          }
        }
        net::Stream& stream = connection.stream;
        stream.set_deadline(deadline);
        asked = true;
        exchange_.start(step, wire, values_, scenario.scenario->bandwidth);
        waits_ = &stream;
        net::Wake wake = net::Wake::kReady;
        for (Exchange::Wait wait; (wait = exchange_.advance(stream)) != Exchange::Wait::kDone;) {
          if (wait == Exchange::Wait::kRead) {
            wake = co_await stream.readable();
          } else if (wait == Exchange::Wait::kWrite) {
            wake = co_await stream.either();
          } else {
            if (wait == Exchange::Wait::kSleep) {
              generator_.wake_at(std::min(exchange_.wake_at(), deadline - clock.began), *this);
              co_await Park{*this};
            } else {
              co_await generator_.loop().yield();
            }
            if (base::mono_now() >= deadline) wake = net::Wake::kTimeout;
            if (cut_) wake = net::Wake::kCancelled;
          }
          if (wake != net::Wake::kReady) break;
        }
        waits_ = nullptr;
        stream.clear_deadline();
        if (record.sent == kNever) record.sent = exchange_.sent();
        record.first_byte = exchange_.first_byte();
        record.bytes = exchange_.bytes();
        record.status = exchange_.status();
        if (record.body > 0) record.body_sent = exchange_.body_taken(stream);
        if (wake != net::Wake::kReady) {
          record.ending = wake == net::Wake::kCancelled ? kInFlightEnding
                                                        : Ending{Outcome::kTimedOut, Reason::kReplyTimeout};
          record.done = clock.now();
          close(connection);
          break;
        }
        record.done = exchange_.done();
        if (exchange_.end() == Exchange::End::kWhole) {
          // The loop's deadlines are coarse: what came after its time is late, whether it was stopped or not.
          record.ending = record.done - intended > step.step->timeout
                              ? Ending{Outcome::kTimedOut, Reason::kReplyTimeout}
                              : exchange_.judge();
          connection.used = true;
          connection.rests_since = record.done;
          if (!exchange_.reusable()) close(connection);
          if (step.step->dpop && asked_for_nonce(step) && !std::exchange(told_nonce, true)) {
            books.retried(record.intended, record.scenario, record.step);
            wire = rendered(step);
            continue;
          }
          break;
        }
        const bool lost = exchange_.end() == Exchange::End::kReset && !anew;
        // A connection that was gone before the request set out has cost nothing but itself.
        const bool unsent = lost && connection.used && exchange_.unsent() && !cut_;
        const bool resent = lost && !unsent &&
                            (scenario.scenario->resend || sabotage::on("prove-resends-in-silence")) &&
                            co_await was_unread(connection, step);
        close(connection);
        if (!unsent && !resent) {
          record.ending = {Outcome::kFailed,
                           exchange_.end() == Exchange::End::kReset ? Reason::kReset : Reason::kBadReply};
          break;
        }
        if (resent && scenario.scenario->resend) books.retried(record.intended, record.scenario, record.step);
        if (unsent) record.sent = kNever;
        if (resent && step.step->dpop) wire = rendered(step);  // it may have been seen: a proof is good once
      }
      if (i == 0 && tried && open_model())
        books.sent(intended, record.sent != kNever ? record.sent : record.done);
      books.record(record);
      if (Samples& samples = generator_.samples(); samples.wants(record))
        samples.keep(record,
                     {.wire = wire,
                      .reply = asked ? exchange_.came_first() : "",
                      .trouble = asked && trouble_.empty() ? exchange_.why() : trouble_,
                      .body = asked ? exchange_.kept_body() : "",
                      .found_beyond = exchange_.found_beyond(),
                      .replaced = asked ? exchange_.replaced() : std::span<const Captured::value_type>()},
                     values_);
      well_ = record.ending.met();
      intended = record.done;
      if (last || !well_) continue;
      const Nanos think = think_time(*step.step, random_);
      if (think.count() > 0 && !cut_) {
        intended += think;
        generator_.thinks(true);
        generator_.wake_at(intended, *this);
        co_await Park{*this};
        generator_.thinks(false);
        if (!cut_) books.late(intended, clock.now() - intended);
      }
      if (!cut_) continue;
      // The run ended while he thought: what he had still to do was not done, and that is told.
      well_ = false;
      why_skipped = Reason::kInFlight;
      intended = std::min(intended, clock.now());
    }
    if (scenario.scenario->reconnect)
      for (Connection& connection : connections_) close(connection);
    free_at_ = intended;
    // In the open model arrivals set the pace, and nothing comes after the last step.
    if (!open_model() && !scenario.steps.empty())
      free_at_ += think_time(*scenario.steps.back().step, random_);
  }
}

}  // namespace prove
