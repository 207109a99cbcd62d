#include "gateway/cross_site.h"

#include <algorithm>

#include "http/chars.h"

namespace gateway {

using http::FieldId;

namespace {

struct Place {
  std::string_view scheme, host;  // host: with its port, unless that is the scheme's own
};

std::string_view without_usual_port(std::string_view scheme, std::string_view host) {
  const std::string_view usual = http::iequals(scheme, "https") ? ":443" : ":80";
  if (host.ends_with(usual)) host.remove_suffix(usual.size());
  return host;
}

// No path, no list, no "null": anything but scheme://host is the place of nobody.
Place place_of(std::string_view origin) {
  const std::size_t colon = origin.find("://");
  if (colon == origin.npos) return {};
  const std::string_view scheme = origin.substr(0, colon);
  return {scheme, without_usual_port(scheme, origin.substr(colon + 3))};
}

}  // namespace

bool changes_something(const http::RequestHead& head) {
  return !http::is_safe(head.method) || head.upgrade;
}

bool asked_by_own_page(const Exchange& x, const config::TokenSource& cookie) {
  const http::FieldList& fields = x.head.fields;
  if (fields.repeated(FieldId::kOrigin) || fields.repeated(FieldId::kSecFetchSite)) return false;
  const std::string_view site = fields.value(FieldId::kSecFetchSite);
  const bool own = site == "same-origin" || site == "none";
  if (!fields.has(FieldId::kOrigin)) return own;

  const std::string_view origin = fields.value(FieldId::kOrigin);
  if (std::ranges::any_of(cookie.allowed_origins,
                          [&](const std::string& allowed) { return http::iequals(allowed, origin); }))
    return true;
  const std::string_view scheme = x.told_proto.empty() ? "http" : x.told_proto;
  const std::string_view host = x.told_host.empty() ? x.head.host : x.told_host;
  const Place from = place_of(origin);
  if (from.host.empty() || !http::iequals(from.host, without_usual_port(from.scheme, host))) return false;
  const bool same_scheme = http::iequals(from.scheme, scheme);
  if (!fields.has(FieldId::kSecFetchSite)) return same_scheme;
  return own && (same_scheme || x.told_proto.empty());
}

}  // namespace gateway
