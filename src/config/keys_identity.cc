#include <bit>

#include "config/claim_path.h"
#include "config/rows.h"
#include "config/rules.h"
#include "config/tables.h"

namespace config {
namespace rows {

// In the order of the enumerations.
template <>
struct WordsOf<Algorithm> {
  static constexpr std::string_view kNames[] = {"HS256", "HS384", "HS512", "RS256", "RS384", "RS512",
                                                "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"};
};
template <>
struct WordsOf<Encoding> {
  static constexpr std::string_view kNames[] = {"text", "base64", "base64url", "hex"};
};
template <>
struct WordsOf<Scheme> {
  static constexpr std::string_view kNames[] = {"bearer"};
};

}  // namespace rows

using namespace rows;  // NOLINT(google-build-using-namespace): the vocabulary of these tables
using namespace std::chrono_literals;

constexpr Row kKeyRows[] = {
    file<&KeyDraft::file>("file", "", kLive,
                          "A file with the key; one newline at its end is not part of it."),
    rows::text<&KeyDraft::env>("env", "", kLive, "The name of an environment variable with the key."),
    secret<&KeyDraft::inlined, SecretBytes>("inline", "", kLive, "The key itself, best as \"${VARIABLE}\"."),
    rows::text<&KeyDraft::kid>(
        "kid", "", kLive,
        "Verify only tokens that name this `kid`. Without it the key is tried for any token."),
    word<&KeyDraft::algorithm>(
        "algorithm", "", kLive,
        "Needed by a shared secret where the identity lists several HS algorithms. Without it "
        "a PEM key or a JWK serves those of the listed algorithms that are of its kind."),
    word<&KeyDraft::encoding>("encoding", "text", kLive, "How the bytes of a shared secret are written."),
};
constexpr Section kKey = table<KeyDraft>(
    {"key", "",
     "A verification key: exactly one of `file`, `env` and `inline`. A public key in PEM, a JWK, or for HS "
     "algorithms the bytes of the secret.",
     ""},
    kKeyRows);

constexpr Row kTokenSourceRows[] = {
    word<&TokenSourceDraft::scheme>("scheme", "", kLive,
                                    "`bearer`: the Authorization header's Bearer token."),
    rows::text<&TokenSourceDraft::header, HeaderName>("header", "", kLive, "A header of this name."),
    rows::text<&TokenSourceDraft::prefix>("prefix", "", kLive,
                                          "Taken off that header's value, e.g. \"Token \"."),
    rows::text<&TokenSourceDraft::query, QueryName>(
        "query", "", kLive,
        "A query parameter of this name. It is taken out before origin, cache and log see it."),
    rows::text<&TokenSourceDraft::cookie, HeaderName>(
        "cookie", "", kLive,
        "A cookie of this name. It counts for unsafe methods and upgrades only with an `Origin` that is the "
        "request's own, or with `Sec-Fetch-Site: same-origin` or `none`; else 403."),
    form<&TokenSourceDraft::allowed_origins, WebOrigin>(
        "allowed_origins", "[]", kLive,
        "Whose pages may use that cookie beside our own, as browsers write it in `Origin`."),
};
constexpr Section kTokenSource = table<TokenSourceDraft>(
    {"token_source", "", "Where a token is looked for: `bearer`, a header, a query parameter or a cookie.",
     "scheme"},
    kTokenSourceRows);

consteval Row jwks_url_row() {
  Row row = value<&Jwks::url, JwksUrl>(
      Kind::kUrl,
      {"url",
       "",
       {},
       kBoth,
       "Where the key set is. https, or http where it is on this host itself. Without it: `discovery`."});
  row.pattern = "^[Hh][Tt][Tt][Pp][Ss]?://[^/?#@]+(/[^?#]*)?([?][^#]*)?$";
  return row;
}

constexpr Row kJwksRows[] = {
    jwks_url_row(),
    duration<&Jwks::timeout>("timeout", "5s", {1ms, 1min}, kTransport,
                             "Of one fetch, from the name to the last byte."),
    duration<&Jwks::min_ttl>(
        "min_ttl", "1m", {1s, 30 * 24h}, kTransport,
        "A reply's Cache-Control says how long its keys are good, but not less than this."),
    duration<&Jwks::max_ttl>("max_ttl", "1h", {1s, 30 * 24h}, kTransport, "And not more than this."),
    duration<&Jwks::ttl>("ttl", "5m", {1s, 30 * 24h}, kTransport,
                         "How long keys are good where the reply does not say."),
    duration<&Jwks::cooldown>(
        "cooldown", "10s", {1s, 1h}, kTransport,
        "Between two fetches because a token names a key that was asked for in vain. For a name that "
        "is new: 3s, or this if it is less."),
    duration<&Jwks::max_stale>(
        "max_stale", "1d", {0ms, 366 * 24h}, kTransport,
        "How long the last good keys serve on while none can be fetched. 0s: for ever."),
    section<&Jwks::tls, kOriginTls>("tls", "TLS towards the issuer."),
};
constexpr Decided kJwks = decided<Jwks>(
    {"jwks", "",
     "A set of keys that the issuer publishes. It is fetched in the background and ahead of its end.", "url"},
    kJwksRows, checked<Jwks, rules::check_jwks>);

// `jwks: {}` without a url is what the discovery document's key set is fetched with.
consteval Row discovery_row() {
  Row row;
  row.name = "discovery";
  row.kind = Kind::kSwitch;
  row.fallback = "false";
  row.decides = Decides::kNothing;  // but that there is a key set, and none with a url
  row.text =
      "Find the key set's URL in the issuer's discovery document (OpenID Connect Discovery); needs `issuer` "
      "to be a URL.";
  row.owner_tag = &kTag<JwtIdentity>;
  row.read = [](Reader& reader, const Row& self, const YamlNode& node, void* owner) {
    auto& jwks = static_cast<JwtIdentity*>(owner)->jwks;
    if (read_value<Switch>(reader, self, node) && !jwks) jwks.emplace();
  };
  return row;
}

void print_keys(const void* owner, Print& out) {
  const auto& keys = static_cast<const JwtIdentity*>(owner)->keys;
  out.add(std::uint64_t{keys.size()});
  for (const auto& [kid, algorithm, material, source, line] :
       keys) {  // all members: a new one has to come here
    out.add(std::string_view(kid));
    print_value<Words<Algorithm>>(algorithm, out);
    out.add(material);
  }
}
consteval Row keys_row() {
  Row row = drafts<JwtIdentity, KeyDraft, kKey, rules::place_key>(
      "keys", "", kAnswer, "The keys that tokens are verified with. Needed without `jwks` and `discovery`.");
  row.print = print_keys;
  return row;
}

consteval Row jwks_row() {
  Row row = draft<JwtIdentity, Jwks, kJwks, rules::place_jwks>(
      "jwks", "", kLive, "Keys that the issuer publishes: the URL of its key set (RFC 7517), or a map.");
  row.part = [](const void* owner) -> const void* {
    const auto& jwks = static_cast<const JwtIdentity*>(owner)->jwks;
    return jwks ? &*jwks : nullptr;
  };
  row.said_within = kIsDecided<kJwks>;
  return row;
}

constexpr Row kJwtRows[] = {
    rows::text<&JwtIdentity::issuer>(
        "issuer", "", kBoth,
        "What `iss` must be. Not checked where it is `any`, or absent; with `jwks` or `discovery` it may not "
        "be absent. Several identities of one route are told apart by it."),
    rows::text<&JwtIdentity::audience>(
        "audience", "", kAnswer,
        "One of these must be in `aud`. Not checked where it is `any`, or absent; with `jwks` or `discovery` "
        "it may not be absent, since an issuer signs the tokens of all its clients with the same keys."),
    rows::text<&JwtIdentity::token_types>(
        "token_types", "(none, JWT, at+jwt)", kAnswer,
        "What the header's `typ` may be, in any case, with or without `application/`; `none`: that it is "
        "absent. Others are tokens for something else: for logging out, or to prove a key."),
    word<&JwtIdentity::algorithms>("algorithms", kRequired, kBoth, "The only algorithms that are accepted."),
    keys_row(),
    jwks_row(),
    discovery_row(),
    drafts<JwtIdentity, TokenSourceDraft, kTokenSource, rules::place_token_source>(
        "from", "bearer", kNeither, "Where the token is looked for, in this order."),
    duration<&JwtIdentity::leeway>("leeway", "30s", {0ms, 1h}, kAnswer,
                                   "Clock difference allowed for exp, nbf and iat."),
    toggle<&JwtIdentity::require_exp>("require_exp", "true", kAnswer, "Refuse tokens that never expire."),
    toggle<&JwtIdentity::optional>("optional", "false", kNeither,
                                   "Whether /ready stays green while the issuer's keys are missing; its "
                                   "tokens are refused all the same."),
    size<&JwtIdentity::max_token>("max_token", "8KiB", {64, 64_KiB}, kAnswer,
                                  "Longer tokens are refused unread."),
};
constexpr Decided kJwt = decided<JwtIdentity>({"jwt", "jwt", "Signed JSON Web Tokens (RFC 7519).", ""},
                                              kJwtRows, checked<JwtIdentity, rules::check_identity>);

// ---- rules over claims

// Each led by which kind it is, so that "1" is not 1 and not 1.0.
void print_values(const std::vector<ClaimValue>& values, Print& out) {
  out.add(std::uint64_t{values.size()});
  for (const ClaimValue& value : values) {
    out.add(std::uint64_t{value.index()});
    std::visit(
        [&out](const auto& v) {
          using V = std::decay_t<decltype(v)>;
          if constexpr (std::is_same_v<V, std::string>)
            out.add(std::string_view(v));
          else if constexpr (std::is_same_v<V, double>)
            out.add(std::bit_cast<std::uint64_t>(v));
          else
            out.add(static_cast<std::uint64_t>(v));
        },
        value);
  }
}

template <ClaimRule::Kind K>
consteval Row rules_row(Row row) {
  row.print = [](const void* owner, Print& out) {
    const auto& rule = *static_cast<const ClaimRule*>(owner);
    out.add(rule.kind == K ? std::uint64_t{rule.rules.size()} : 0);
    if (rule.kind == K)
      for (const ClaimRule& each : rule.rules) out.add(kClaimRule, &each, Decides::kAnswer);
  };
  return row;
}

template <ClaimRule::Test T>
consteval Row test_row(std::string_view name, std::string_view about) {
  Row row;
  row.name = name;
  row.kind = T == ClaimRule::Test::kExists ? Kind::kSwitch : Kind::kForm;
  row.form = rules::orders(T) ? "number" : "text, number or switch";
  row.list = T == ClaimRule::Test::kIn;
  row.text = about;
  row.decides = Decides::kAnswer;
  row.owner_tag = &kTag<ClaimRule>;
  row.print = [](const void* owner, Print& out) {
    const auto& rule = *static_cast<const ClaimRule*>(owner);
    if (rule.kind == ClaimRule::Kind::kTest && rule.test == T)
      print_values(rule.values, out);
    else
      out.add(std::uint64_t{0});
  };
  row.read = [](Reader& reader, const Row& self, const YamlNode& node, void* owner) {
    rules::place_test(reader, self, node, T, *static_cast<ClaimRule*>(owner));
  };
  return row;
}
using Test = ClaimRule::Test;

constexpr Row kClaimRuleRows[] = {
    rules_row<ClaimRule::Kind::kAll>(drafts<ClaimRule, ClaimRule, kClaimRule, rules::place_all>(
        "all", "", kAnswer, "All of these rules hold.")),
    rules_row<ClaimRule::Kind::kAny>(drafts<ClaimRule, ClaimRule, kClaimRule, rules::place_any>(
        "any", "", kAnswer, "At least one of these rules holds.")),
    rules_row<ClaimRule::Kind::kNot>(draft<ClaimRule, ClaimRule, kClaimRule, rules::place_not>(
        "not", "", kAnswer, "This rule does not hold; so a `not` also passes where the claim is absent.")),
    rows::text<&ClaimRule::claim, ClaimText>("claim", "", kAnswer,
                                             "The path of a claim: `sub`, `realm_access.roles[*]`, "
                                             "`groups[0]`, `[\"https://x.test/roles\"]`. `[*]` is each "
                                             "element: one that passes is enough."),
    test_row<Test::kEquals>("equals", "The claim is this, of the same type. Quoted values are texts."),
    test_row<Test::kIn>("in", "The claim is one of these."),
    test_row<Test::kContains>(
        "contains",
        "The claim is a list with this element, or a text that is this and nothing more. "
        "`scope` and `scp` written as one text are lists of its words."),
    test_row<Test::kSubstring>("substring",
                               "The claim is a text with this text somewhere within it: `admin` is within "
                               "`not-admin`. Rarely what is meant; `contains` is."),
    test_row<Test::kGt>("gt", "The claim is a number greater than this."),
    test_row<Test::kLt>("lt", "The claim is a number less than this."),
    test_row<Test::kGte>("gte", "The claim is a number and not less than this."),
    test_row<Test::kLte>("lte", "The claim is a number and not greater than this."),
    test_row<Test::kExists>("exists", "Whether the claim is there and not null."),
};
constexpr Decided kClaimRule =
    decided<ClaimRule>({"claim_rule", "",
                        "A rule over the claims of a token: exactly one of `all`, `any`, `not` and `claim`, "
                        "and with `claim` exactly one "
                        "test. A claim that is absent or of another type passes no test but `exists: false`.",
                        ""},
                       kClaimRuleRows, checked<ClaimRule, rules::check_rule>);

}  // namespace config
