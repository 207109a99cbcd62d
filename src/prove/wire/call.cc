#include "prove/wire/call.h"

#include <array>
#include <optional>
#include <span>
#include <stdexcept>

#include "net/dial.h"
#include "net/look_up.h"
#include "net/loop.h"
#include "net/scope.h"
#include "net/stream.h"
#include "net/tls.h"
#include "prove/wire/capture.h"
#include "prove/wire/reply_parser.h"

namespace prove {
namespace {

using net::fail;
using net::Fault;

std::string head_of(const Call& call) {
  std::string head = call.method + " " + call.url.path + " HTTP/1.1\r\nHost: " + call.url.origin.authority() +
                     "\r\nUser-Agent: sekisho-prove\r\nConnection: close\r\n";
  for (const auto& [name, value] : call.headers) head.append(name).append(": ").append(value).append("\r\n");
  if (!call.body.empty() || call.method == "POST" || call.method == "PUT")
    head += "Content-Length: " + std::to_string(call.body.size()) + "\r\n";
  return head + "\r\n";
}

// What a call captures, one capture at a time, so that the one which finds nothing is known by its name.
class Catch {
 public:
  Catch(const std::vector<Capture>& captures, CallReply& reply) : captures_(captures), reply_(reply) {
    for (const Capture& capture : captures) slots_.slot_of(capture.as);
    all_.reserve(captures.size());
    for (const Capture& capture : captures) all_.emplace_back(std::span(&capture, 1), slots_);
    reply.captured.resize(captures.size());
  }

  void head(const ReplyParser& parser) {
    for (std::size_t i = 0; i < all_.size(); ++i) found(i, all_[i].from_head(parser, values_));
  }
  void end() {
    for (std::size_t i = 0; i < all_.size(); ++i) found(i, all_[i].from_body(reply_.body, values_));
    for (auto& [slot, value] : values_) reply_.captured[slot] = std::move(value);
  }

 private:
  void found(std::size_t i, bool is_there) {
    if (!is_there && reply_.missing.empty()) reply_.missing = captures_[i].as;
  }

  const std::vector<Capture>& captures_;
  CallReply& reply_;
  Slots slots_;  // as many as captures: no two have one name
  std::vector<Captures> all_;
  Captured values_;
};

net::Task<net::Result<>> read_reply(net::Stream& stream, bool to_head, base::Mono deadline, CallReply& reply,
                                    Catch& caught) {
  ReplyParser parser;
  parser.start(to_head);
  std::array<char, 16 << 10> buffer;
  for (;;) {
    const auto got = co_await stream.read(buffer);
    if (!got) co_return std::unexpected(got.error());
    // Who sends without a pause, interim replies for example, is never waited for, so the deadline is asked
    // here.
    if (base::mono_now() >= deadline) co_return fail(Fault::kTimedOut, "no whole reply in time");
    std::string_view in(buffer.data(), *got);
    ReplyParser::Event event = *got == 0 ? parser.ended() : parser.next(in);
    for (; event != ReplyParser::Event::kMore; event = parser.next(in)) {
      if (event == ReplyParser::Event::kHead) {
        reply.status = parser.status();
        caught.head(parser);
      }
      if (event == ReplyParser::Event::kBody) reply.body += parser.piece();
      if (event == ReplyParser::Event::kEnd) {
        caught.end();
        co_return net::Result<>{};
      }
      if (event == ReplyParser::Event::kBad)
        co_return fail(Fault::kClosed, parser.why());  // only its text counts
      if (reply.body.size() > kMaxCallBody) co_return fail(Fault::kClosed, "the reply is too large");
    }
  }
}

// Asks between two turns of the loop whether to give up.
struct Watch {
  const std::function<bool()>& cancelled;
  net::Cancel connecting;
  net::Stream* stream = nullptr;

  static base::Nanos turn(void* self) {
    constexpr base::Millis kPause{50};
    auto* watch = static_cast<Watch*>(self);
    if (!watch->cancelled || !watch->cancelled()) return watch->cancelled ? kPause : net::Loop::kForever;
    watch->connecting.request();
    if (watch->stream) watch->stream->cancel();
    return kPause;
  }
};

net::Task<> exchange(net::Loop& loop, const Call& call, const std::vector<net::Endpoint>& addresses,
                     const net::TlsContext* tls, base::Nanos timeout, Watch& watch, CallReply& reply,
                     Catch& caught, net::Result<>& outcome) {
  const base::Mono deadline = base::mono_now() + timeout;
  auto stream = co_await net::connect(loop, addresses, deadline, &watch.connecting);
  if (stream) {
    watch.stream = &*stream;
    stream->set_deadline(deadline);
    const std::string& name = call.tls.server_name.empty() ? call.url.origin.host : call.tls.server_name;
    if (tls) outcome = co_await stream->handshake(*tls, name);
    if (outcome) outcome = co_await stream->write_all(head_of(call) + call.body);
    if (outcome) outcome = co_await read_reply(*stream, call.method == "HEAD", deadline, reply, caught);
    watch.stream = nullptr;
  } else {
    outcome = std::unexpected(stream.error());
  }
  loop.stop();
}

std::vector<net::Endpoint> look_up(const std::string& host, std::uint16_t port) {
  if (const auto literal = net::Endpoint::parse(host, port)) return {*literal};
  return net::ask_system(host, port);
}

}  // namespace

CallReply send_call(const Call& call, base::Nanos timeout, const std::function<bool()>& cancelled) {
  const auto addresses = look_up(call.url.origin.host, call.url.origin.port);
  std::optional<net::TlsContext> tls;
  if (call.url.origin.tls) tls.emplace(call.tls.verify, call.tls.ca_file);
  CallReply reply;
  Catch caught(call.captures, reply);
  net::Result<> outcome;
  net::Loop loop;
  net::Scope scope(loop);
  Watch watch{cancelled, {}, nullptr};
  loop.on_turn(&Watch::turn, &watch);
  scope.spawn(exchange(loop, call, addresses, tls ? &*tls : nullptr, timeout, watch, reply, caught, outcome));
  loop.run();
  if (!outcome) throw std::runtime_error(call.url.shown() + ": " + std::string(outcome.error().text));
  return reply;
}

CallReply get(const WebAddress& url, base::Nanos timeout, const Tls& tls, const Pairs& headers) {
  Call call;
  call.url = url;
  call.tls = tls;
  call.headers = headers;
  return send_call(call, timeout);
}

bool accepts(const std::string& host_port, base::Nanos timeout) {
  const auto place = WebAddressText::parse("http://" + host_port);
  if (!place) return false;
  net::Loop loop;
  net::Scope scope(loop);
  bool connected = false;
  const auto addresses = look_up(place->origin.host, place->origin.port);
  const auto knock = [](net::Loop& in, const std::vector<net::Endpoint>& to, base::Nanos patience,
                        bool& done) -> net::Task<> {
    const auto stream = co_await net::connect(in, to, base::mono_now() + patience, nullptr);
    done = stream.has_value();
    in.stop();
  };
  scope.spawn(knock(loop, addresses, timeout, connected));
  loop.run();
  return connected;
}

}  // namespace prove
