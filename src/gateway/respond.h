// Carries out what the walk decided: hands the reply to the session, whatever it comes from.
//
// Owner:    a Connection.  Thread: its worker's.
// Failure:  none to the caller. What goes wrong is noted in the exchange (failed, error), so that the record
//           tells it and the connection is closed: a reply that broke off must never look whole.
//
// at_once() does everything that needs no waiting, which for a cached hit is everything: one render, one
// send. rest() is awaited only when at_once() says that something is left.
//
// Standard: RFC 9110 sections 13 (conditions) and 14 (ranges).
#pragma once

#include "gateway/exchange.h"
#include "gateway/services.h"
#include "net/task.h"
#include "serve/downstream.h"

namespace gateway {

class Responder {
 public:
  explicit Responder(const Services& services) : services_(services) {}

  bool at_once(Exchange& x, serve::Downstream down);  // true: the reply is out, or has failed
  net::Task<> rest(Exchange& x, serve::Downstream down);

 private:
  // Where a reply's body comes from, when it is neither a text of our own nor streamed.
  struct Kept {
    std::string_view fields;  // without Content-Length
    std::string_view etag, last_modified;
    std::uint64_t size = 0;
    base::Nanos age{0}, freshness{0};
    const cache::Entry* entry = nullptr;
    const origin::File* file = nullptr;
  };

  struct Keeper;

  static Kept kept_entry(const Exchange& x);

  void compose_problem(Exchange& x, std::string_view more = {});
  bool compose_refusal(Exchange& x, const http::ResponseHead& head, std::string& fields);
  bool compose_hit(Exchange& x);  // false: a multipart, see send_kept
  enum class Ranges : bool { kIgnore, kHonour };
  bool compose_selected(Exchange& x, const Kept& kept, Ranges honour = Ranges::kHonour);

  // Sends the head, and what of the body stands in parts; true when that was all, or when it has failed.
  bool begin(Exchange& x, serve::Downstream down, std::span<const iovec> parts = {});
  bool begin_kept(Exchange& x, serve::Downstream down, const cache::Entry* entry);
  net::Task<bool> send(Exchange& x, serve::Downstream down, std::string_view bytes);
  net::Task<> finish(Exchange& x, serve::Downstream down);

  bool begin_problem(Exchange& x, serve::Downstream down);
  net::Task<> send_problem(Exchange& x, serve::Downstream down);
  net::Task<> send_kept(Exchange& x, serve::Downstream down, const Kept& kept);
  net::Task<> send_ranges(Exchange& x, serve::Downstream down, const Kept& kept);
  net::Task<> send_ranges_of_fill(Exchange& x, serve::Downstream down, Kept kept);
  net::Task<bool> send_part(Exchange& x, serve::Downstream down, const Kept& kept, std::uint64_t offset,
                            std::uint64_t length);
  net::Task<> send_fill(Exchange& x, serve::Downstream down);
  net::Task<> send_origin(Exchange& x, serve::Downstream down);
  net::Task<> send_tunnel(Exchange& x, serve::Downstream down);
  net::Task<> send_answer(Exchange& x, serve::Downstream down);
  net::Task<> relay(Exchange& x, serve::Downstream down);  // of a known length, without copying
  net::Task<> copy(Exchange& x, serve::Downstream down);
  static bool stop(Exchange& x, base::Error why);  // false, always

  const Services& services_;
  // What compose_* has made of a reply: its head, and what is to be sent of a kept body.
  serve::ReplyHead head_;
  std::uint64_t part_at_ = 0, part_left_ = 0;
};

}  // namespace gateway
