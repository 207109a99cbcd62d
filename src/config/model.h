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

struct Timeouts {         // what a client may take
  Millis header{10'000};  // from the first byte of a head to its end
  Millis idle{60'000};    // between two requests
  Millis body{30'000};    // between two reads of a request body
  Millis write{30'000};   // without the client taking a byte
};

struct Limits {
  std::uint64_t head = 16 << 10;    // bytes of a request head, else 431
  std::uint64_t target = 8 << 10;   // bytes of a request target, else 414
  std::uint64_t fields = 100;       // header fields, else 431
  std::uint64_t body = 1ULL << 30;  // bytes of a request body, else 413
  std::uint64_t connections = 0;    // open client connections, else 503; 0: what RLIMIT_NOFILE allows
};

struct Admin {
  std::optional<Address> listen;  // absent: no admin listener
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
  std::variant<DirOrigin, S3Origin, HttpOrigin> kind;
};

// ---- identities

enum class Algorithm : std::uint8_t { kHS256, kES256 };

struct Key {
  std::string kid;                     // "": tried for every token without one, and for any
  std::optional<Algorithm> algorithm;  // needed where the identity lists several
  base::Secret material;               // PEM text, or the bytes of an HMAC secret
  std::string source;                  // "file staff.pem", "env KEY", "inline": for messages, never the bytes
  int line = 0;
};

struct TokenSource {
  enum class Kind : std::uint8_t { kBearer, kHeader, kQuery } kind = Kind::kBearer;
  std::string name;    // of the header or of the query parameter
  std::string prefix;  // taken off a header's value, e.g. "Token "
};

struct JwtIdentity {
  std::string name;
  int line = 0;
  std::string issuer;                 // "": not checked
  std::vector<std::string> audience;  // one of these must be in aud; empty: not checked
  std::vector<Algorithm> algorithms;  // at least one
  std::vector<Key> keys;              // at least one
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
  std::string identity;  // "": open to everybody
  bool forward_authorization = false;
  RouteCache cache;
};

struct Config {
  std::uint64_t hash = 0;  // of the file's text: the same on every instance that runs it
  std::string file;        // for messages
  std::vector<Address> listen;
  std::uint64_t workers = 0;  // 0: one per CPU of the affinity mask
  std::vector<Network> trusted_proxies;
  Admin admin;
  Timeouts timeouts;
  Limits limits;
  Shutdown shutdown;
  Log log;
  Cache cache;
  std::map<std::string, Origin> origins;
  std::map<std::string, JwtIdentity> identities;
  std::vector<Route> routes;
};

}  // namespace config
