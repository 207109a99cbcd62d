#include "gateway/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "base/sabotage.h"
#include "gateway/request_body.h"
#include "gateway/respond.h"
#include "gateway/walk.h"
#include "gateway/worker.h"
#include "http/proxy_protocol.h"
#include "telemetry/oplog.h"

namespace gateway {

using base::Code;

namespace {
constexpr unsigned kInARow = 32;                     // pipelined requests, until others have their turn
constexpr base::Nanos kLastWord = base::Seconds(1);  // for a first request, when the worker is closing
}  // namespace

Connection::Connection(Worker& worker, int fd, const net::Endpoint& peer, Opening opening)
    : worker_(worker),
      client_(worker.loop(), fd),
      peer_(peer),
      peer_text_(peer.host()),
      peer_bytes_(peer.bytes()),
      awaits_proxy_header_(opening == Opening::kProxyHeader) {
  after_ = worker.open_;
  if (after_) after_->before_ = this;
  worker.open_ = this;
  worker.metrics().connections_active.add(1);
}

Connection::~Connection() {
  if (before_)
    before_->after_ = after_;
  else
    worker_.open_ = after_;
  if (after_) after_->before_ = before_;
  worker_.metrics().connections_active.add(-1);
  if (!sabotage::on("connection-count-leak"))
    worker_.commons().connections.fetch_sub(1, std::memory_order_relaxed);
}

net::Task<> Connection::run(std::unique_ptr<Connection> connection) {
  return connection.release()->serve();
}

net::Task<> Connection::serve() {
  const std::unique_ptr<Connection> self(this);
  Responder responder(worker_, client_);
  Walk walk(worker_);
  unsigned in_a_row = 0;

  for (;;) {
    if (++in_a_row == kInARow) {
      in_a_row = 0;
      co_await worker_.loop().yield();
    }
    // ---- a request's head, waited for without holding more than the socket
    Input input;
    while ((input = look_at_input()) == Input::kMore) {
      const config::Timeouts& timeouts = worker_.snapshot()->snapshot->config().timeouts;
      idle_ = !x_ || x_->pending().empty();
      if (idle_) {
        if (x_) worker_.give_back(std::move(x_));
        if (worker_.closing() && !first_) {
          input = Input::kEnd;
          break;
        }
        base::Nanos patience = first_ ? timeouts.header : timeouts.idle;
        if (worker_.closing()) patience = std::min(patience, kLastWord);
        client_.set_deadline(patience);
      } else {
        client_.set_deadline(x_->first_byte + timeouts.header);
      }
      if (const net::Wake wake = co_await client_.readable(); wake != net::Wake::kReady) {
        input = gave_up_waiting(wake);
        break;
      }
    }
    if (input == Input::kEnd) break;
    first_ = idle_ = false;

    // ---- the walk
    Exchange& x = *x_;
    x.started = base::mono_now();
    x.snapshot = worker_.snapshot();
    x.peer = &peer_;
    x.nameless_peer = nameless_;
    x.client.assign(peer_text_);
    x.client_address = peer_bytes_;
    x.request_id.assign(worker_.make_request_id());
    RequestBody body(x, client_, x.snapshot->snapshot->config());
    client_.watch().on_hangup = nullptr;

    Walk::Next next = Walk::Next::kRespond;
    if (input == Input::kHead)
      next = walk.decide(x);
    else
      x.keep_alive = false;
    if (next == Walk::Next::kWait) {
      client_.watch().on_hangup = &x.gone;  // a client that leaves stops what is done for it
      if (client_.hangup()) x.gone.request();
      co_await walk.wait(x, body);
    }
    x.keep_alive = x.keep_alive && x.head.keep_alive && !worker_.draining() && body.drainable() &&
                   !sabotage::on("connection-per-request");
    if (sabotage::on("cpu-wasted")) sabotage::burn(base::Nanos(8'000));
    if (sabotage::on("reply-delayed")) {
      net::Event pause(worker_.loop());
      co_await pause.wait(base::mono_now() + base::Millis(20));
    }
    if (!x.gone.requested() && !responder.at_once(x)) co_await responder.rest(x);
    client_.watch().on_hangup = nullptr;
    worker_.record(x);
    // The reply is out: who is slow with the rest of a body that nobody wants keeps no place from others.
    x.slot.leave();
    x.origin_slot.leave();

    // ---- and the next, if there may be one
    if (!x.whole()) {
      // Cut, not closed: a reply that broke off must not look like one that ended.
      const struct linger now{.l_onoff = 1, .l_linger = 0};
      ::setsockopt(client_.fd(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
      break;
    }
    if (!x.keep_alive || (!body.complete() && !co_await body.drain())) {
      if (input == Input::kRefused || !body.complete()) co_await linger();
      break;
    }
    x.reset();
    x.first_byte = worker_.loop().now();  // what is here already of the next head
  }
  if (x_) worker_.give_back(std::move(x_));
}

Connection::Input Connection::look_at_input() {
  for (;;) {
    if (x_ && x_->begin < x_->end && awaits_proxy_header_) {
      if (const Input input = look_at_proxy_header(); input == Input::kEnd) return input;
    }
    if (x_ && x_->begin < x_->end && !awaits_proxy_header_) {
      Exchange& x = *x_;
      if (x.begin > 0) {  // a pipelined request, moved to where heads are read
        std::memmove(x.input.data(), x.input.data() + x.begin, x.end - x.begin);
        x.end -= x.begin;
        x.begin = 0;
      }
      const config::Limits& limits = worker_.snapshot()->snapshot->config().limits;
      const http::HeadLimits head_limits{
          .head = limits.head, .target = limits.target, .fields = limits.fields};
      const auto used = http::parse_request(x.pending(), head_limits, x.head, &x.seen);
      if (!used) {
        x.stop(used.error());
        return Input::kRefused;
      }
      if (*used > 0) {
        x.parsed = true;
        x.head_size = x.begin = *used;
        x.bytes_in = *used;
        return Input::kHead;
      }
    }
    if (!client_.watch().readable) return Input::kMore;
    if (!x_) x_ = worker_.take_exchange();
    Exchange& x = *x_;
    const bool first_bytes = x.pending().empty();
    if (first_bytes) x.begin = x.end = 0;
    const ssize_t n = client_.try_read(std::span(x.input).subspan(x.end));
    if (n == net::Stream::kAgain) return Input::kMore;
    if (n <= 0) {
      if (awaits_proxy_header_ && !first_bytes) return refuse_proxy_header("the PROXY header ended early");
      return Input::kEnd;
    }
    if (first_bytes) x.first_byte = worker_.loop().now();
    x.end += static_cast<std::size_t>(n);
  }
}

// The address that the header tells is the peer from here on: for identity, limits, the log and the origin.
// Whether that address is a trusted proxy itself decides what is believed of its requests' fields.
Connection::Input Connection::look_at_proxy_header() {
  http::ProxyHeader header;
  const auto used = http::parse_proxy_header(x_->pending(), header);
  if (!used) return refuse_proxy_header(used.error().text);
  if (*used == 0) return Input::kMore;
  awaits_proxy_header_ = false;
  x_->begin += *used;
  x_->first_byte = worker_.loop().now();  // of a request's head, if that came along
  nameless_ = header.source == http::ProxyHeader::Source::kUnnamed;
  if (header.source == http::ProxyHeader::Source::kAddress) {
    peer_ = net::Endpoint::of(header.address, header.port);
    peer_text_ = peer_.host();
    peer_bytes_ = header.address;
  }
  return Input::kHead;
}

// Not answered: a peer that was to speak another protocol first would take our reply for that.
Connection::Input Connection::refuse_proxy_header(std::string_view why) {
  worker_.metrics().connections_refused[telemetry::Refusal::kProxyHeader].add();
  telemetry::log::warn("connection refused: no good PROXY header", {{"peer", peer_text_}, {"reason", why}});
  return Input::kEnd;
}

Connection::Input Connection::gave_up_waiting(net::Wake wake) {
  if (wake == net::Wake::kCancelled || !x_ || x_->pending().empty()) return Input::kEnd;
  if (awaits_proxy_header_) return refuse_proxy_header("the PROXY header did not arrive in time");
  x_->stop({Code::kRequestTimeout, "the request head did not arrive in time"});
  return Input::kRefused;
}

// Closing with unread input would send a reset that can overtake the reply on its way to the client: first our
// side is closed, then what still comes is read and dropped for a moment (RFC 9112 section 9.6).
net::Task<> Connection::linger() {
  client_.shutdown_write();
  client_.set_deadline(base::Seconds(2));
  std::size_t dropped = 0;
  while (dropped < (1 << 20)) {
    const auto n = co_await client_.read(x_->input);
    if (!n || *n == 0) break;
    dropped += *n;
  }
}

void Connection::close_if_idle() {
  if (!idle_ || !client_.open() || client_.watch().readable) return;
  // Who has only just connected has a request on its way, and nobody else to send it to.
  if (first_)
    client_.set_deadline(kLastWord);
  else
    client_.cancel();
}

void Connection::cut() {
  if (!client_.open()) return;
  if (x_) x_->gone.request();
  client_.cancel();
}

}  // namespace gateway
