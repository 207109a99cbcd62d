#include "gateway/credentials.h"

#include <algorithm>

#include "http/append.h"
#include "http/chars.h"
#include "http/field_kind.h"

namespace gateway {

using config::TokenSource;
using http::FieldId;
using Kind = config::TokenSource::Kind;

namespace {

bool of_authorization(const TokenSource& source) {
  return source.kind == Kind::kBearer ||
         (source.kind == Kind::kHeader && http::iequals(source.name, "authorization"));
}

bool same_source(const TokenSource& a, const TokenSource& b) {
  return a.kind == b.kind && a.prefix == b.prefix &&
         (a.kind == Kind::kHeader ? http::iequals(a.name, b.name) : a.name == b.name);
}

bool contains(std::span<const TokenSource> list, const TokenSource& source) {
  return std::ranges::any_of(list, [&](const TokenSource& one) { return same_source(one, source); });
}

// Authorization is no list (RFC 9110 section 11.6.2), but there are servers that take it for one.
bool has_scheme(std::string_view value, std::string_view scheme) {
  while (true) {
    value = http::trim_ows(value);
    if (value.size() >= scheme.size() && http::iequals(value.substr(0, scheme.size()), scheme)) return true;
    const std::size_t comma = value.find(',');
    if (comma == value.npos) return false;
    value.remove_prefix(comma + 1);
  }
}

}  // namespace

Credentials::Credentials(const config::Config& config, const config::Route& route)
    : ignored_cookies_(route.cache.ignore_cookies), keyed_fields_(route.forward_fields) {
  std::vector<TokenSource> own, passed;
  if (!route.identity.empty()) own = config.identities.at(route.identity.front()).from;  // all look alike
  for (const std::string& name : route.forward_credentials) {
    const auto& from = config.identities.at(name).from;
    passed.insert(passed.end(), from.begin(), from.end());
  }
  passes_some_ = !passed.empty() || (route.forward_authorization && !own.empty());

  const auto hides = [&](const TokenSource& source) {
    if (contains(passed, source)) return false;
    // A token in a query is in too many places already.
    return !route.forward_authorization || source.kind == Kind::kQuery ||
           (!of_authorization(source) && !contains(own, source));
  };
  for (const auto& [unused, identity] : config.identities)
    for (const TokenSource& source : identity.from) {
      if (source.kind == Kind::kCookie && !contains(passed, source)) not_to_be_set_.push_back(source.name);
      if (!hides(source)) continue;
      if (of_authorization(source)) {
        hides_all_authorization_ |= contains(own, source);
        authorizations_.emplace_back(source.kind == Kind::kBearer ? "bearer" : source.prefix);
      } else if (source.kind == Kind::kHeader) {
        fields_.push_back(source.name);
      } else {
        (source.kind == Kind::kCookie ? cookies_ : queries_).push_back(source.name);
      }
    }
}

bool Credentials::hide(const http::Field& field) const {
  if (field.id == FieldId::kAuthorization)
    return hides_all_authorization_ || std::ranges::any_of(authorizations_, [&](const std::string& prefix) {
             return has_scheme(field.value, http::trim_ows(prefix));
           });
  return std::ranges::any_of(fields_,
                             [&](const auto& name) { return http::same_variable(name, field.name); });
}

bool Credentials::let_pass(const http::FieldList& fields) const {
  if (passes_some_) return true;
  std::uint64_t theirs = http::bit_of(FieldId::kCookie) | http::bit_of(FieldId::kOther);
  if (!hides_all_authorization_) theirs |= http::bit_of(FieldId::kAuthorization);
  if (!fields.has_any(theirs)) return false;
  return std::ranges::any_of(fields, [&](const http::Field& field) {
    if (field.id == FieldId::kAuthorization) return !hide(field);
    if (field.id == FieldId::kOther)
      return http::kind_of(field.name) == http::FieldKind::kCredential && !hide(field) &&
             std::ranges::none_of(keyed_fields_,
                                  [&](const auto& name) { return http::iequals(name, field.name); });
    if (field.id != FieldId::kCookie) return false;
    std::string_view left = field.value, cookie;
    while (next_cookie(left, cookie))
      if (!ignores_cookie(cookie)) return true;
    return false;
  });
}

// ---- cookies

bool Credentials::hides_cookie(std::string_view cookie) const {
  const std::string_view name = http::trim_ows(cookie.substr(0, cookie.find('=')));
  return std::ranges::any_of(cookies_, [&](const std::string& hidden) { return hidden == name; });
}

bool Credentials::ignores_cookie(std::string_view cookie) const {
  const std::string_view name = http::trim_ows(cookie.substr(0, cookie.find('=')));
  return std::ranges::any_of(ignored_cookies_, [name](std::string_view ignored) {
    if (!ignored.ends_with('*')) return name == ignored;
    return name.starts_with(ignored.substr(0, ignored.size() - 1));
  });
}

// The next cookie that is no credential of ours; false at the end.
bool Credentials::next_cookie(std::string_view& left, std::string_view& cookie) const {
  while (!left.empty()) {
    const std::size_t end = left.find(';');
    cookie = http::trim_ows(left.substr(0, end));
    left.remove_prefix(end == left.npos ? left.size() : end + 1);
    if (!cookie.empty() && !hides_cookie(cookie)) return true;
  }
  return false;
}

void Credentials::append_cookies(const http::Field& field, bool for_all, std::string& out) const {
  if (cookies_.empty() && (!for_all || ignored_cookies_.empty()))
    return http::append_field(out, field.name, field.value);
  std::string kept;
  std::string_view left = field.value;
  for (std::string_view cookie; next_cookie(left, cookie);) {
    if (for_all && ignores_cookie(cookie)) continue;
    if (!kept.empty()) kept.append("; ");
    kept.append(cookie);
  }
  if (!kept.empty()) http::append_field(out, field.name, kept);
}

// A cookie without a name is sent as its bare value, so "=session=x" comes back as the cookie `session`
// (RFC 6265bis §5.6 and §5.8.3).
bool Credentials::set_by(std::string_view set_cookie) const {
  std::string_view pair = http::trim_ows(set_cookie.substr(0, set_cookie.find(';')));
  while (pair.starts_with('=')) pair = http::trim_ows(pair.substr(1));
  const std::string_view name = http::trim_ows(pair.substr(0, pair.find('=')));
  return std::ranges::any_of(not_to_be_set_, [&](const std::string& ours) { return ours == name; });
}

}  // namespace gateway
