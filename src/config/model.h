// The configuration as the program sees it: plain values, every default in place, every reference checked.
//
// Owner:    gateway::Snapshot, which never changes it.
// Thread:   immutable after load, so any.
// Lifetime: that of the snapshot; a reload builds a new one beside it.
//
// What a key is called, its bounds, its text and whether a reload may change it stand in keys.cc, one row a
// key. `line` members keep the place in the file, for errors found after parsing ("route '/x/' names the
// unknown origin 'y'").
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/secret.h"

namespace config {

using base::Millis;
using base::Seconds;

struct Address {  // what a listener binds: a literal IP address (IPv6 in brackets) and a port
  std::string host;
  std::uint16_t port = 0;  // 0: the system chooses; the log line "listening" tells which
};

struct Network {  // 10.0.0.0/8, ::1/128, or a bare address; IPv4 is kept as ::ffff:a.b.c.d
  std::array<std::uint8_t, 16> bytes{};
  std::uint8_t bits = 128;
  bool contains(const std::array<std::uint8_t, 16>& address) const;
};

struct Listen {
  Address address;
  bool proxy_protocol =
      false;  // connections begin with a PROXY v2 header, from a trusted proxy or not at all
};

struct Timeouts {         // what a client may take
  Millis header{10'000};  // from the first byte of a head to its end
  Millis idle{60'000};    // between two requests
  Millis body{30'000};    // between two reads of a request body
  Millis write{30'000};   // without the client taking a byte
};

// ---- how much, how often

struct Rate {  // 100/s, 10/m, 5/10s
  std::uint64_t count = 0;
  base::Nanos per{0};
  // The time one request's token takes to come back.
  base::Nanos interval() const {
    return count == 0 ? base::Nanos(0) : per / static_cast<base::Nanos::rep>(count);
  }
};

enum class RateKey : std::uint8_t { kAddress, kPrincipal, kRoute };

struct RateLimit {  // of `rates`: token buckets, one for each distinct value of `per`
  std::string name;
  int line = 0;
  Rate rate;
  std::uint64_t burst = 0;   // tokens of a full bucket; default: the rate's count
  std::vector<RateKey> per;  // in no order, none twice; empty: one bucket for everybody
  bool shared = false;       // counted in Redis, together with other instances
};

struct Failures {             // of verifications, by address; what admit asks about
  Rate rate{10, Seconds(1)};  // count 0: not limited
  std::uint64_t burst = 50;
};

struct Concurrency {        // requests at a time
  std::uint64_t max = 0;    // beyond it they wait
  std::uint64_t queue = 0;  // this many at most, else 503 at once
  Millis wait{1'000};       // this long at most, else 503
};

enum class RateFields : std::uint8_t { kBoth, kStandard, kOff };  // RateLimit…; and x-ratelimit-…

struct Limits {
  std::uint64_t head = 16 << 10;    // bytes of a request head, else 431
  std::uint64_t target = 8 << 10;   // bytes of a request target, else 414
  std::uint64_t fields = 100;       // header fields, else 431
  std::uint64_t body = 1ULL << 30;  // bytes of a request body, else 413
  std::uint64_t connections = 0;    // open client connections, else 503; 0: what RLIMIT_NOFILE allows
  std::vector<std::string> rates;   // names of `rates` that hold for every route
  Failures failures;
  Millis lag{1'000};                // a request that waited longer for its turn is shed, 503; 0: never
  std::uint64_t memory = 32 << 20;  // bytes of all buckets kept by address or principal
  std::uint64_t ipv6_prefix = 64;   // addresses of one such network share their buckets
  RateFields rate_fields = RateFields::kBoth;  // `headers`: what replies say of the buckets
};

// ---- what must hold for the claims of a token

using ClaimValue = std::variant<bool, std::int64_t, double, std::string>;

struct ClaimRule {
  enum class Kind : std::uint8_t { kAll, kAny, kNot, kTest } kind = Kind::kTest;
  enum class Test : std::uint8_t {
    kEquals,
    kIn,
    kContains,
    kGt,
    kLt,
    kGte,
    kLte,
    kExists
  } test = Test::kEquals;
  std::vector<ClaimRule> rules;    // of kAll and kAny: one or more; of kNot: one
  std::string claim;               // of kTest: a path, `realm_access.roles[*]`, `["https://x.test/roles"][0]`
  std::vector<ClaimValue> values;  // of kIn: one or more; of kExists: a bool; else one
  int line = 0;
};

struct Admin {
  std::optional<Address> listen;      // absent: no admin listener
  std::string token_file;             // of the bootstrap token, created with mode 0600 where it is missing
  std::vector<std::string> identity;  // whose tokens are taken too; none: the bootstrap token alone
  std::vector<ClaimRule> require;     // of those tokens: all of these, else 403
};

struct Shutdown {
  Millis delay{0};         // accept on while readiness is red, so that balancers notice
  Millis timeout{30'000};  // then what is still in flight is cut
};

struct AccessLog {
  bool enabled = true;
  std::string output = "stdout";  // stdout, stderr, or a file's path
};

enum class LogLevel : std::uint8_t { kTrace, kDebug, kInfo, kWarn, kError };

struct Log {
  LogLevel level = LogLevel::kInfo;
  std::string output = "stderr";
  AccessLog access;
};

enum class AuditRequests : std::uint8_t { kDenied, kAll };
enum class WhenFull : std::uint8_t { kDrop, kBlock };

struct Audit {
  std::string output;  // "": no audit log; stdout, stderr, syslog, or a file's path
  AuditRequests requests = AuditRequests::kDenied;
  WhenFull when_full = WhenFull::kDrop;
  std::uint64_t buffer = 4 << 20;           // bytes of lines that may wait to be written
  std::uint64_t rotate_size = 0;            // bytes of a file; 0: never by size
  Seconds rotate_every{0};                  // 0: never by time
  std::uint64_t keep = 7;                   // rotated files
  std::string syslog_address = "/dev/log";  // a datagram socket's path, or host:port (UDP)
};

struct MemoryCache {
  std::uint64_t size = 256 << 20;       // bytes of keys, heads and bodies; 0 turns the cache off
  std::uint64_t max_object = 16 << 20;  // larger objects pass through
};

struct Cache {
  MemoryCache memory;
  std::uint64_t fill_budget = 256 << 20;  // bytes that all fills under way may buffer together
};

// ---- origins

struct OriginTimeouts {
  Millis connect{2'000};
  Millis first_byte{30'000};  // from the request sent to the head of the reply
  Millis idle{30'000};        // between two reads of a reply body
};

struct Pool {
  std::uint64_t idle = 64;       // kept open a worker
  Millis idle_timeout{30'000};   // then closed
  Millis resolve_every{30'000};  // a name is looked up again after this
};

struct Url {
  bool tls = false;
  std::string host;  // without brackets
  std::uint16_t port = 80;
  std::string path;               // "" or "/base", never with a trailing slash
  std::string authority() const;  // for Host: brackets where needed, the port unless it is the scheme's own
};

struct OriginTls {
  bool verify = true;
  std::string ca_file;      // "": the system's
  std::string server_name;  // "": the host
};

struct DirOrigin {
  std::string path;
};

enum class S3Style : std::uint8_t { kPath, kVirtualHost };

struct S3Origin {
  std::string bucket;
  std::string region = "us-east-1";
  Url endpoint;                    // default https://s3.<region>.amazonaws.com
  S3Style style = S3Style::kPath;  // default: virtual-host for amazonaws.com, path elsewhere
  std::string prefix;              // put before every key
  std::string access_key_id;       // with secret_access_key; neither: anonymous
  base::Secret secret_access_key;
  base::Secret session_token;
  OriginTimeouts timeouts;
  Pool pool;
  OriginTls tls;
};

struct HttpOrigin {
  Url url;
  bool preserve_host = false;  // send the client's Host instead of the url's
  OriginTimeouts timeouts;
  Pool pool;
  OriginTls tls;
};

struct Origin {
  std::string name;
  int line = 0;
  std::optional<Concurrency> concurrency;  // requests that are with the origin
  std::variant<DirOrigin, S3Origin, HttpOrigin> kind;
};

// ---- identities

enum class Algorithm : std::uint8_t {
  kHS256,
  kHS384,
  kHS512,
  kRS256,
  kRS384,
  kRS512,
  kPS256,
  kPS384,
  kPS512,
  kES256,
  kES384,
  kEdDSA,
};

struct Key {
  std::string kid;                     // "": tried for every token without one, and for any
  std::optional<Algorithm> algorithm;  // needed where the identity lists several
  base::Secret material;               // PEM text, a JWK, or the bytes of an HMAC secret
  std::string source;                  // "file staff.pem", "env KEY", "inline": for messages, never the bytes
  int line = 0;
};

struct TokenSource {
  enum class Kind : std::uint8_t { kBearer, kHeader, kQuery, kCookie } kind = Kind::kBearer;
  std::string name;    // of the header, the query parameter or the cookie
  std::string prefix;  // taken off a header's value, e.g. "Token "
};

struct Jwks {              // keys that the issuer publishes
  std::optional<Url> url;  // none: the issuer's discovery document says where
  Millis timeout{5'000};   // of one fetch, name to last byte
  Seconds min_ttl{60};     // bounds of what the reply's Cache-Control says
  Seconds max_ttl{3'600};
  Seconds ttl{300};           // where it says nothing
  Seconds cooldown{10};       // between two fetches for a `kid` that is not known
  Seconds max_stale{86'400};  // how long the last good keys serve on while the endpoint is down; 0: for ever
  OriginTls tls;
};

struct JwtIdentity {
  std::string name;
  int line = 0;
  std::string issuer;                 // "": not checked
  std::vector<std::string> audience;  // one of these must be in aud; empty: not checked
  std::vector<Algorithm> algorithms;  // at least one
  std::vector<Key> keys;              // with jwks: may be empty
  std::optional<Jwks> jwks;           // `jwks: URL`, or `discovery: on`
  std::vector<TokenSource> from;      // default: bearer
  Seconds leeway{30};                 // for exp, nbf and iat
  bool require_exp = true;
  std::uint64_t max_token = 8 << 10;  // bytes
};

// ---- routes

struct RouteCache {
  bool enabled = true;         // `cache: off` on the route
  std::optional<Seconds> ttl;  // where the origin is silent
};

struct Route {
  std::string path;  // decoded prefix, begins and ends at a segment boundary
  int line = 0;
  std::string origin;
  std::vector<std::string> identity;  // whose tokens are taken, chosen by `iss`; empty: open to everybody
  std::vector<ClaimRule> require;     // all of these, else 403
  std::vector<std::string> rates;     // beside those of Limits
  std::optional<Concurrency> concurrency;
  bool forward_authorization = false;
  RouteCache cache;
};

struct Redis {
  std::optional<Url> url;  // redis://host:port or rediss://; none: no Redis
  std::string user;        // of ACL; "": default
  base::Secret password;
  std::uint64_t database = 0;
  std::string prefix = "sekisho:";  // of every key
  Millis connect{1'000};
  Millis timeout{250};  // of a command; then it counts as lost
  OriginTls tls;
};

struct Config {
  std::uint64_t hash = 0;  // of the file's text: the same on every instance that runs it
  std::string file;        // for messages
  std::vector<Listen> listen;
  std::uint64_t workers = 0;  // 0: one per CPU of the affinity mask
  std::vector<Network> trusted_proxies;
  Admin admin;
  Timeouts timeouts;
  Limits limits;
  Shutdown shutdown;
  Log log;
  Audit audit;
  Cache cache;
  Redis redis;
  std::map<std::string, RateLimit> rates;
  std::map<std::string, Origin> origins;
  std::map<std::string, JwtIdentity> identities;
  std::vector<Route> routes;
};

}  // namespace config
