// What no single key can tell: which keys go together, which names exist, what a value defaults to when it
// depends on another. Internal to the room; the tables of keys hang these on their sections.
//
// Failures: ConfigError, at the line of the key in question.
#pragma once

#include <fmt/format.h>

#include <algorithm>

#include "config/address.h"
#include "config/drafts.h"
#include "config/error.h"
#include "config/reader.h"

namespace config::rules {

template <class T>
bool contains(const std::vector<T>& list,
              const T& value) {  // std::ranges::contains is missing in libstdc++ 12
  return std::ranges::find(list, value) != list.end();
}

inline int line_of(const YamlNode& map, std::string_view key) {
  const Entry* entry = map.find(key);
  return entry == nullptr ? map.line : entry->value.line;
}

// A route that names what does not exist would be open, or dead.
template <class Map>
void check_name(Reader& reader, int line, std::string_view key, std::string_view what,
                const std::string& name, const Map& known) {
  if (known.contains(name)) return;
  std::vector<std::string_view> names;
  names.reserve(known.size());
  for (const auto& [each, unused] : known) names.push_back(each);
  const Reader::Step step(reader, key);
  reader.fail(line, fmt::format("there is no {} '{}'{}", what, name, did_you_mean(name, names)));
}

// ---- the whole: rules.cc

void place_listen(Reader&, const YamlNode&, Listen&&, Config&);
void place_route(Reader&, const YamlNode&, Route&&, Config&);
void check_admin(Reader&, const YamlNode&, Admin&);
void place_app(Reader&, const Entry&, const Section&, Config&);
void check_route_cache(Reader& reader, const YamlNode& node, RouteCache& cache);
void check_route(Reader&, const YamlNode&, Route&);
void check_config(Reader&, const YamlNode&, Config&);

// ---- rules_origin.cc

void place_origin(Reader&, const Entry&, const Section&, Config&);
void place_credentials(Reader&, const YamlNode&, CredentialsDraft&&, S3Origin&);
void check_dir(Reader&, const YamlNode&, DirOrigin&);
void check_s3(Reader&, const YamlNode&, S3Origin&);
void check_tls(Reader&, const YamlNode&, OriginTls&);

// ---- identities, and rules over claims: rules_identity.cc

void place_identity(Reader&, const Entry&, const Section&, Config&);
void place_key(Reader&, const YamlNode&, KeyDraft&&, JwtIdentity&);
void place_token_source(Reader&, const YamlNode&, TokenSourceDraft&&, JwtIdentity&);
void place_jwks(Reader&, const YamlNode&, Jwks&&, JwtIdentity&);
void check_jwks(Reader&, const YamlNode&, Jwks&);
void check_identity(Reader&, const YamlNode&, JwtIdentity&);

constexpr bool orders(ClaimRule::Test test) {
  using enum ClaimRule::Test;
  return test == kGt || test == kLt || test == kGte || test == kLte;
}
void place_all(Reader&, const YamlNode&, ClaimRule&&, ClaimRule&);
void place_any(Reader&, const YamlNode&, ClaimRule&&, ClaimRule&);
void place_not(Reader&, const YamlNode&, ClaimRule&&, ClaimRule&);
void place_test(Reader&, const Row&, const YamlNode&, ClaimRule::Test, ClaimRule&);
void check_rule(Reader&, const YamlNode&, ClaimRule&);
template <class Owner>
void place_require(Reader&, const YamlNode&, ClaimRule&& rule, Owner& owner) {
  owner.require.push_back(std::move(rule));
}

// ---- limits, the audit log and Redis: rules_limit.cc

template <class Owner>
void place_concurrency(Reader&, const YamlNode&, Concurrency&& concurrency, Owner& owner) {
  owner.concurrency = concurrency;
}
void place_rate(Reader&, const Entry&, RateLimit&&, Config&);
void check_rate(Reader&, const YamlNode&, RateLimit&);
void check_rates(Reader&, const YamlNode&, const Config&);
void place_redis(RedisPlace&&, Redis&);
void check_redis(Reader&, const YamlNode&, Redis&);
void check_audit(Reader&, const YamlNode&, Audit&);

}  // namespace config::rules
