// Where a reply goes, whatever carries it: the verbs that whoever answers needs.
//
// Owner:    the session, for one request.  Thread: its own.
// Failure:  kClientGone, from every verb that waits.
//
// A closed sum, so that the path of a hit has no virtual call: HTTP/1.1 today; a stream of HTTP/2 and a
// caller within the process become further alternatives here, and nowhere else. docs/adr/0019.
//
//   Begun b = down.begin(out, {.status = 200, .length = n}, parts);   // plain; often that is all
//   co_await down.send(bytes) …                                       // what is left of the body, in order
//   co_await down.finish();
#pragma once

#include "serve/http1.h"

namespace serve {

class Downstream {
 public:
  using Relay = Http1::Relay;

  explicit Downstream(Http1& one) : one_(one) {}

  net::Upload& body() const { return one_.body(); }  // of the request
  void last() const { one_.last(); }                 // this client is not listened to any further

  void interim(std::string_view message) const { one_.interim(message); }
  Begun begin(Out& out, const ReplyHead& head, std::span<const iovec> body = {}) const {
    return one_.begin(out, head, body);
  }
  net::Task<base::Result<>> send(std::string_view bytes) const { return one_.send(bytes); }
  net::Task<base::Result<>> send_file(int fd, std::uint64_t offset, std::uint64_t length) const {
    return one_.send_file(fd, offset, length);
  }
  net::Task<base::Result<>> finish(std::string_view trailers = {}) const { return one_.finish(trailers); }
  void cut() const { one_.cut(); }  // now, whatever is under way
  bool relays() const { return one_.relays(); }
  net::Task<net::Result<Sent>> relay(Relay& what) const { return one_.relay(what); }
  // False: the client has left before its head was out.
  net::Task<bool> tunnel(Out& out, std::string_view protocol, net::Stream other, std::string_view early,
                         net::Cancel* cancel) const {
    return one_.tunnel(out, protocol, std::move(other), early, cancel);
  }

 private:
  Http1& one_;
};

}  // namespace serve
