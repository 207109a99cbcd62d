// One connection's conversation with Redis, as a state machine without sockets: the greeting, the commands
// under way in order, their deadlines. Bytes go in and out by calls; nothing here waits.
//
// Owner:    redis::Connection.
// Thread:   the worker's own.
// Lifetime: a Call stays where it is until its done() was called or it was forgotten; done() may destroy it,
//           and may send the next command.
// Failure:  send() refuses at once: kOriginUnreachable while not ready, kOverloaded when the pipeline is
//           full. What is under way when the conversation ends is told why. An error that Redis answers is a
//           Reply, not a failure.
//
//   down --open()--> greeting --every answer good--> ready --close(), a bad byte, a missed deadline--> down
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"
#include "redis/metrics.h"
#include "redis/resp.h"

namespace redis {

// One command under way, as its caller sees it. No virtual, no allocation: a member of whatever waits for it.
class Call {
 public:
  // `reply` is null where the command failed; it is valid during the call only, and may be moved from.
  using Done = void (*)(Call& call, Reply* reply, base::Error why);
  explicit Call(Done done) : done_(done) {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  bool pending() const { return pending_; }

 protected:
  ~Call();  // must not be pending

 private:
  friend class Session;
  Done done_;
  bool pending_ = false;
};

// What is said before the first command, at every connect.
struct Greeting {
  std::string user;  // of ACL; "": default
  base::Secret password;
  std::uint64_t database = 0;
  std::vector<std::vector<std::string>>
      prelude;  // commands, e.g. SCRIPT LOAD; an error to one ends the attempt
};

class Session {
 public:
  enum class State : std::uint8_t { kDown, kGreeting, kReady };

  // `pipeline`: commands under way at most.
  Session(Greeting greeting, std::size_t pipeline, base::Nanos timeout, const Bounds& bounds,
          Metrics& metrics);

  State state() const { return state_; }
  bool ready() const { return state_ == State::kReady; }

  // ---- the caller's side
  base::Result<> send(Call& call, std::span<const std::string_view> arguments);
  // The reply will be dropped. For a caller that leaves before it.
  void forget(Call& call);

  // ---- the socket's side
  void open();  // connected: the greeting stands in output()
  std::string_view output() const { return std::string_view(out_).substr(written_); }
  void wrote(std::size_t n);
  // An error: the connection must be closed; close() with it.
  base::Result<> feed(std::string_view bytes);
  base::Mono deadline() const;  // of the oldest command under way; max() without one
  // Of this connection's commands, the greeting among them: a moving average; 0 before the first answer.
  base::Nanos round_trip() const { return round_trip_; }
  void close(base::Error why);

  // Of the last failed greeting, the first word of Redis' error; else "".
  std::string_view refusal() const { return refusal_; }

 private:
  struct Slot {
    Call* call = nullptr;  // null: forgotten, or a part of the greeting
    base::Mono sent{};
  };
  void push(Call* call);
  Slot pop();
  base::Result<> answered(Reply& reply, base::Mono now);
  base::Result<> greeted(const Reply& reply);

  const Greeting greeting_;
  const base::Nanos timeout_;
  Metrics& metrics_;
  State state_ = State::kDown;
  Parser parser_;
  const std::size_t pipeline_;
  std::vector<Slot> slots_;  // a ring: all under way, in the order sent
  std::size_t first_ = 0, count_ = 0;
  base::Nanos round_trip_{0};
  std::size_t greeted_ = 0;    // parts of the greeting that were answered
  std::size_t greetings_ = 0;  // all of them
  std::string out_;
  std::size_t written_ = 0;
  std::string refusal_;
};

}  // namespace redis
