// One worker's connection to one Redis server: kept up in the background, commands pipelined.
//
// Owner:    a worker; whoever sends commands dies before it, or forgets its calls.
// Thread:   the worker's own.
// Lifetime: start(), then stop() and await drained() before it dies.
// Failure:  the constructor throws std::runtime_error when the CA file cannot be read. A command fails at
//           once while the connection is down (kOriginUnreachable) or its pipeline is full (kOverloaded):
//           nothing ever queues up behind a server that is not there. A reply later than `timeout` means that
//           the server is lost (kOriginTimeout): everything under way fails and the connection is made anew.
//           An error that Redis answers is a Reply (is_error()).
//
// Commands of one turn of the loop leave in one write. Deadlines are the loop's: up to 32 ms late.
// Reconnecting backs off from backoff_min, doubled up to backoff_max, each wait a random half to whole of it;
// a refusal (wrong password, no RESP3) goes to backoff_max at once.
// What a log line may hold of Redis' errors is their first word: some servers repeat the command, password
// included.
//
//   redis::Connection redis(loop, resolver, options, metrics);
//   redis.start();
//   const auto reply = co_await redis.command({"GET", key});           // where waiting is meant
//   if (reply && !reply->is_error()) use(reply->text());
//   redis.send(call, {"EVALSHA", …});                                  // where it is not; allocates nothing
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "net/scope.h"
#include "net/stream.h"
#include "net/task.h"
#include "net/tls.h"
#include "redis/metrics.h"
#include "redis/session.h"

namespace redis {

struct TlsOptions {
  bool verify = true;
  std::string ca_file;      // "": the system's
  std::string server_name;  // "": the host
};

struct Options {
  std::string host;  // without brackets
  std::uint16_t port = 6379;
  std::optional<TlsOptions> tls;
  Greeting greeting;
  base::Millis connect{1'000};  // name, TCP, TLS
  base::Millis timeout{250};    // of a command, the greeting's too
  base::Millis backoff_min{50};
  base::Millis backoff_max{2'000};
  base::Millis resolve_every{30'000};
  std::size_t pipeline = 1'024;
  Bounds bounds;
};

class Connection {
 public:
  Connection(net::Loop& loop, net::Resolver& resolver, Options options, Metrics& metrics);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start();
  void stop();
  net::Task<> drained() { return scope_.drained(); }

  bool ready() const { return session_.ready(); }
  base::Nanos round_trip() const { return session_.round_trip(); }  // as seen lately

  // Calls back with the reply; on an error here it never does.
  base::Result<> send(Call& call, std::span<const std::string_view> arguments);
  base::Result<> send(Call& call, std::initializer_list<std::string_view> arguments) {
    return send(call, std::span(arguments.begin(), arguments.size()));
  }
  void forget(Call& call) { session_.forget(call); }

  // Waits for the reply. The arguments are encoded when it is awaited, in place.
  net::Task<base::Result<Reply>> command(std::span<const std::string_view> arguments,
                                         net::Cancel* cancel = nullptr);
  net::Task<base::Result<Reply>> command(std::initializer_list<std::string_view> arguments,
                                         net::Cancel* cancel = nullptr) {
    return command(std::span(arguments.begin(), arguments.size()), cancel);
  }

  net::Loop& loop() { return loop_; }

 private:
  net::Task<> keep_up();
  net::Task<base::Result<net::Stream>> dial();
  net::Task<base::Error> converse();  // until it ends: why
  base::Result<> flush();             // writes what the socket takes
  base::Result<bool> drink();         // reads what is there; true: there may be more
  void announce();

  net::Loop& loop_;
  net::Resolver& resolver_;
  const Options options_;
  Metrics& metrics_;
  std::unique_ptr<net::TlsContext> tls_;
  Session session_;
  net::Stream stream_;
  std::array<char, 16 << 10> input_;
  bool waiting_ = false;  // converse() waits for the socket
  bool stopping_ = false;
  bool ever_ready_ = false;
  base::Mono ready_since_ = base::Mono::max();  // max(): not ready
  net::Cancel cancel_;
  net::Event pause_;
  net::Scope scope_;
};

}  // namespace redis
