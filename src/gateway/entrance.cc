#include "gateway/entrance.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <utility>

#include "base/sabotage.h"
#include "gateway/worker.h"
#include "net/descriptors.h"
#include "telemetry/oplog.h"

namespace gateway {

namespace log = telemetry::log;
using telemetry::Refusal;

namespace {

constexpr int kWaiting = 64;                         // who waits for a place; more are refused at once
constexpr int kTries = 3;                            // then they are refused, too
constexpr base::Nanos kPatience = base::Millis(30);  // between two

std::string_view reason_of(Refusal why) {
  switch (why) {
    case Refusal::kAddress:
      return "too many connections of this address are open";
    case Refusal::kDescriptors:
      return "no descriptor is left for one more connection";
    default:
      return "too many open connections here";
  }
}

// For a connection that does not get in there is no exchange and no walk.
void tell(int fd, Refusal why) {
  std::string body =
      R"({"type":"urn:sekisho:problem:overloaded","title":"Overloaded","status":503,"detail":")";
  body.append(reason_of(why)).append("\"}");
  std::string text =
      "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\n"
      "Content-Type: application/problem+json\r\nContent-Length: ";
  text.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
  [[maybe_unused]] const ssize_t n = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  ::shutdown(fd, SHUT_WR);
  // What has come already is taken, since unread it would turn the end into a reset, ahead of our words.
  std::array<char, 16 << 10> request;
  [[maybe_unused]] const ssize_t taken = ::recv(fd, request.data(), request.size(), MSG_DONTWAIT);
}

}  // namespace

void Entrance::accepted(int fd, const net::Endpoint& peer, serve::Opening opening) {
  if (worker_.cut_) {
    ::close(fd);
    return;
  }
  worker_.metrics_.connections_accepted.add();
  // Who may say whom it speaks for is known before it says anything.
  if (opening == serve::Opening::kProxyHeader && !worker_.snapshot_->snapshot->trusts(peer.bytes())) {
    worker_.metrics_.connections_refused[Refusal::kUntrustedProxy].add();
    log::warn("connection refused: not from a trusted proxy", {{"peer", peer.host()}});
    ::close(fd);
    return;
  }
  if (auto seat = take_seat(peer, opening, false); seat)
    let_in(fd, peer, opening, *std::move(seat));
  else if (waiting_ < kWaiting && net::descriptors().may_wait())
    worker_.connections_.spawn(wait_for_seat(fd, peer, opening));
  else
    refuse(fd, seat.error());
}

// Room is asked for once, when a client comes.
Entrance::Seat Entrance::take_seat(const net::Endpoint& peer, serve::Opening opening, bool again) {
  const auto full = [&](Refusal why, const limit::Connections::Seat* like = nullptr) {
    if (!again && !make_room(like) && worker_.commons_.make_room) worker_.commons_.make_room(worker_);
    return std::unexpected(why);
  };
  if (!net::descriptors().room(net::Descriptors::For::kClient, 0)) return full(Refusal::kDescriptors);
  auto seat = worker_.commons_.connections.take(sabotage::on("connection-limit-ignored"));
  if (!seat) return full(Refusal::kLimit);
  if (opening == serve::Opening::kRequest && !this->seat(seat, peer.bytes()))
    return full(Refusal::kAddress, &seat);
  return seat;
}

bool Entrance::seat(limit::Connections::Seat& seat, const limit::Connections::AddressBytes& address) const {
  const Snapshot& snapshot = *worker_.snapshot_->snapshot;
  if (snapshot.trusts(address)) return true;
  const config::Limits& limits = snapshot.config().limits;
  const std::uint64_t most = limits.connections_per_address > 0 ? limits.connections_per_address
                                                                : worker_.commons_.connections.share();
  return seat.take(address, static_cast<unsigned>(limits.ipv6_prefix), most);
}

net::Task<> Entrance::wait_for_seat(int fd, net::Endpoint peer, serve::Opening opening) {
  ++waiting_;
  net::Event pause(worker_.loop_);
  auto why = Refusal::kLimit;
  for (int i = 0; i < kTries && fd >= 0; ++i) {
    co_await pause.wait(base::mono_now() + kPatience);
    auto seat = take_seat(peer, opening, true);
    if (seat)
      let_in(std::exchange(fd, -1), peer, opening, *std::move(seat));
    else
      why = seat.error();
  }
  if (fd >= 0) refuse(fd, why);
  net::descriptors().waited();
  --waiting_;
}

void Entrance::let_in(int fd, const net::Endpoint& peer, serve::Opening opening,
                      limit::Connections::Seat seat) {
  if (worker_.cut_) {
    ::close(fd);
    return;
  }
  auto connection = std::make_unique<Connection>(worker_, fd, peer, opening, std::move(seat));
  if (connection->open())
    worker_.connections_.spawn(Connection::run(std::move(connection)));
  else
    worker_.metrics_.connections_refused[Refusal::kError].add();
}

void Entrance::refuse(int fd, Refusal why) {
  worker_.metrics_.connections_refused[why].add();
  log::warn("connection refused",
            {{"reason", reason_of(why)}, {"open", worker_.commons_.connections.open()}});
  tell(fd, why);
  ::close(fd);
}

void Entrance::turn_away(int fd) {
  worker_.metrics_.connections_accepted.add();
  worker_.metrics_.connections_refused[Refusal::kDescriptors].add();
  log::error("connection refused: the system has no descriptor left", {});
  tell(fd, Refusal::kDescriptors);
}

bool Entrance::make_room(const limit::Connections::Seat* like) {
  const base::Mono rested = worker_.loop_.now() - kRest;
  Connection* longest = nullptr;
  base::Mono since = base::Mono::max();
  if (!hand_) hand_ = worker_.open_;
  Connection* const from = hand_;
  for (int i = 0; i < kLook && hand_; ++i) {
    if (!like || like->same_address(hand_->seat_)) {
      const base::Mono rests = hand_->session_.rests_since();
      if (rests <= rested && rests < since) longest = hand_, since = rests;
    }
    hand_ = hand_->after_ ? hand_->after_ : worker_.open_;
    if (hand_ == from) break;
  }
  if (!longest) return false;
  longest->session_.evict();
  worker_.metrics_.connections_evicted.add();
  return true;
}

void Entrance::left(const Connection& connection) {
  if (hand_ == &connection) hand_ = connection.after_;
}

}  // namespace gateway
