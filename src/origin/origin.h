// What stands behind a route: a folder, a bucket or an HTTP server, asked the same way.
//
// Owner:    an Origin belongs to one worker and lives as long as any request that uses it; a reload keeps the
//           Origin (and with it pool, resolver entries, signing keys) whose configuration did not change.
// Thread:   the worker's own.
// Lifetime: everything an Ask views must live until fetch() has returned its Reply; the Reply owns what it
//           needs from then on. A Reply dropped before its body's end closes the origin's connection, which
//           is how a client that leaves stops the transfer.
// Failure:  an Error with the code that the client sees: kOriginRefused, kOriginUnreachable, kOriginTimeout,
//           kOriginBadReply, kOriginDenied, kNotFound, kMethodNotAllowed, kCancelled. A reply of any status
//           that the origin gave is a Reply, not an Error; exceptions: an s3 or dir origin's own words for
//           "no such object" come out as kNotFound, an s3 origin's refusal of *our* credentials as
//           kOriginDenied.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "config/model.h"
#include "http/head.h"
#include "http/response_head.h"
#include "net/loop.h"
#include "net/offload.h"
#include "net/resolver.h"
#include "net/stream.h"
#include "net/task.h"
#include "net/upload.h"
#include "origin/stats.h"

namespace origin {

struct Ask {
  http::Method method = http::Method::kGet;
  std::string_view method_text = "GET";
  std::string_view path{};       // decoded remainder behind the route's prefix: begins with '/', `//` kept
  std::string_view raw_query{};  // as sent, tokens already stripped
  bool has_query = false;
  std::string_view host{};  // the client's, for preserve_host
  // End-to-end fields for http origins, rendered, each ended by CRLF: without Host, Content-Length,
  // Transfer-Encoding, Expect, Connection, Upgrade, and without a consumed credential.
  std::string_view fields{};
  // What selects or conditions; s3 renders these anew, http has them among `fields`. Empty when a fill asks.
  std::string_view range{}, if_range{}, if_match{}, if_none_match{}, if_modified_since{},
      if_unmodified_since{};

  http::Framing framing = http::Framing::kNone;  // of the body: kNone, kLength, kChunked
  std::uint64_t content_length = 0;
  net::Upload* body = nullptr;
  bool websocket = false;  // ask for the upgrade; a 101 Reply hands the connection over
  std::string_view request_id{};
};

class HttpConnection;  // pooled connection with its buffer and response head

// The body of a `dir` reply: the gateway reads or sends any part of it.
struct File {
  int fd = -1;
  std::uint64_t size = 0;
};

class Reply {
 public:
  Reply();
  Reply(Reply&&) noexcept;
  Reply& operator=(Reply&&) noexcept;
  ~Reply();

  std::uint16_t status() const { return head().status; }
  const http::ResponseHead& head() const;  // fields as the origin sent them; synthesised for dir
  // Known length of the body that read() will give: 0 for HEAD, 204, 304. None: chunked or until close.
  std::optional<std::uint64_t> length() const;
  const File* file() const;  // dir only, whole object

  // Decoded body bytes in order. 0: complete. A body that ends early is kOriginBadReply, never a clean end.
  // The origin's idle timeout applies to each call.
  net::Task<base::Result<std::size_t>> read(std::span<char> out, net::Cancel* cancel);

  // For relaying without copying: the plain socket of a body with Content-Length, or null. First drain
  // buffered() (bytes of the body read with the head), then move `left` bytes, then call relayed(left).
  net::Stream* spliceable();
  std::string_view buffered() const;
  void consume_buffered(std::size_t n);
  std::uint64_t left() const;  // bytes of the body not yet taken, buffered ones included
  void relayed(std::uint64_t n);
  base::Nanos idle_timeout() const;

  // After a 101: the connection, and what the origin had already sent on it.
  net::Stream take_stream(std::string& leftover);

  // When the request went out and the head came in, for the phase times and RFC 9111's age.
  base::Mono requested_at() const;
  base::Mono received_at() const;

 private:
  friend class ReplyMaker;  // the origins' side, in reply.cc
  struct State;
  std::unique_ptr<State> state_;
};

// A worker's shared tools for its origins.
struct Env {
  net::Loop& loop;
  net::Resolver& resolver;
};

// What can be asked of an origin of some type, and how. Each class of origin says it of itself, as
// kAbilities.
struct Abilities {
  bool writes = false;           // methods other than GET and HEAD, and request bodies
  bool forwards_fields = false;  // the client's own fields go on
  bool told_host = false;        // and so does the host it asked for, which may stand in the reply
  bool upgrades = false;         // WebSocket
  bool keeps_slashes = false;    // `//` is part of the name of an object
  bool says_freshness = false;   // its replies may say how long they are fresh
};

class Origin {
 public:
  virtual ~Origin() = default;

  // One question, one answer; `cancel` may be null. A virtual call, on misses and passes only; the other one
  // on the way of a request is that for each piece of an upload (net/upload.h).
  virtual net::Task<base::Result<Reply>> fetch(const Ask& ask, net::Cancel* cancel) = 0;

  // Can it be reached now? For readiness; bounded by the connect timeout. `cancel` may be null. Empty error =
  // yes.
  virtual net::Task<base::Result<>> probe(net::Cancel* cancel) = 0;

  // Methods for Allow, e.g. "GET, HEAD"; empty: all.
  virtual std::string_view allowed_methods() const = 0;
  // What a query changes: s3 keys only versionId and partNumber, dir nothing. Appends the query that the
  // origin will see (without '?'); returns whether there is one.
  virtual bool effective_query(std::string_view raw_query, bool has_query, std::string& out) const = 0;

  const std::string& name() const { return name_; }
  // config::fingerprint() of what it was made from: a reload keeps the origin where that is the same.
  std::uint64_t fingerprint() const { return fingerprint_; }
  virtual void close_idle() {}  // pools; at shutdown
  std::shared_ptr<const OriginStats> stats() const { return stats_; }
  // From now on its connections are counted there too.
  void show_in(telemetry::OriginMetrics& metrics) { stats_->shown = &metrics.connections; }

 protected:
  Origin(std::string name, std::uint64_t fingerprint) : name_(std::move(name)), fingerprint_(fingerprint) {}
  const std::shared_ptr<OriginStats>& shared_stats() const { return stats_; }

 private:
  std::string name_;
  std::uint64_t fingerprint_;
  std::shared_ptr<OriginStats> stats_ = std::make_shared<OriginStats>();
};

// Of the class that make_origin() would make.
Abilities abilities_of(const config::Origin& configuration);

// Builds the origin of one worker. Throws std::runtime_error with one line (CA file, folder that is missing).
std::shared_ptr<Origin> make_origin(const config::Origin& configuration, Env env);

}  // namespace origin
