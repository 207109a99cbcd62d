// What stands behind a route: a folder, a bucket or an HTTP server, asked the same way.
//
// Owner:    an Origin belongs to one worker and lives as long as any request that uses it; a reload keeps the
//           Origin (and with it pool, resolver entries, signing keys) whose configuration did not change.
// Thread:   the worker's own.
// Lifetime: everything an Ask views must live until fetch() has returned its Reply; the Reply owns what it
//           needs from then on (client/reply.h).
// Failure:  an Error with the code that the client sees: kOriginRefused, kOriginUnreachable, kOriginTimeout,
//           kOriginBadReply, kOriginDenied, kNotFound, kMethodNotAllowed, kCancelled. A reply of any status
//           that the origin gave is a Reply, not an Error; exceptions: an s3 or dir origin's own words for
//           "no such object" come out as kNotFound, an s3 origin's refusal of *our* credentials as
//           kOriginDenied.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/account.h"
#include "base/error.h"
#include "client/interims.h"
#include "client/reply.h"
#include "client/stats.h"
#include "config/model.h"
#include "http/head.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "net/task.h"
#include "net/upload.h"

namespace origin {

struct Ask {
  http::Method method = http::Method::kGet;
  std::string_view method_text = "GET";
  std::string_view path{};       // remainder behind the route's prefix, in the reading of Abilities::path
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
  base::Account* account = nullptr;  // of what it takes on its way; null: not counted
  // The handshake, checked, where the upgrade is asked for; a 101 Reply hands the connection over. It stays
  // where it is.
  const http::RequestHead* websocket = nullptr;
  client::Interims* interims = nullptr;  // who is told of interim replies; outlives fetch()
  bool* sent = nullptr;  // becomes true when a byte of the request has gone out; outlives fetch()
  std::string_view request_id{};
};

// What comes back, whoever made it.
using client::File;
using client::Reply;

// A worker's shared tools for its origins.
struct Env {
  net::Loop& loop;
  net::Resolver& resolver;
};

// Which reading of a request's path it takes (http/target.h): as it was sent, decoded, or decoded with `//`
// kept, which may be part of the name of an object.
enum class PathForm : std::uint8_t { kDecoded, kDecodedWhole, kSent };

// What can be asked of an origin of some type, and how. Each class of origin says it of itself, as
// kAbilities.
struct Abilities {
  bool writes = false;           // methods other than GET and HEAD, and request bodies
  bool forwards_fields = false;  // the client's own fields go on
  bool told_host = false;        // and so does the host it asked for, which may stand in the reply
  bool upgrades = false;         // WebSocket
  PathForm path = PathForm::kDecoded;
  bool says_freshness = false;  // its replies may say how long they are fresh
};

class Origin {
 public:
  virtual ~Origin() = default;

  // One question, one answer; `cancel` may be null. A virtual call, on misses and passes only; the other one
  // on the way of a request is that for each piece of an upload (net/upload.h).
  virtual net::Task<base::Result<Reply>> fetch(const Ask& ask, net::Cancel* cancel) = 0;

  // Can it be used now? For readiness; whoever asks says by `cancel`, which may be null, how long it may
  // take. Asked one at a time, of an origin that serves nobody else.
  virtual net::Task<base::Result<>> probe(net::Cancel* cancel) = 0;
  // What the last probe() has found out beyond that, in words for the operator alone; "": nothing.
  virtual std::string_view finding() const { return {}; }

  // Methods for Allow, e.g. "GET, HEAD"; of an origin that takes any, those that everybody knows.
  virtual std::string_view allowed_methods() const = 0;
  // What a query changes: s3 keys only versionId and partNumber, dir nothing. Appends the query that the
  // origin will see (without '?'); returns whether there is one.
  virtual bool effective_query(std::string_view raw_query, bool has_query, std::string& out) const = 0;

  const std::string& name() const { return name_; }
  // config::fingerprint() of what it was made from: a reload keeps the origin where that is the same.
  std::uint64_t fingerprint() const { return fingerprint_; }
  virtual void close_idle() {}  // pools; at shutdown
  std::shared_ptr<const client::Stats> stats() const { return stats_; }
  // From now on its connections are counted there too.
  void show_in(telemetry::OriginMetrics& metrics) { stats_->shown = &metrics.connections; }

 protected:
  Origin(std::string name, std::uint64_t fingerprint) : name_(std::move(name)), fingerprint_(fingerprint) {}
  const std::shared_ptr<client::Stats>& shared_stats() const { return stats_; }

 private:
  std::string name_;
  std::uint64_t fingerprint_;
  std::shared_ptr<client::Stats> stats_ = std::make_shared<client::Stats>();
};

// Of the class that make_origin() would make.
Abilities abilities_of(const config::Origin& configuration);

// Builds the origin of one worker. Throws std::runtime_error with one line (CA file, folder that is missing).
std::shared_ptr<Origin> make_origin(const config::Origin& configuration, Env env);

}  // namespace origin
