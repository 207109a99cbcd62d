#include "redis/session.h"

#include <algorithm>
#include <cassert>

namespace redis {

using base::Code;
using base::fail;
using base::Result;

namespace {

constexpr std::size_t kKeep = 1 << 20;  // bytes of output memory that stays for the next commands

// What an error to a part of the greeting means to an operator. Its text is looked at and never shown: an old
// server repeats the command that it does not know, password included.
base::Error meaning_of(const Reply& reply, bool hello) {
  const std::string_view code = reply.error_code();
  if (code == "LOADING" || code == "MASTERDOWN" || code == "BUSY")
    return {Code::kOriginUnreachable, "Redis is not ready yet"};
  if (reply.text().contains("max number of clients"))
    return {Code::kOverloaded, "Redis takes no more connections"};
  if (code == "WRONGPASS") return {Code::kOriginDenied, "Redis refuses the user or the password"};
  if (code == "NOAUTH") return {Code::kOriginDenied, "Redis asks for a password"};
  if (code == "NOPERM") return {Code::kOriginDenied, "the Redis user lacks a permission"};
  if (code == "DENIED") return {Code::kOriginDenied, "Redis is in protected mode"};
  if (hello) return {Code::kOriginBadReply, "the server refuses RESP3; Redis 6 and later have it"};
  return {Code::kOriginDenied, "Redis refuses the database or a command of the greeting"};
}

}  // namespace

Call::~Call() {
  assert(!pending_);
}

Session::Session(Greeting greeting, std::size_t pipeline, base::Nanos timeout, const Bounds& bounds,
                 Metrics& metrics)
    : greeting_(std::move(greeting)),
      timeout_(timeout),
      metrics_(metrics),
      parser_(bounds),
      pipeline_(pipeline),
      slots_(std::max(pipeline, greeting_.prelude.size() + 2)) {}

void Session::open() {
  assert(state_ == State::kDown && count_ == 0);
  state_ = State::kGreeting;
  refusal_.clear();
  parser_.reset();
  out_.clear();
  written_ = greeted_ = greetings_ = 0;
  round_trip_ = base::Nanos(0);
  const auto say = [&](std::span<const std::string_view> arguments) {
    append_command(out_, arguments);
    push(nullptr);
    ++greetings_;
  };
  std::vector<std::string_view> words{"HELLO", "3"};
  if (!greeting_.password.empty() || !greeting_.user.empty()) {
    const std::string_view user = greeting_.user.empty() ? std::string_view("default") : greeting_.user;
    words.insert(words.end(), {"AUTH", user, greeting_.password.reveal()});
  }
  say(words);
  const std::string database = std::to_string(greeting_.database);
  if (greeting_.database != 0) say(words = {"SELECT", database});
  for (const auto& command : greeting_.prelude) {
    words.assign(command.begin(), command.end());
    say(words);
  }
}

Result<> Session::send(Call& call, std::span<const std::string_view> arguments) {
  metrics_.commands.add();
  if (!ready()) {
    metrics_.errors.add();
    return fail(Code::kOriginUnreachable, "Redis is not connected");
  }
  if (count_ >= pipeline_) {
    metrics_.errors.add();
    return fail(Code::kOverloaded, "too many commands wait for Redis");
  }
  append_command(out_, arguments);
  push(&call);
  call.pending_ = true;
  return {};
}

void Session::forget(Call& call) {
  for (std::size_t i = 0; call.pending_ && i < count_; ++i) {
    Slot& slot = slots_[(first_ + i) % slots_.size()];
    if (slot.call != &call) continue;
    slot.call = nullptr;
    call.pending_ = false;
  }
}

void Session::push(Call* call) {
  slots_[(first_ + count_++) % slots_.size()] = {call, base::mono_now()};
}

Session::Slot Session::pop() {
  const Slot slot = slots_[first_];
  first_ = (first_ + 1) % slots_.size();
  --count_;
  if (slot.call) slot.call->pending_ = false;
  return slot;
}

void Session::wrote(std::size_t n) {
  written_ += n;
  if (written_ < out_.size()) return;
  if (out_.capacity() > kKeep) out_ = {};
  out_.clear();
  written_ = 0;
}

Result<> Session::feed(std::string_view bytes) {
  const base::Mono now = base::mono_now();
  while (!bytes.empty()) {
    const auto whole = parser_.next(bytes);
    if (!whole) return std::unexpected(whole.error());
    if (!*whole) break;
    if (parser_.reply().type() == Type::kPush) continue;  // nobody has subscribed to anything
    if (const auto ok = answered(parser_.reply(), now); !ok) return ok;
    if (state_ == State::kDown) break;  // closed by a callee
  }
  return {};
}

Result<> Session::answered(Reply& reply, base::Mono now) {
  if (count_ == 0) return fail(Code::kOriginBadReply, "Redis answers without being asked");
  const Slot slot = pop();
  const base::Nanos took = now - slot.sent;
  round_trip_ = round_trip_ == base::Nanos(0) ? took : round_trip_ + (took - round_trip_) / 8;
  if (state_ == State::kGreeting) return greeted(reply);
  metrics_.latency.record(took);
  if (reply.is_error()) metrics_.errors.add();
  if (slot.call) slot.call->done_(*slot.call, &reply, {});
  return {};
}

Result<> Session::greeted(const Reply& reply) {
  if (reply.is_error()) {
    refusal_ = reply.error_code();
    return std::unexpected(meaning_of(reply, greeted_ == 0));
  }
  if (greeted_ == 0 && reply.type() != Type::kMap)
    return fail(Code::kOriginBadReply, "the server does not answer HELLO as Redis does");
  if (++greeted_ == greetings_) {
    state_ = State::kReady;
    metrics_.connected.set(1);
  }
  return {};
}

base::Mono Session::deadline() const {
  return count_ == 0 ? base::Mono::max() : slots_[first_].sent + timeout_;
}

void Session::close(base::Error why) {
  const bool greeting = state_ == State::kGreeting;
  state_ = State::kDown;  // first: who is told may try to send
  metrics_.connected.set(0);
  out_.clear();
  written_ = 0;
  while (count_ > 0) {
    const Slot slot = pop();
    if (greeting) continue;
    metrics_.errors.add();
    if (slot.call) slot.call->done_(*slot.call, nullptr, why);
  }
}

}  // namespace redis
