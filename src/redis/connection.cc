#include "redis/connection.h"

#include <algorithm>

#include "base/siphash.h"
#include "net/dial.h"
#include "telemetry/oplog.h"

namespace redis {

using base::Code;
using base::fail;
using base::Result;

namespace {

namespace log = telemetry::log;

// A command that a coroutine waits for.
struct Awaited : Call {
  explicit Awaited(net::Loop& loop) : Call(&Awaited::done), event(loop) {}
  static void done(Call& call, Reply* reply, base::Error why) {
    auto& self = static_cast<Awaited&>(call);
    if (reply)
      self.result = std::move(*reply);
    else
      self.result = std::unexpected(why);
    self.event.set();
  }
  net::Event event;
  Result<Reply> result = fail(Code::kCancelled, "cancelled");
};

// This room's door to the network.
base::Error redis_error(const net::Error& why) {
  switch (why.fault) {
    case net::Fault::kRefused:
      return {Code::kOriginRefused, "Redis refuses connections"};
    case net::Fault::kNoName:
      return {Code::kOriginUnreachable, "the name of Redis does not resolve"};
    case net::Fault::kUnreachable:
    case net::Fault::kTimedOut:
      return {Code::kOriginUnreachable, "Redis cannot be reached"};
    case net::Fault::kClosed:
      return {Code::kOriginBadReply, "the TLS handshake with Redis failed"};
    case net::Fault::kTls:
    case net::Fault::kCertificate:
      return {Code::kOriginBadReply, why.text};  // why, for the log, where alone it goes
    case net::Fault::kCancelled:
      return {Code::kCancelled, "cancelled"};
    case net::Fault::kNoRoom:
      return {Code::kOverloaded, "no descriptor, port or memory left for a connection to Redis"};
  }
  return {};
}

// Half to whole of it, so that many instances do not come back at the same moment.
base::Nanos jittered(base::Nanos wait) {
  std::uint32_t random;
  base::random_bytes(&random, sizeof random);
  return wait / 2 + wait / 2 * (random % 1024) / 1024;
}

}  // namespace

Connection::Connection(net::Loop& loop, net::Resolver& resolver, Options options, Metrics& metrics)
    : loop_(loop),
      resolver_(resolver),
      options_(std::move(options)),
      metrics_(metrics),
      tls_(options_.tls ? std::make_unique<net::TlsContext>(options_.tls->verify, options_.tls->ca_file)
                        : nullptr),
      session_(options_.greeting, options_.pipeline, options_.timeout, options_.bounds, metrics),
      pause_(loop),
      scope_(loop) {}

Connection::~Connection() = default;

void Connection::start() {
  scope_.spawn(keep_up());
}

void Connection::stop() {
  stopping_ = true;
  cancel_.request();
}

Result<> Connection::send(Call& call, std::span<const std::string_view> arguments) {
  if (auto sent = session_.send(call, arguments); !sent) return sent;
  // converse() goes on at the end of this turn, when everybody has had a chance to add to the batch.
  if (waiting_) stream_.watch().wake_all();
  return {};
}

net::Task<Result<Reply>> Connection::command(std::span<const std::string_view> arguments,
                                             net::Cancel* cancel) {
  Awaited call(loop_);
  if (const auto sent = send(call, arguments); !sent) co_return std::unexpected(sent.error());
  const net::CancelLink link(cancel, call.event);
  co_await call.event.wait();
  if (call.pending()) forget(call);
  co_return std::move(call.result);
}

net::Task<> Connection::keep_up() {
  base::Nanos wait = options_.backoff_min;
  while (!stopping_) {
    metrics_.connects.add();
    base::Error why;
    std::string_view refusal;
    if (auto stream = co_await dial()) {
      stream_ = std::move(*stream);
      session_.open();
      why = co_await converse();
      const bool steady = loop_.now() - ready_since_ >= options_.backoff_max;
      if (steady) wait = options_.backoff_min;
      ready_since_ = base::Mono::max();
      refusal = session_.refusal();
      session_.close(why);
      stream_.close();
    } else {
      why = stream.error();
    }
    if (stopping_) break;
    // Who is refused will be refused again, until a person changes something.
    if (why.code == Code::kOriginDenied || why.code == Code::kOriginBadReply) wait = options_.backoff_max;
    log::warn("redis is not connected",
              {{"host", options_.host}, {"port", options_.port}, {"reason", why.text}, {"error", refusal}});
    {
      const net::CancelLink link(&cancel_, pause_);
      co_await pause_.wait(loop_.now() + jittered(wait));
    }
    wait = std::min<base::Nanos>(wait * 2, options_.backoff_max);
  }
}

net::Task<Result<net::Stream>> Connection::dial() {
  const base::Mono deadline = loop_.now() + options_.connect;
  const auto addresses =
      co_await resolver_.resolve(options_.host, options_.port, options_.resolve_every, deadline, &cancel_);
  if (!addresses) co_return std::unexpected(redis_error(addresses.error()));
  auto stream = co_await net::connect(loop_, **addresses, deadline, &cancel_, &resolver_.laggards());
  if (!stream) co_return std::unexpected(redis_error(stream.error()));
  if (tls_) {
    stream->set_deadline(deadline);
    const net::CancelLink link(&cancel_, stream->watch());
    const std::string& name = options_.tls->server_name;
    const auto secured = co_await stream->handshake(*tls_, name.empty() ? options_.host : name);
    if (!secured) co_return std::unexpected(redis_error(secured.error()));
    stream->clear_deadline();
  }
  co_return std::move(*stream);
}

net::Task<base::Error> Connection::converse() {
  net::Watch& watch = stream_.watch();
  const net::CancelLink link(&cancel_, watch);
  for (;;) {
    if (const auto ok = flush(); !ok) co_return ok.error();
    const auto more = drink();
    if (!more) co_return more.error();
    announce();
    if (const auto ok = flush(); !ok) co_return ok.error();  // what the callees of drink() have sent
    if (stopping_) co_return base::Error{Code::kShuttingDown, "the connection to Redis was stopped"};
    const base::Mono deadline = session_.deadline();
    if (deadline <= loop_.now()) co_return base::Error{Code::kOriginTimeout, "Redis did not answer in time"};
    if (*more) {
      co_await loop_.yield();
      continue;
    }
    if (deadline == base::Mono::max())
      stream_.clear_deadline();
    else
      stream_.set_deadline(deadline);
    // Woken by bytes, by room for those that did not fit, by the deadline, by stop(), or by send(), whose
    // commands flush() then finds: so the reason does not matter.
    waiting_ = true;
    if (!watch.readable && !watch.writable)
      co_await stream_.either();
    else if (!watch.readable)
      co_await stream_.readable();
    else  // TLS has to write before it can read
      co_await stream_.writable();
    waiting_ = false;
  }
}

Result<> Connection::flush() {
  while (!session_.output().empty() && stream_.watch().writable) {
    const ssize_t n = stream_.try_write(session_.output());
    if (n == net::Stream::kAgain) break;
    if (n <= 0) return fail(Code::kOriginRefused, "Redis closed the connection");
    session_.wrote(static_cast<std::size_t>(n));
  }
  return {};
}

Result<bool> Connection::drink() {
  if (!stream_.watch().readable) return false;
  const ssize_t n = stream_.try_read(input_);
  if (n == net::Stream::kAgain) return false;
  if (n <= 0) return fail(Code::kOriginRefused, "Redis closed the connection");
  if (const auto ok = session_.feed({input_.data(), static_cast<std::size_t>(n)}); !ok)
    return std::unexpected(ok.error());
  return stream_.watch().readable;
}

void Connection::announce() {
  if (ready_since_ != base::Mono::max() || !session_.ready()) return;
  ready_since_ = loop_.now();
  if (std::exchange(ever_ready_, true)) metrics_.reconnects.add();
  log::info("redis is connected", {{"host", options_.host}, {"port", options_.port}});
}

}  // namespace redis
