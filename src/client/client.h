// A request to another server, and its reply as a whole: for whoever must ask something of somebody else.
//
// Owner:    whoever asks from one loop; one Client for all that it asks there.
// Thread:   the loop's own.
// Lifetime: outlives its fetches; what a Request views must live until fetch() has returned. close_idle()
//           before the loop ends.
// Units:    bytes; the deadline is the loop's, up to 32 ms late.
// Standard: RFC 9110 §15.4 (redirects), RFC 3986 §5 (references), RFC 6454 (origins).
// Failure:  as reply.h and pool.h say, and
//             kOriginTimeout    the deadline passed, wherever the request was
//             kReplyTooLarge    the body goes beyond max_body; nothing of it is given
//             kAddressRefused   the name has no address that passed the filter
//             kOriginBadReply   a redirect that cannot be followed, or one too many
//             kCancelled        `cancel`
//           A reply of any status is a Response.
//
// One deadline, from the look-up of the name to the last byte and over all redirects: a server that drips a
// byte a second gains nothing by it.
//
// A filter is asked about every address of every target, and only what passed is connected to. A kept
// connection is found by the addresses that had passed, so that no request gets one that its own filter would
// have refused, nor one that was made when the name meant something else.
//
// Redirects are not followed unless asked. Each target is looked up, filtered and counted like the first.
// Nothing that was meant for one origin goes to another: credentials stay behind, a body that would have to
// be sent again is an error, as is a way from https to http.
//
//   client::Client client(loop, resolver);
//   const auto reply = co_await client.fetch({.url = url, .total = base::Seconds(5), .tls = tls}, &x.gone);
//   if (reply && reply->status() == 200) use(reply->body);
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "base/ref.h"
#include "client/address_filter.h"
#include "client/pool.h"
#include "client/reply_maker.h"
#include "client/stats.h"
#include "config/model.h"
#include "http/head.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "net/task.h"
#include "net/tls.h"

namespace client {

struct Request {
  http::Method method = http::Method::kGet;  // GET, HEAD, POST, PUT, DELETE or PATCH
  config::Url url;                           // its path as on the wire, maybe with a query
  // Rendered, each ended by CRLF; Host and Content-Length are added.
  std::string_view fields{};
  std::string_view credentials{};  // fields likewise, for the url's own origin and no other
  std::string_view body{};
  base::Nanos total = base::Seconds(10);
  std::size_t max_body = 1 << 20;
  unsigned max_redirects = 0;
  const AddressFilter* filter = nullptr;  // null: every address
  std::shared_ptr<const net::TlsContext>
      tls{};                       // without it https cannot be asked; made at start-up, it reads files
  std::string_view server_name{};  // of the url's own origin; "": its host
};

struct Response {
  std::uint16_t status() const { return head->head().status; }
  const http::FieldList& fields() const { return head->head().fields; }

  config::Url url;  // where it came from
  std::unique_ptr<OwnHead> head;
  std::string body;
};

class Client {
 public:
  // `keep` bounds what each server's pool keeps; how long names are kept is its resolve_every.
  Client(net::Loop& loop, net::Resolver& resolver, config::Pool keep = {.idle = 8});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  net::Task<base::Result<Response>> fetch(Request request, net::Cancel* cancel);

  void close_idle();
  const Stats& stats() const { return *stats_; }

 private:
  struct Hop;
  static constexpr std::size_t kPools = 64;

  net::Task<base::Result<Response>> follow(const Request& request, base::Mono deadline, net::Cancel& cancel);
  net::Task<base::Result<Reply>> ask(const Request& request, const Hop& hop, base::Mono deadline,
                                     net::Cancel& cancel);
  base::Ref<Pool> pool_of(const Request& request, const Hop& hop, const net::Resolver::Addresses& addresses);
  void make_room();

  net::Loop& loop_;
  net::Resolver& resolver_;
  const config::Pool keep_;
  std::shared_ptr<Stats> stats_ = std::make_shared<Stats>();
  std::map<std::string, base::Ref<Pool>> pools_;
};

}  // namespace client
