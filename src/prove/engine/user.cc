#include "prove/engine/user.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/sabotage.h"
#include "net/dial.h"
#include "prove/engine/generator.h"
#include "prove/wire/redirect.h"

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

net::Task<Ending> User::connect(Connection& connection, base::Mono deadline) {
  const PlannedTarget& target = generator_.plan().targets[ask_.target];
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

// All that waits for each request is in this one coroutine: one for each request or step would be an
// allocation for each. What does not wait are the functions below.
net::Task<> User::run() {
  for (;;) {
    if (!generator_.next_journey(*this)) {
      co_await Park{*this};
      if (!on_journey_) co_return;
    }
    begin_journey();
    while (begin_step()) {
      while (may_set_out()) {
        if (!connection().stream.open() && !has_connection(co_await connect(connection(), ask_.deadline)))
          break;
        net::Stream& stream = set_out();
        net::Wake wake = net::Wake::kReady;
        for (Exchange::Wait wait; (wait = exchange_.advance(stream)) != Exchange::Wait::kDone;) {
          if (wait == Exchange::Wait::kRead) {
            wake = co_await stream.readable();
          } else if (wait == Exchange::Wait::kWrite) {
            wake = co_await stream.either();
          } else if (wait == Exchange::Wait::kSleep) {
            generator_.wake_at(std::min(exchange_.wake_at(), ask_.deadline - generator_.clock().began),
                               *this);
            co_await Park{*this};
            wake = after_pause();
          } else {
            co_await generator_.loop().yield();
            wake = after_pause();
          }
          if (wake != net::Wake::kReady) break;
        }
        After after = after_exchange(wake);
        if (after == After::kMayBeNew && !co_await was_unread(connection(), *ask_.step)) after = After::kLost;
        if (!once_more(after)) break;
      }
      end_step();
      if (!thinks()) continue;
      co_await Park{*this};
      has_thought();
    }
    end_journey();
  }
}

const PlannedScenario& User::journey() const {
  return generator_.plan().scenarios[journey_scenario_];
}

void User::begin_journey() {
  const Sources& sources = journey().sources;
  if (sources.any()) sources.fill(values_, random_, generator_.cursors(), {number_, iteration_});
  ++iteration_;
  intended_ = journey_start_;
  next_step_ = 0;
  well_ = true;
  has_asked_ = false;
  why_skipped_ = Reason::kEarlierStep;
  of_journey_.clear();
  if (!journey().course) return;
  for (const std::size_t slot : journey().captured) values_[slot].clear();
  next_step_ = journey().course->first(position_, values_);
  tell_left_out();
}

void User::tell_left_out() {
  for (const std::size_t step : position_.left_out)
    generator_.books().left_out(intended_, journey_scenario_, step);
  position_.left_out.clear();
}

bool User::begin_step() {
  const std::vector<PlannedStep>& steps = journey().steps;
  const Course* const course = journey().course.get();
  for (const std::size_t reached = next_step_; next_step_ < steps.size(); ++next_step_) {
    if (!well_ && course && !course->surely(next_step_, reached)) continue;
    const PlannedStep& step = steps[next_step_];
    ask_ = {};
    ask_.step = &step;
    ask_.target = step.target;
    ask_.record = {.scenario = journey_scenario_,
                   .step = next_step_,
                   .intended = intended_,
                   .done = intended_,
                   .expects_denial = step.expectation.denial()};
    if (well_) {
      ask_.wire = rendered(step);
      ask_.record.body = ask_.wire.bytes.size() + ask_.wire.generated - ask_.wire.head;
      ask_.deadline = generator_.clock().began + intended_ + step.step->timeout;
      trouble_ = {};
      add_cookies();
      return true;
    }
    ask_.record.ending = {Outcome::kSkipped, why_skipped_};
    generator_.books().record(ask_.record);
  }
  return false;
}

bool User::end_with(Ending ending, Nanos done) {
  ask_.record.ending = ending;
  ask_.record.done = done;
  return false;
}

bool User::may_set_out() {
  if (ask_.anew) return true;
  const Nanos now = generator_.clock().now();
  if (now >= ask_.deadline - generator_.clock().began)  // while it waited for a connection
    return end_with({Outcome::kTimedOut, Reason::kConnectTimeout}, now);
  ask_.tried = true;
  if (ask_.wire.bad) return end_with({Outcome::kFailed, Reason::kBadValue}, now);
  if (fit_for_use(connection(), now)) return true;
  trouble_ = "there came what nobody had asked for";
  return end_with({Outcome::kFailed, Reason::kBadReply}, generator_.clock().now());
}

bool User::has_connection(Ending of_connect) {
  return of_connect.met() || end_with(of_connect, generator_.clock().now());
}

net::Stream& User::set_out() {
  net::Stream& stream = connection().stream;
  stream.set_deadline(ask_.deadline);
  ask_.asked = true;
  notes_.wants_location = ask_.step->step->follow > 0;
  notes_.location.reset();
  exchange_.start(*ask_.step, ask_.wire, values_, journey().scenario->bandwidth,
                  notes_.jar || notes_.wants_location ? &notes_ : nullptr);
  waits_ = &stream;
  return stream;
}

// A pause is none of the stream's waits, so that nobody has looked at these meanwhile.
net::Wake User::after_pause() const {
  if (cut_) return net::Wake::kCancelled;
  return base::mono_now() >= ask_.deadline ? net::Wake::kTimeout : net::Wake::kReady;
}

User::After User::after_exchange(net::Wake wake) {
  Connection& connection = this->connection();
  Record& record = ask_.record;
  waits_ = nullptr;
  connection.stream.clear_deadline();
  if (record.sent == kNever) record.sent = exchange_.sent();
  record.first_byte = exchange_.first_byte();
  record.bytes = exchange_.bytes();
  record.status = exchange_.status();
  if (ask_.wire.bytes.size() + ask_.wire.generated > ask_.wire.head)
    record.body_sent = exchange_.body_taken(connection.stream);
  if (ask_.resent && journey().scenario->resend && exchange_.sent() != kNever)
    generator_.books().retried(record.intended, record.scenario, record.step);
  if (wake != net::Wake::kReady) {
    const bool cancelled = wake == net::Wake::kCancelled;
    end_with(cancelled ? kInFlightEnding : Ending{Outcome::kTimedOut, Reason::kReplyTimeout},
             generator_.clock().now());
    close(connection);
    return After::kDone;
  }
  record.done = exchange_.done();
  if (exchange_.end() == Exchange::End::kWhole) {
    take_reply();
    const PlannedStep& step = *ask_.step;
    if (step.step->dpop && asked_for_nonce(step) && !std::exchange(ask_.told_nonce, true)) {
      generator_.books().retried(record.intended, record.scenario, record.step);
      ask_.wire = rendered(step);
      add_cookies();
      ask_.anew = true;
      return After::kAgain;
    }
    const bool on = notes_.wants_location && redirects(record.status) && notes_.location;
    return on && record.ending.outcome != Outcome::kTimedOut ? after_redirect() : After::kDone;
  }
  if (exchange_.end() != Exchange::End::kReset || ask_.anew) return After::kLost;
  // A connection that was gone before the request set out has cost nothing but itself.
  if (connection.used && exchange_.unsent() && !cut_) return After::kUnsent;
  const bool resend = journey().scenario->resend || sabotage::on("prove-resends-in-silence");
  return resend ? After::kMayBeNew : After::kLost;
}

// What the reply that redirects was judged to be is forgotten: the last one counts.
User::After User::after_redirect() {
  const std::vector<Target>& targets = generator_.plan().campaign.targets;
  const Hop hop = hop_to(*notes_.location, targets, ask_.target, path_of(ask_.wire));
  trouble_ = ask_.hops == ask_.step->step->follow ? "there were more than `follow` allows" : hop.why;
  if (!trouble_.empty()) {
    ask_.record.ending = {Outcome::kFailed, Reason::kRedirect};
    return After::kDone;
  }
  ask_.wire = follow(ask_.wire, hop,
                     {.status = ask_.record.status,
                      .to = &targets[hop.target],
                      .elsewhere = hop.target != ask_.target,
                      .drop_cookies = notes_.jar && !ask_.step->own_cookies},
                     next_buffer_);
  buffer_.swap(next_buffer_);
  ask_.wire.bytes = buffer_;
  ask_.target = hop.target;
  ask_.anew = ask_.resent = false;
  ++ask_.hops;
  generator_.books().redirected(ask_.record.intended, ask_.record.scenario, ask_.record.step);
  add_cookies();
  return After::kAgain;
}

CookieJar* User::jar() {
  switch (journey().scenario->cookies) {
    case Cookies::kOff:
      break;
    case Cookies::kJourney:
      return &of_journey_;
    case Cookies::kUser:
      return &of_user_;
  }
  return nullptr;
}

void User::add_cookies() {
  notes_.jar = jar();
  if (!notes_.jar || ask_.wire.bad) return;
  const Plan& plan = generator_.plan();
  notes_.host = plan.targets[ask_.target].host;
  notes_.secure = plan.targets[ask_.target].tls != nullptr;
  notes_.path = path_of(ask_.wire);
  if (ask_.step->own_cookies) return;
  std::string line;
  notes_.jar->append_to(line, notes_.place(), base::wall_now());
  if (!line.empty()) ask_.wire = with_field(ask_.wire, line, buffer_);
}

void User::take_reply() {
  Connection& connection = this->connection();
  Record& record = ask_.record;
  // The loop's deadlines are coarse: what came after its time is late, whether it was stopped or not.
  record.ending = record.done - record.intended > ask_.step->step->timeout
                      ? Ending{Outcome::kTimedOut, Reason::kReplyTimeout}
                      : exchange_.judge();
  connection.used = true;
  connection.rests_since = record.done;
  if (!exchange_.reusable()) close(connection);
}

bool User::once_more(After after) {
  if (after == After::kDone) return false;
  if (after == After::kAgain) return true;
  close(connection());
  if (after == After::kLost) {
    const bool reset = exchange_.end() == Exchange::End::kReset;
    return end_with({Outcome::kFailed, reset ? Reason::kReset : Reason::kBadReply}, ask_.record.done);
  }
  ask_.anew = true;
  ask_.resent = after == After::kMayBeNew;
  if (ask_.resent && ask_.step->step->dpop) {  // it may have been seen, and a proof is good once
    ask_.wire = rendered(*ask_.step);
    add_cookies();
  }
  if (after == After::kUnsent && ask_.hops == 0) ask_.record.sent = kNever;
  return true;
}

void User::end_step() {
  Record& record = ask_.record;
  const Course* const course = journey().course.get();
  const bool first = !std::exchange(has_asked_, true);
  next_step_ = record.step + 1;
  if (course && record.ending.met()) {
    next_step_ = course->next(record.step, position_, values_);
    if (position_.given_up) record.ending = {Outcome::kFailed, Reason::kUntil};
  }
  if (first && ask_.tried && open_model())
    generator_.books().sent(journey_start_, record.sent != kNever ? record.sent : record.done);
  generator_.books().record(record);
  if (Samples& samples = generator_.samples(); samples.wants(record))
    samples.keep(record,
                 {.wire = ask_.wire,
                  .reply = ask_.asked ? exchange_.came_first() : "",
                  .trouble = ask_.asked && trouble_.empty() ? exchange_.why() : trouble_,
                  .body = ask_.asked ? exchange_.kept_body() : "",
                  .found_beyond = exchange_.found_beyond(),
                  .replaced = ask_.asked ? exchange_.replaced() : std::span<const Captured::value_type>(),
                  .length = ask_.asked ? exchange_.length() : 0,
                  .jar = notes_.jar},
                 values_);
  well_ = record.ending.met();
  intended_ = record.done;
  if (course) tell_left_out();
}

bool User::thinks() {
  if (!well_ || next_step_ == journey().steps.size()) return false;
  const Nanos think = think_time(*ask_.step->step, random_);
  if (cut_) cut_short();
  if (think.count() == 0 || cut_) return false;
  intended_ += think;
  generator_.thinks(true);
  generator_.wake_at(intended_, *this);
  return true;
}

void User::has_thought() {
  generator_.thinks(false);
  if (cut_)
    cut_short();
  else
    generator_.books().late(intended_, generator_.clock().now() - intended_);
}

// The run ended between two steps: what he had still to do was not done, and that is told.
void User::cut_short() {
  well_ = false;
  why_skipped_ = Reason::kInFlight;
  intended_ = std::min(intended_, generator_.clock().now());
}

void User::end_journey() {
  const Scenario& scenario = *journey().scenario;
  if (scenario.reconnect)
    for (Connection& connection : connections_) close(connection);
  // An arrival that had nothing to send was not kept from it.
  if (!has_asked_ && well_ && open_model()) generator_.books().sent(journey_start_, generator_.clock().now());
  free_at_ = intended_;
  // In the open model arrivals set the pace, and nothing comes after the last step.
  if (!open_model() && !scenario.steps.empty()) free_at_ += think_time(scenario.steps.back(), random_);
}

}  // namespace prove
