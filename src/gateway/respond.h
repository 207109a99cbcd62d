// Carries out what the walk decided: writes the reply, whatever it comes from.
//
// Owner:    a Connection.  Thread: its worker's.
// Failure:  none to the caller. What goes wrong is noted in the exchange (failed, error), so that the record
//           tells it and the connection is closed: a reply that broke off must never look whole.
//
// at_once() does everything that needs no waiting, which for a cached hit is everything: one render, one
// send. rest() is awaited only when at_once() says that something is left.
//
// Standard: RFC 9110 sections 13 (conditions) and 14 (ranges); RFC 9112 section 7 (chunked).
#pragma once

#include "gateway/exchange.h"
#include "net/splice.h"
#include "net/stream.h"
#include "net/task.h"

namespace gateway {

class Worker;

class Responder {
 public:
  Responder(Worker& worker, net::Stream& client) : worker_(worker), client_(client) {}

  bool at_once(Exchange& x);  // true: the reply is out, or has failed
  net::Task<> rest(Exchange& x);

 private:
  // Where a reply's body comes from, when it is neither in `out` nor streamed.
  struct Kept {
    std::string_view fields;  // without Content-Length
    std::string_view etag, last_modified;
    std::uint64_t size = 0;
    base::Nanos age{0}, freshness{0};
    const cache::Entry* entry = nullptr;
    const origin::File* file = nullptr;
  };

  static Kept kept_entry(const Exchange& x);

  void compose_problem(Exchange& x);
  bool compose_hit(Exchange& x);  // false: a multipart, see send_kept
  enum class Ranges : bool { kIgnore, kHonour };
  bool compose_selected(Exchange& x, const Kept& kept, Ranges honour = Ranges::kHonour);

  net::Task<> send_kept(Exchange& x, const Kept& kept);
  net::Task<> send_fill(Exchange& x);
  net::Task<> send_origin(Exchange& x);
  net::Task<> send_tunnel(Exchange& x);

  net::Task<bool> client_takes(Exchange& x);
  net::Task<bool> write(Exchange& x, std::string_view bytes);
  net::Task<bool> write_head(Exchange& x);
  net::Task<bool> write_part(Exchange& x, const Kept& kept, std::uint64_t offset, std::uint64_t length);
  net::Task<bool> relay(Exchange& x);  // of a known length, by splice where both ends allow
  net::Task<bool> copy(Exchange& x, bool chunked);
  bool stop(Exchange& x, base::Error why);  // false, always
  bool had_its_turn(std::uint64_t bytes);

  Worker& worker_;
  net::Stream& client_;
  std::size_t sent_ = 0;        // of x.out, by at_once
  std::uint64_t in_a_row_ = 0;  // bytes, since others had their turn
  // What is to be sent of a kept body, once compose_* has run.
  std::uint64_t part_at_ = 0, part_left_ = 0;
};

}  // namespace gateway
