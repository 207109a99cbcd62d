// HTTP/1.1 on a client's connection: bytes in, requests out, replies back. Only here are a descriptor,
// chunked coding, Connection, 100-continue.
//
// Owner:    whoever accepted the connection (gateway::Connection, the admin listener); lives until the
//           session ends.
// Thread:   that of its loop.
// Failure:  what a client sends wrongly comes out as Input::kRefused with Request::refused; a client that
//           left or takes nothing as kClientGone. After either the connection cannot go on.
// Standard: RFC 9112; PROXY protocol version 2 in front of the first request where the listener asks for it.
//
// run() in session.h is the loop that drives the upper half; whoever answers sees the lower half, as a
// Downstream. Between requests a connection holds its socket, one deadline and the coroutine's frame.
//
// A reply is begin(), then what is left of its body by send… in order, then finish(). What begin() could send
// whole needs no other call. A reply that cannot be finished is not: abort() makes sure that it does not look
// whole.
#pragma once

#include <sys/uio.h>

#include <span>
#include <string>
#include <string_view>

#include "net/pace.h"
#include "net/splice.h"
#include "net/stream.h"
#include "net/task.h"
#include "serve/buffers.h"
#include "serve/http1_body.h"
#include "serve/reply.h"
#include "serve/request.h"
#include "telemetry/metrics.h"

namespace serve {

// What the first bytes of a listener's connections are: a request, or a proxy's word on who sends them.
enum class Opening : std::uint8_t { kRequest, kProxyHeader };

// What the sessions of one thread share.
struct Shared {
  net::Loop& loop;
  net::PipePool* pipes = nullptr;                                                  // null: bodies are copied
  telemetry::PerEnum<telemetry::Refusal, telemetry::Counter>* refusals = nullptr;  // null: not counted
  base::Account* account = nullptr;                                                // null: not counted
  Buffers buffers{};
  bool draining = false;  // no connection outlives the reply that is next on it
  bool closing = false;   // nobody new is waited for
};

class Http1 {
 public:
  enum class Input : std::uint8_t { kHead, kRefused, kSome, kMore, kEnd };

  Http1(Shared& shared, int fd, const net::Endpoint& peer, Opening opening = Opening::kRequest);
  Http1(const Http1&) = delete;
  Http1& operator=(const Http1&) = delete;

  bool open() const { return client_.open(); }
  const Peer& peer() const { return peer_; }
  net::Loop& loop() const { return shared_.loop; }

  // ---- the session's: see run()
  bool has_input() const { return !input_.empty(); }
  bool awaits_proxy_header() const { return awaits_proxy_header_; }
  Input read_proxy_header();  // kMore, kSome, kEnd
  // Of what has been read: kHead, kRefused or kMore.
  Input parse(Request& request, const Terms& terms);
  Input receive();  // kSome, kMore, kEnd; at once
  // Before a wait for more. False: nothing is waited for, since the connection idles and is to close.
  bool patient(const Terms& terms);
  bool idles() const { return idle_; }
  auto readable() { return client_.readable(); }
  // Why there is no more: kEnd; or kRefused, where a head has begun to arrive.
  Input gave_up(net::Wake wake, Request* request);
  void start(Request& request, Input input, const Terms& terms);  // its head is there, or refused
  void told_of_leaving(net::Cancel* gone);                        // null: nobody cares
  bool ends() const { return !keep_alive_ || !body_.complete(); }
  net::Task<bool> settle();  // what is left of the request's body; false: this was the last request
  void next();               // ready for another head
  void close();              // what is held goes back

  // ---- at any time, from outside of the session's coroutine
  void close_if_idle();  // at shutdown: nobody is to wait for a client who has nothing to say
  // Since when it rests: nothing is under way, nothing has arrived, and it has not been told to go. Max: it
  // does not.
  base::Mono rests_since() const;
  void evict() { client_.cancel(); }  // one that rests
  void cut();                         // now, whatever is under way

  // ---- a reply, as Downstream offers it
  net::Upload& body() { return body_; }
  void last() { keep_alive_ = false; }  // no other request comes from this client
  // A whole interim reply, before begin(). One that a client's full socket does not take is left out.
  void interim(std::string_view message);
  Begun begin(Out& out, const ReplyHead& head, std::span<const iovec> body);
  net::Task<base::Result<>> send(std::string_view bytes);
  net::Task<base::Result<>> send_file(int fd, std::uint64_t offset, std::uint64_t length);
  net::Task<base::Result<>> finish(std::string_view trailers);
  bool relays() const { return shared_.pipes && !client_.tls(); }
  // n bytes of a body from another plain stream, without their passing through the process. kAgain: no pipe
  // is to be had, and nothing was moved. Whose fault an error is, `moved` says.
  struct Relay {
    net::Stream& from;
    std::uint64_t length;
    base::Nanos idle;  // between two reads of `from`
    net::Cancel* cancel;
    net::Relayed moved{};
  };
  net::Task<net::Result<Sent>> relay(Relay& relay);
  // After the head of a 101, and whatever `from` has said right behind its own: bytes both ways until either
  // side is done. False: the client has left before its head was out.
  net::Task<bool> tunnel(Out& out, std::string_view protocol, net::Stream other, std::string_view early,
                         net::Cancel* cancel);
  void abort();

 private:
  net::Task<base::Result<>> write(std::string_view bytes);
  net::Task<base::Result<>> takes();  // waits until the client takes bytes again, fast enough
  bool had_its_turn(std::uint64_t bytes);
  Input refuse_proxy_header(std::string_view why);
  std::string_view put_status_line(std::uint16_t status, Out& out);
  net::Task<> linger();

  Shared& shared_;
  net::Stream client_;
  Peer peer_;
  serve::Input input_;
  Http1Body body_{client_, input_, shared_.account};
  Request* request_ = nullptr;
  const Terms* terms_ = nullptr;
  std::string_view left_;       // of the head, when begin() could not send it whole
  std::size_t seen_ = 0;        // of the head being read, see http::parse_request
  base::Mono idle_since_;       // while idle_
  base::Mono first_byte_{};     // when it began to arrive: its deadline counts from here, however it drips
  std::uint64_t in_a_row_ = 0;  // bytes, since others had their turn
  net::Pace pace_;              // of the client, in taking a reply
  bool awaits_proxy_header_;
  bool idle_ = true;
  bool first_ = true;  // nothing was asked yet
  bool refused_ = false;
  bool keep_alive_ = true;
  bool chunked_ = false;
};

}  // namespace serve
