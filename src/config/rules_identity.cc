#include <fmt/format.h>

#include <algorithm>

#include "config/address.h"
#include "config/claim_value.h"
#include "config/material.h"
#include "config/rows.h"
#include "config/rules.h"

namespace config::rules {
namespace {

bool is_hmac(Algorithm a) {
  return a == Algorithm::kHS256 || a == Algorithm::kHS384 || a == Algorithm::kHS512;
}

// PEM or a JWK: what kind of key it is stands in itself.
bool tells_its_kind(const base::Secret& material) {
  std::string_view text = material.reveal();
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  return text.starts_with("-----BEGIN ") || text.starts_with('{');
}

void settle_algorithm(Reader& reader, const YamlNode& item, Key& key, const JwtIdentity& identity) {
  if (key.algorithm) {
    if (!contains(identity.algorithms, *key.algorithm))
      reader.fail_at(item, "algorithm", "is not among the identity's 'algorithms'");
    return;
  }
  if (identity.algorithms.size() == 1) {
    key.algorithm = identity.algorithms[0];
  } else if (!tells_its_kind(key.material)) {
    const auto several = std::ranges::count_if(identity.algorithms, is_hmac);
    if (several == 0)
      reader.fail(key.line, "is neither PEM nor a JWK, and the identity lists no HS algorithm");
    if (several > 1) reader.fail(key.line, "needs 'algorithm', as the identity lists several HS algorithms");
    key.algorithm = *std::ranges::find_if(identity.algorithms, is_hmac);
  }
}

void check_keys(Reader& reader, const YamlNode& keys, JwtIdentity& identity) {
  const Reader::Step step(reader, "keys");
  for (std::size_t i = 0; i < identity.keys.size(); ++i) {
    Key& key = identity.keys[i];
    const YamlNode& item = keys.kind == YamlNode::Kind::kList ? keys.items[i] : keys;
    const Reader::Step at(reader, i);
    settle_algorithm(reader, item, key, identity);
    for (std::size_t j = 0; j < i; ++j) {
      const Key& other = identity.keys[j];
      if (!key.kid.empty() && key.kid == other.kid && key.algorithm && key.algorithm == other.algorithm)
        reader.fail_at(item, "kid", fmt::format("is also the kid of the key in line {}", other.line));
    }
  }
}

// A shared secret is never published, and a published key must never be taken for one.
void check_secrets(Reader& reader, const YamlNode& node, const JwtIdentity& identity) {
  const YamlNode& listed = node.find("algorithms")->value;
  for (std::size_t i = 0; i < identity.algorithms.size(); ++i) {
    const Algorithm algorithm = identity.algorithms[i];
    const auto serves = [algorithm](const Key& key) { return !key.algorithm || key.algorithm == algorithm; };
    if (!is_hmac(algorithm) || std::ranges::any_of(identity.keys, serves)) continue;
    const YamlNode& item = listed.kind == YamlNode::Kind::kList ? listed.items[i] : listed;
    reader.fail_at(node, "algorithms", fmt::format("'{}' needs a secret among 'keys'", item.text));
  }
  if (identity.jwks && std::ranges::all_of(identity.algorithms, is_hmac))
    reader.fail_at(node, node.find("jwks") != nullptr ? "jwks" : "discovery",
                   "has no use: no algorithm of the identity takes a published key");
}

void check_discovery(Reader& reader, const YamlNode& node, const JwtIdentity& identity) {
  const Entry* said = node.find("discovery");
  const bool discovery = said != nullptr && Switch::parse(reader.text(said->value)) == true;
  if (const Entry* jwks = node.find("jwks"); jwks != nullptr) {
    const bool url = identity.jwks->url.has_value();
    if (url && discovery)
      reader.fail_at(node, "jwks", "has a 'url' and stands beside 'discovery'; give one of them");
    if (!url && !discovery) reader.fail_at(node, "jwks", "needs 'url', or 'discovery: on' beside it");
  }
  if (!discovery) return;
  if (identity.issuer.empty())
    reader.fail_at(node, "discovery", "needs 'issuer', the URL that the document is under");
  std::string wrong;
  if (const auto url = UrlText::parse(identity.issuer); !url) wrong = url.error();
  if (const auto url = JwksUrl::parse(identity.issuer); wrong.empty() && !url) wrong = url.error();
  if (!wrong.empty()) reader.fail_at(node, "issuer", fmt::format("{}; 'discovery' needs that", wrong));
}

}  // namespace

void place_identity(Reader& reader, const Entry& entry, const Section& section, Config& config) {
  JwtIdentity identity;
  identity.name = entry.name;
  identity.line = entry.line;
  reader.section(entry.value, section, &identity);
  config.identities.emplace(entry.name, std::move(identity));
}

void place_key(Reader& reader, const YamlNode& node, KeyDraft&& draft, JwtIdentity& identity) {
  const std::string_view way =
      reader.exactly_one(node, std::array<std::string_view, 3>{"file", "env", "inline"});
  Key key{.kid = std::move(draft.kid),
          .algorithm = draft.algorithm,
          .material = {},
          .source = "inline",
          .line = node.line};
  Parsed<base::Secret> bytes = std::move(draft.inlined);
  if (way == "file") {
    key.source = "file " + draft.file;
    bytes = read_secret_file(reader.own(draft.file));
  } else if (way == "env") {
    key.source = "env " + draft.env;
    const std::optional<std::string> value = reader.env()(draft.env);
    if (value && !value->empty())
      bytes = base::Secret(*value);
    else
      bytes = std::unexpected(fmt::format("the environment variable {} is not set, or empty", draft.env));
  }
  if (bytes) {
    bytes = decode(*bytes, draft.encoding);
    if (bytes && bytes->empty()) bytes = std::unexpected("is empty");
  }
  if (!bytes) reader.fail_at(node, way, bytes.error());
  key.material = *std::move(bytes);
  identity.keys.push_back(std::move(key));
}

void place_token_source(Reader& reader, const YamlNode& node, TokenSourceDraft&& draft,
                        JwtIdentity& identity) {
  TokenSource source;
  if (node.kind == YamlNode::Kind::kMap) {
    const std::string_view way =
        reader.exactly_one(node, std::array<std::string_view, 4>{"scheme", "header", "query", "cookie"});
    if (!draft.prefix.empty() && way != "header") reader.fail_at(node, "prefix", "needs 'header'");
    if (!draft.allowed_origins.empty() && way != "cookie")
      reader.fail_at(node, "allowed_origins", "needs 'cookie', which alone a browser sends by itself");
    if (way == "header")
      source = {TokenSource::Kind::kHeader, std::move(draft.header), std::move(draft.prefix), {}};
    if (way == "query") source = {TokenSource::Kind::kQuery, std::move(draft.query), "", {}};
    if (way == "cookie")
      source = {TokenSource::Kind::kCookie, std::move(draft.cookie), "", std::move(draft.allowed_origins)};
  }
  identity.from.push_back(std::move(source));
}

void place_jwks(Reader&, const YamlNode&, Jwks&& jwks, JwtIdentity& identity) {
  identity.jwks = std::move(jwks);
}

// Bounds that were given move the defaults of the others.
void check_jwks(Reader& reader, const YamlNode& node, Jwks& jwks) {
  const bool least = node.find("min_ttl") != nullptr;
  const bool most = node.find("max_ttl") != nullptr;
  if (least && most && jwks.min_ttl > jwks.max_ttl) reader.fail_at(node, "min_ttl", "is more than 'max_ttl'");
  if (!most) jwks.max_ttl = std::max(jwks.max_ttl, jwks.min_ttl);
  if (!least) jwks.min_ttl = std::min(jwks.min_ttl, jwks.max_ttl);
  const Seconds within = std::clamp(jwks.ttl, jwks.min_ttl, jwks.max_ttl);
  if (node.find("ttl") != nullptr && within != jwks.ttl)
    reader.fail_at(node, "ttl",
                   fmt::format("is not between 'min_ttl' and 'max_ttl', {} to {}",
                               Duration::show(jwks.min_ttl), Duration::show(jwks.max_ttl)));
  jwks.ttl = within;
}

// An issuer signs for all of its clients with the same keys, so its signature alone says nothing of for whom
// a token is. Who wants that all the same, says so.
void settle_for_whom(Reader& reader, const YamlNode& node, JwtIdentity& identity) {
  constexpr std::string_view kAny = "any";
  const auto need = [&](std::string_view key, bool absent) {
    if (absent && identity.jwks)
      reader.fail_at(node, key,
                     "is missing: published keys sign for others, too; say which, or 'any' to take them all");
  };
  need("issuer", identity.issuer.empty());
  need("audience", identity.audience.empty());
  if (identity.issuer == kAny) identity.issuer.clear();
  if (!contains(identity.audience, std::string(kAny))) return;
  if (identity.audience.size() > 1) reader.fail_at(node, "audience", "names others beside 'any'");
  identity.audience.clear();
}

void check_identity(Reader& reader, const YamlNode& node, JwtIdentity& identity) {
  if (identity.from.empty()) identity.from.emplace_back();
  check_discovery(reader, node, identity);
  if (const Entry* keys = node.find("keys"); keys != nullptr) {
    check_keys(reader, keys->value, identity);
  } else if (!identity.jwks) {
    reader.fail_at(node, "keys", "is missing, and so are 'jwks' and 'discovery'");
  }
  check_secrets(reader, node, identity);
  settle_for_whom(reader, node, identity);
}

// ---- rules over claims

void place_all(Reader&, const YamlNode&, ClaimRule&& rule, ClaimRule& owner) {
  owner.kind = ClaimRule::Kind::kAll;
  owner.rules.push_back(std::move(rule));
}

void place_any(Reader&, const YamlNode&, ClaimRule&& rule, ClaimRule& owner) {
  owner.kind = ClaimRule::Kind::kAny;
  owner.rules.push_back(std::move(rule));
}

void place_not(Reader&, const YamlNode&, ClaimRule&& rule, ClaimRule& owner) {
  owner.kind = ClaimRule::Kind::kNot;
  owner.rules.push_back(std::move(rule));
}

void place_test(Reader& reader, const Row& row, const YamlNode& node, ClaimRule::Test test, ClaimRule& rule) {
  rule.test = test;
  if (test == ClaimRule::Test::kExists) {
    rule.values.emplace_back(rows::read_value<Switch>(reader, row, node));
    return;
  }
  const bool looks_within = test == ClaimRule::Test::kContains || test == ClaimRule::Test::kSubstring;
  const auto one = [&](const YamlNode& item) {
    auto value = parse_claim_value(reader.text(item), item.quoted);
    if (!value) reader.fail_value(row, item, value.error());
    if (orders(test) && !is_number(*value)) reader.fail_value(row, item, "is not a number");
    if (test == ClaimRule::Test::kSubstring && !std::holds_alternative<std::string>(*value))
      reader.fail_value(row, item, "is not a text; put it in quotes");
    if (looks_within && *value == ClaimValue(std::string())) reader.fail_value(row, item, "is empty");
    rule.values.push_back(*std::move(value));
  };
  if (!row.list) return one(node);
  std::size_t index = 0;
  for (const YamlNode& item : reader.items(row, node)) {
    const Reader::Step step(reader, index++);
    one(item);
  }
}

void check_rule(Reader& reader, const YamlNode& node, ClaimRule& rule) {
  constexpr std::array<std::string_view, 4> kWays = {"all", "any", "not", "claim"};
  constexpr std::array<std::string_view, 9> kTests = {"equals", "in",  "contains", "substring", "gt",
                                                      "lt",     "gte", "lte",      "exists"};
  rule.line = node.line;
  if (reader.exactly_one(node, kWays) == "claim") {
    reader.exactly_one(node, kTests);
    return;
  }
  for (const std::string_view test : kTests)
    if (node.find(test) != nullptr) reader.fail_at(node, test, "needs 'claim'");
}

}  // namespace config::rules
