#include "gateway/invalidate.h"

#include <string>
#include <variant>
#include <vector>

#include "cache/key.h"
#include "cache/memory.h"
#include "http/chars.h"
#include "http/reference.h"
#include "http/target.h"

namespace gateway {

using http::FieldId;

namespace {

class Written {
 public:
  Written(const Services& services, const Exchange& x) : memory_(services.commons.memory), x_(x) {}

  // `rest` and `query` as in a key.
  void resource(std::string_view rest, std::string_view query, bool has_query) {
    cache::KeyParts parts{.origin = x_.route->cache_id, .path = rest.empty() ? "/" : rest};
    memory_.invalidate(resource_of(parts));
    std::string effective;
    parts.has_query = has_query && x_.route->origin->effective_query(query, true, effective);
    parts.query = effective;
    if (parts.has_query) memory_.invalidate(resource_of(parts));
  }

  void reference(std::string_view text) {
    std::string base;
    http::append_sent_path(x_.target.sent, base);
    http::Reference to;
    if (!http::resolve_reference(base, text, to)) return;
    const config::Url& url = std::get<config::HttpOrigin>(x_.route->rules->origin->kind).url;
    const bool ours = to.authority.empty() || http::same_authority(to.authority, x_.head.host) ||
                      http::same_authority(to.authority, x_.told_host);
    const bool theirs = to.authority.empty() || http::same_authority(to.authority, url.authority());
    if (!ours && !theirs) return;
    std::vector<char> scratch(http::target_scratch(to.target));
    http::Target target;
    if (!http::parse_target(to.target, scratch, target)) return;
    if (ours) by_route(target);
    // Of its own paths an origin knows what its url puts before them, too.
    if (target.sent.starts_with(url.path) && target.sent.substr(url.path.size()).starts_with('/'))
      resource(target.sent.substr(url.path.size()), target.raw_query, target.has_query);
  }

 private:
  // One origin's word makes nothing old that another's has given.
  void by_route(const http::Target& target) {
    const auto match = x_.snapshot->snapshot->router().match(target.collapsed);
    if (!match) return;
    const cache::OriginId id = x_.snapshot->routes[match->route].cache_id;
    if (id.high != x_.route->cache_id.high || id.low != x_.route->cache_id.low) return;
    resource(rest_for(*x_.route->rules, target, *match), target.raw_query, target.has_query);
  }

  cache::Memory& memory_;
  const Exchange& x_;
};

// Only http origins are written to; their copies are in the memory tier, if anywhere.
bool writes(const Exchange& x) {
  return !http::is_safe(x.head.method) && x.snapshot->config().cache.memory.size != 0 &&
         std::holds_alternative<config::HttpOrigin>(x.route->rules->origin->kind);
}

}  // namespace

void invalidate_written(const Services& services, const Exchange& x, const http::ResponseHead& reply) {
  if (!writes(x) || reply.status < 200 || reply.status >= 400) return;
  Written written(services, x);
  written.resource(x.rest, x.query, x.has_query);
  for (const std::string_view name : {"Location", "Content-Location"})
    for (const http::Field& field : reply.fields)
      if (http::iequals(field.name, name)) written.reference(field.value);
  if (const http::Field* to = x.head.fields.find("Destination")) written.reference(to->value);
}

void invalidate_unanswered(const Services& services, const Exchange& x) {
  if (writes(x)) Written(services, x).resource(x.rest, x.query, x.has_query);
}

}  // namespace gateway
