// The configuration as the program sees it: plain values, every default in place, every reference checked.
//
// Owner:    gateway::Snapshot, which never changes it.
// Thread:   immutable after load, so any.
// Lifetime: that of the snapshot; a reload builds a new one beside it.
//
// One file a subject (model_*.h); this one has the rest and includes them all. What a key is called, its
// bounds, its text, whether a reload may change it and what it decides stand in keys*.cc, one row a key.
// `line` members keep the place in the file, for errors found after parsing ("route '/x/' names the unknown
// origin 'y'").
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "config/model_identity.h"
#include "config/model_limits.h"
#include "config/model_log.h"
#include "config/model_net.h"
#include "config/model_origin.h"

namespace config {

struct Listen {
  Address address;
  bool proxy_protocol =
      false;  // connections begin with a PROXY v2 header, from a trusted proxy or not at all
};

struct Timeouts {          // what a client may take
  Millis header{10'000};   // from the first byte of a head to its end
  Millis idle{60'000};     // between two requests
  Millis body{30'000};     // between two reads of a request body
  Millis write{30'000};    // without the client taking a byte
  Millis tunnel{600'000};  // without a byte either way, behind an upgrade
};

struct Admin {
  std::optional<Address> listen;      // absent: no admin listener
  std::string token_file;             // of the bootstrap token, created with mode 0600 where it is missing
  std::vector<std::string> hosts;     // names that Host may have, beside localhost and literal addresses
  std::vector<std::string> identity;  // whose tokens are taken too; none: the bootstrap token alone
  std::vector<ClaimRule> require;     // of those tokens: all of these, else 403
};

struct Shutdown {
  Millis delay{0};         // accept on while readiness is red, so that balancers notice
  Millis timeout{30'000};  // then what is still in flight is cut
};

struct MemoryCache {
  std::uint64_t size = 256 << 20;       // bytes of keys, heads and bodies; 0 turns the cache off
  std::uint64_t max_object = 16 << 20;  // larger objects pass through
};

struct Cache {
  MemoryCache memory;
  std::uint64_t fill_budget = 256 << 20;  // bytes that all fills under way may buffer together
};

struct Memory {
  std::uint64_t max = 0;  // bytes held for clients, wherever they are; after load never 0
};

// ---- what the gateway answers itself

struct StatusApp {};  // GET /health, /ready and /whoami

struct App {
  std::string name;
  int line = 0;
  std::variant<StatusApp> kind;
};

// ---- routes

enum class ClientNoCache : std::uint8_t { kLimited, kIgnore, kAlways };

struct RouteCache {
  bool enabled = true;                      // `cache: off` on the route
  std::optional<Seconds> ttl;               // where the origin is silent
  std::vector<std::string> ignore_cookies;  // names, or how they begin and a star
  ClientNoCache client_no_cache = ClientNoCache::kLimited;
  bool shared = false;  // behind an identity: caches in front may keep what the origin lets them
};

// What becomes of a `;` in the path of a request. Guard: refused where an origin that takes parameters off
// would see the path of a route that guards it.
enum class PathParameters : std::uint8_t { kGuard, kAllow, kRefuse };

struct Route {
  std::string path;  // prefix, not encoded, begins and ends at a segment boundary
  int line = 0;
  std::string origin;  // exactly one of these two
  std::string app;
  std::vector<std::string> identity;  // whose tokens are taken, chosen by `iss`; empty: open to everybody
  std::vector<ClaimRule> require;     // all of these, else 403
  std::vector<std::string> rates;     // beside those of Limits
  std::optional<Concurrency> concurrency;
  std::vector<std::string> methods;  // that are let through, else 405; empty: all that the origin takes
  PathParameters path_parameters = PathParameters::kGuard;
  Millis deadline{0};  // of a request and its reply as a whole; 0: none
  bool forward_authorization = false;
  std::vector<std::string> forward_credentials;  // identities whose credentials the origin may have and set
  std::vector<std::string>
      forward_fields;            // that go on although they would be dropped, and into the cache's key
  std::uint64_t read_ahead = 0;  // bytes of a request's body, before the origin is asked
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
  std::uint64_t hash = 0;              // of the file's text: the same on every instance that runs it
  std::string file;                    // for messages
  std::vector<std::string> own_files;  // itself, what it reads secrets from, what it writes to
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
  Memory memory;
  Redis redis;
  Resolver resolver;
  std::map<std::string, RateLimit> rates;
  std::map<std::string, Origin> origins;
  std::map<std::string, App> apps;
  std::map<std::string, JwtIdentity> identities;
  std::vector<Route> routes;
};

}  // namespace config
