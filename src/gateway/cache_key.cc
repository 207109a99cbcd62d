#include "gateway/cache_key.h"

#include <string>

#include "base/sabotage.h"
#include "gateway/forward.h"

namespace gateway {

namespace {

constexpr std::size_t kMaxKey = 64 << 10;  // bytes

}  // namespace

bool put_cache_key(Exchange& x) {
  const Route& rules = *x.route->rules;
  cache::KeyParts parts{.origin = x.route->cache_id, .path = x.rest, .rendering = rules.rendering};
  std::string fields;
  if (!rules.rules.forward_fields.empty()) {
    append_keyed_fields(x, fields);
    parts.fields = fields;
  }
  std::string query;
  if (x.has_query && !sabotage::on("key-ignores-query")) {
    parts.has_query = x.route->origin->effective_query(x.query, true, query);
    parts.query = query;
  }
  // Whatever the origin is told of the host may stand in its answer, be it as Host or as X-Forwarded-Host.
  std::string told;
  if (rules.can.told_host) {
    parts.host = x.head.host;
    if (x.trusted_peer) {
      told.append(x.head.host).append(" ").append(x.told_host);
      parts.host = told.append(" ").append(x.told_proto);
    }
  }
  const std::size_t size = cache::key_size(parts);
  if (size > kMaxKey) return false;
  const auto key = cache::make_key(parts, x.key_scratch.take(size));
  if (key) x.key = *key;
  return key.has_value();
}

}  // namespace gateway
