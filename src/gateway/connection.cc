#include "gateway/connection.h"

#include "base/sabotage.h"
#include "gateway/worker.h"
#include "serve/session.h"

namespace gateway {

Connection::Connection(Worker& worker, int fd, const net::Endpoint& peer, serve::Opening opening,
                       limit::Connections::Seat seat)
    : worker_(worker),
      session_(worker.sessions(), fd, peer, opening),
      walk_(worker.services()),
      responder_(worker.services()),
      seat_(std::move(seat)),
      unseated_(opening == serve::Opening::kProxyHeader) {
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
  worker_.entrance_.left(*this);
  worker_.metrics().connections_active.add(-1);
  if (sabotage::on("connection-count-leak")) seat_.forget();
}

// Whom a proxy speaks for is known with the first request.
bool Connection::seated(Exchange& x) {
  unseated_ = false;
  if (worker_.entrance_.seat(seat_, x.client_address)) return true;
  worker_.metrics().connections_refused[telemetry::Refusal::kAddress].add();
  x.stop({base::Code::kOverloaded, "too many connections of this address are open"});
  x.last = true;
  return false;
}

void Connection::cut() {
  if (x_) x_->cut = true;
  session_.cut();
}

net::Task<> Connection::run(std::unique_ptr<Connection> connection) {
  return serve::run(std::move(connection));
}

serve::Request& Connection::open_request() {
  if (!x_) x_ = worker_.take_exchange();
  return *x_;
}

void Connection::close() {
  if (x_) worker_.give_back(std::move(x_));
}

const serve::Terms& Connection::terms() const {
  return worker_.snapshot()->terms;
}

bool Connection::step(serve::Downstream down) {
  Exchange& x = *x_;
  x.snapshot = worker_.snapshot();
  x.client.assign(x.peer->text);
  x.client_address = x.peer->bytes;
  x.request_id.assign(worker_.make_request_id());
  if (unseated_ && !seated(x)) return responder_.at_once(x, down);
  if (x.parsed)
    walking_ = walk_.advance(x) == Walk::Next::kWait;
  else
    x.stop(x.refused);
  if (sabotage::on("cpu-wasted")) sabotage::burn(base::Nanos(8'000));
  if (walking_ || sabotage::on("reply-delayed")) return false;
  return responder_.at_once(x, down);
}

net::Task<> Connection::rest(serve::Downstream down) {
  Exchange& x = *x_;
  Term term(worker_, session_, x, term_);
  if (std::exchange(walking_, false)) co_await walk_.wait(x, down);
  if (sabotage::on("reply-delayed")) {
    net::Event pause(worker_.loop());
    co_await pause.wait(base::mono_now() + base::Millis(20));
  }
  if (!x.gone.requested()) term.replies();
  if (x.gone.requested()) {
    x.answer.reset();
    if (x.why_gone == &kClientLeft) co_return;
    x.stop(*x.why_gone);
    x.last = true;
  }
  if (x.head_sent || !responder_.at_once(x, down)) co_await responder_.rest(x, down);
}

bool Connection::ended() {
  Exchange& x = *x_;
  worker_.record(x);
  // The reply is out: who is slow with the rest of a body that nobody wants keeps no place from others.
  x.slot.leave();
  x.origin_slot.leave();
  return x.whole();
}

}  // namespace gateway
