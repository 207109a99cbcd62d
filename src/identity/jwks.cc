#include "identity/jwks.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <optional>

#include "config/address.h"
#include "identity/verification_key.h"
#include "text/json_reader.h"

namespace identity {

namespace {

namespace json = boost::json;

constexpr std::size_t kMaxShown = 200;  // bytes of a foreign text that a message repeats

std::string_view view(const json::string& s) {
  return {s.data(), s.size()};
}

std::string shown(std::string_view text) {
  return "'" + std::string(text.substr(0, kMaxShown)) + (text.size() > kMaxShown ? "…'" : "'");
}

// Boost.JSON takes duplicate members, so text::JsonReader has a look first.
std::optional<json::object> parse_object(std::string_view text) {
  text::JsonSpace space;
  text::JsonReader in(text, space);
  std::string_view name;
  while (in.next(name)) in.skip();
  if (!in.complete()) return std::nullopt;
  json::error_code error;
  json::value value = json::parse(json::string_view(text.data(), text.size()), error);
  if (error || !value.is_object()) return std::nullopt;
  return std::move(value.get_object());
}

std::string described(const json::value& jwk, std::size_t index) {
  std::string out = "key " + std::to_string(index + 1);
  if (const json::object* object = jwk.if_object())
    if (const json::value* kid = object->if_contains("kid"); kid && kid->is_string())
      out += " (kid " + shown(view(kid->get_string())) + ")";
  return out;
}

}  // namespace

std::expected<PublishedKeys, std::string> parse_jwks(std::string_view text,
                                                     std::span<const config::Algorithm> allowed) {
  const std::optional<json::object> set = parse_object(text);
  if (!set) return std::unexpected("is no JSON object");
  const json::value* member = set->if_contains("keys");
  const json::array* list = member ? member->if_array() : nullptr;
  if (!list) return std::unexpected("is no JWK Set: it has no array 'keys'");
  PublishedKeys out;
  for (std::size_t i = 0; i < std::min(list->size(), kMaxPublishedKeys); ++i) {
    const json::value& one = (*list)[i];
    if (!one.is_object()) {
      ++out.skipped;
      out.wrong.push_back(described(one, i) + " is no JSON object");
      continue;
    }
    auto key = VerificationKey::from_jwk(one.get_object(), allowed);
    if (!key) {
      ++out.skipped;
      if (!key.error().foreign) out.wrong.push_back(described(one, i) + " " + key.error().why);
      continue;
    }
    const bool there = std::ranges::any_of(
        out.keys, [&](const auto& other) { return other->fingerprint() == (*key)->fingerprint(); });
    if (!there) out.keys.push_back(std::move(*key));
  }
  if (list->size() > kMaxPublishedKeys) {
    out.skipped += list->size() - kMaxPublishedKeys;
    out.wrong.push_back("the set has " + std::to_string(list->size()) + " keys; those behind the first " +
                        std::to_string(kMaxPublishedKeys) + " are left out");
  }
  return out;
}

std::expected<config::Url, DiscoveryFault> parse_discovery(std::string_view text, const std::string& issuer) {
  const std::optional<json::object> document = parse_object(text);
  if (!document) return std::unexpected(DiscoveryFault{false, "is no JSON object"});
  const json::value* named = document->if_contains("issuer");
  if (!named || !named->is_string())
    return std::unexpected(DiscoveryFault{false, "is no discovery document: it names no issuer"});
  if (view(named->get_string()) != issuer)
    return std::unexpected(DiscoveryFault{
        true, "is of the issuer " + shown(view(named->get_string())) + ", not of " + shown(issuer)});
  const json::value* place = document->if_contains("jwks_uri");
  if (!place || !place->is_string())
    return std::unexpected(DiscoveryFault{false, "is no discovery document: it has no jwks_uri"});
  auto url = config::JwksUrl::parse(view(place->get_string()));
  if (!url) return std::unexpected(DiscoveryFault{false, "has a jwks_uri that " + url.error()});
  if (url->path.empty()) url->path = "/";
  if (!url->tls && !issuer.starts_with("http://"))
    return std::unexpected(DiscoveryFault{false, "has a jwks_uri that is not https"});
  return *url;
}

std::expected<config::Url, std::string> discovery_url(const std::string& issuer) {
  auto url = config::UrlText::parse(issuer);
  if (!url) return std::unexpected(url.error());
  url->path += "/.well-known/openid-configuration";
  return *url;
}

}  // namespace identity
