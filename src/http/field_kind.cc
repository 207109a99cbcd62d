#include "http/field_kind.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "http/chars.h"

namespace http {

namespace {

char folded(char c) {
  const char small = lower(c);
  return (small >= 'a' && small <= 'z') || is(kDigitChar, c) ? small : '-';
}

struct Pattern {
  std::string_view text;  // with a star at its end: whatever begins so
  FieldKind kind;
};

// By their letter (letter_of); the first that fits counts, so none may hide a later one that says otherwise.
constexpr auto kPatterns = std::to_array<Pattern>({
    {"authentication", FieldKind::kCredential},
    {"api-key", FieldKind::kCredential},
    {"app-key", FieldKind::kCredential},
    {"apikey", FieldKind::kCredential},
    {"auth-*", FieldKind::kCredential},
    {"base-url", FieldKind::kRewrite},
    {"cf-access-jwt-assertion", FieldKind::kCredential},
    {"cf-access-client-*", FieldKind::kCredential},
    {"cf-connecting-*", FieldKind::kVouched},
    {"cf-ipcountry", FieldKind::kVouched},
    {"client-cert*", FieldKind::kVouched},
    {"cf-access-*", FieldKind::kVouched},
    {"cookie2", FieldKind::kCredential},
    {"client-ip", FieldKind::kVouched},
    {"csrf*", FieldKind::kCredential},
    {"dpop", FieldKind::kCredential},
    {"front-end-https", FieldKind::kRewrite},
    {"fastly-client*", FieldKind::kVouched},
    {"forwarded-*", FieldKind::kRewrite},
    {"http-*", FieldKind::kRewrite},
    {"idempotency-key", FieldKind::kPlain},
    {"impersonate-*", FieldKind::kVouched},
    {"jwt", FieldKind::kCredential},
    {"l5d-*", FieldKind::kVouched},
    {"method-override", FieldKind::kRewrite},
    {"ocp-apim-*", FieldKind::kCredential},
    {"oidc-*", FieldKind::kVouched},
    {"proxy-host", FieldKind::kRewrite},
    {"path-info", FieldKind::kRewrite},
    {"proxy", FieldKind::kRewrite},
    {"request-uri", FieldKind::kRewrite},
    {"remote-*", FieldKind::kVouched},
    {"script-name", FieldKind::kRewrite},
    {"shib-*", FieldKind::kVouched},
    {"sm-*", FieldKind::kVouched},
    {"sec-*", FieldKind::kPlain},  // a browser's own, which no page can set
    {"ssl-client-*", FieldKind::kVouched},
    {"session*", FieldKind::kCredential},
    {"true-client-*", FieldKind::kVouched},
    {"tailscale-*", FieldKind::kVouched},
    {"token*", FieldKind::kCredential},
    {"xsrf*", FieldKind::kCredential},
    {"x-apigateway-api-userinfo", FieldKind::kVouched},
    {"x-amz-security-token", FieldKind::kCredential},
    {"x-anonymous-consumer", FieldKind::kVouched},
    {"x-authenticated-*", FieldKind::kVouched},
    {"x-azure-clientip", FieldKind::kVouched},
    {"x-azure-socketip", FieldKind::kVouched},
    {"x-auth-request-*", FieldKind::kVouched},
    {"x-amzn-oidc-*", FieldKind::kVouched},
    {"x-appengine-*", FieldKind::kVouched},
    {"x-authentik-*", FieldKind::kVouched},
    {"x-amzn-mtls-*", FieldKind::kVouched},
    {"x-auth-user*", FieldKind::kVouched},
    {"x-auth-name*", FieldKind::kVouched},
    {"x-auth-email*", FieldKind::kVouched},
    {"x-auth-group*", FieldKind::kVouched},
    {"x-auth-role*", FieldKind::kVouched},
    {"x-authorized-*", FieldKind::kVouched},
    {"x-access-*", FieldKind::kCredential},
    {"x-account*", FieldKind::kCredential},
    {"x-api-key", FieldKind::kCredential},
    {"x-app-key", FieldKind::kCredential},
    {"x-accel-*", FieldKind::kRewrite},
    {"x-apikey", FieldKind::kCredential},
    {"x-arr-*", FieldKind::kVouched},
    {"x-auth*", FieldKind::kCredential},
    {"x-backend-*", FieldKind::kRewrite},
    {"x-base-url", FieldKind::kRewrite},
    {"x-custom-ip-authorization", FieldKind::kVouched},
    {"x-cluster-client-ip", FieldKind::kVouched},
    {"x-client-verify", FieldKind::kVouched},
    {"x-client-cert*", FieldKind::kVouched},
    {"x-client-host", FieldKind::kVouched},
    {"x-credential-*", FieldKind::kVouched},
    {"x-client-cn*", FieldKind::kVouched},
    {"x-current-user*", FieldKind::kVouched},
    {"x-client-dn", FieldKind::kVouched},
    {"x-client-ip", FieldKind::kVouched},
    {"x-consumer-*", FieldKind::kVouched},
    {"x-claim*", FieldKind::kVouched},
    {"x-csrf*", FieldKind::kCredential},
    {"x-endpoint-api-userinfo", FieldKind::kVouched},
    {"x-envoy-*", FieldKind::kRewrite},
    {"x-email", FieldKind::kVouched},
    {"x-forwarded-access-token", FieldKind::kVouched},
    {"x-forwarded-preferred-*", FieldKind::kVouched},
    {"x-forwarded-client-*", FieldKind::kVouched},
    {"x-forwarded-groups*", FieldKind::kVouched},
    {"x-forwarded-email*", FieldKind::kVouched},
    {"x-forwarded-roles*", FieldKind::kVouched},
    {"x-forwarded-tls-*", FieldKind::kVouched},
    {"x-forwarded-user*", FieldKind::kVouched},
    {"x-forwarded*", FieldKind::kRewrite},
    {"x-goog-authenticated-user-*", FieldKind::kVouched},
    {"x-goog-iap-jwt-assertion", FieldKind::kCredential},
    {"x-grafana-org-*", FieldKind::kCredential},
    {"x-groups", FieldKind::kVouched},
    {"x-hasura-*", FieldKind::kCredential},
    {"x-http-*", FieldKind::kRewrite},
    {"x-https", FieldKind::kRewrite},
    {"x-host*", FieldKind::kRewrite},
    {"x-invoke-*", FieldKind::kRewrite},
    {"x-ip", FieldKind::kVouched},
    {"x-jwt-assertion", FieldKind::kCredential},
    {"x-jwt-payload", FieldKind::kVouched},
    {"x-jwt-claim*", FieldKind::kVouched},
    {"x-ms-client-principal*", FieldKind::kVouched},
    {"x-matched-path", FieldKind::kRewrite},
    {"x-middleware-*", FieldKind::kRewrite},
    {"x-ms-token-*", FieldKind::kVouched},
    {"x-method*", FieldKind::kRewrite},
    {"x-now-route-matches", FieldKind::kRewrite},
    {"x-oidc-*", FieldKind::kVouched},
    {"x-originating-*", FieldKind::kVouched},
    {"x-original-*", FieldKind::kRewrite},
    {"x-override-*", FieldKind::kRewrite},
    {"x-proxyuser-*", FieldKind::kVouched},
    {"x-path-info", FieldKind::kRewrite},
    {"x-pomerium-*", FieldKind::kVouched},
    {"x-password", FieldKind::kCredential},
    {"x-prefix", FieldKind::kRewrite},
    {"x-proxy-*", FieldKind::kRewrite},
    {"x-request-uri", FieldKind::kRewrite},
    {"x-rewrite-*", FieldKind::kRewrite},
    {"x-remote-*", FieldKind::kVouched},
    {"x-real-*", FieldKind::kVouched},
    {"x-roles", FieldKind::kVouched},
    {"x-role", FieldKind::kVouched},
    {"x-scope-orgid", FieldKind::kCredential},
    {"x-subscription-key", FieldKind::kCredential},
    {"x-script-name", FieldKind::kRewrite},
    {"x-saml-*", FieldKind::kVouched},
    {"x-shib-*", FieldKind::kVouched},
    {"x-ssl-cert*", FieldKind::kVouched},
    {"x-ssl-client-*", FieldKind::kVouched},
    {"x-sendfile*", FieldKind::kRewrite},
    {"x-session*", FieldKind::kCredential},
    {"x-scheme", FieldKind::kRewrite},
    {"x-spiffe*", FieldKind::kVouched},
    {"x-sid", FieldKind::kCredential},
    {"x-ssl", FieldKind::kRewrite},
    {"x-tls-client-*", FieldKind::kVouched},
    {"x-tenant*", FieldKind::kCredential},
    {"x-token*", FieldKind::kCredential},
    {"x-url-scheme", FieldKind::kRewrite},
    {"x-user-agent", FieldKind::kPlain},
    {"x-user-token", FieldKind::kCredential},
    {"x-userinfo", FieldKind::kVouched},
    {"x-username*", FieldKind::kVouched},
    {"x-userid*", FieldKind::kVouched},
    {"x-user-*", FieldKind::kVouched},
    {"x-user", FieldKind::kVouched},
    {"x-verified-*", FieldKind::kVouched},
    {"x-vault-namespace", FieldKind::kCredential},
    {"x-vouch-*", FieldKind::kVouched},
    {"x-webauth-*", FieldKind::kVouched},
    {"x-xsrf*", FieldKind::kCredential},
});

// Of names that no pattern knows.
constexpr std::array<std::string_view, 10> kCredentialEnds = {
    "token",      "-key",     "apikey",         "secret", "-jwt",
    "-signature", "-session", "-authorization", "-nonce", "-cookie"};

// Likewise: what says who somebody is, in whatever vendor's name. A route may name them, since an application
// may mean somebody else than its caller by them.
constexpr std::array<std::string_view, 6> kPersonEnds = {"-user",  "-username", "-email",
                                                         "-group", "-groups",   "-roles"};

constexpr std::size_t kLetters = 26;

// The letter by which a name is found: its first, and of all that begin with "x-" the one behind that.
constexpr std::size_t letter_of(std::string_view name) {
  const bool x = name.size() > 2 && lower(name[0]) == 'x' && name[1] == '-';
  const std::size_t letter =
      static_cast<std::size_t>(static_cast<unsigned char>(lower(name[x ? 2 : 0]))) - 'a';
  if (letter >= kLetters) return 2 * kLetters;  // none
  return letter + (x ? kLetters : 0);
}

constexpr bool begins(std::string_view name, std::string_view with) {
  if (name.size() < with.size()) return false;
  for (std::size_t i = 0; i < with.size(); ++i)
    if (lower(name[i]) != with[i]) return false;
  return true;
}

constexpr bool fits(std::string_view name, std::string_view text) {
  if (!text.ends_with('*')) return name.size() == text.size() && begins(name, text);
  return begins(name, text.substr(0, text.size() - 1));
}

constexpr bool ends(std::string_view name, std::string_view with) {
  return name.size() >= with.size() && begins(name.substr(name.size() - with.size()), with);
}

consteval bool none_is_hidden() {
  for (std::size_t i = 0; i < kPatterns.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (kPatterns[j].kind != kPatterns[i].kind && fits(kPatterns[i].text, kPatterns[j].text)) return false;
  return true;
}
static_assert(none_is_hidden());

struct Starts {
  std::array<std::uint8_t, 2 * kLetters + 1> at{};
};
consteval Starts make_starts() {
  static_assert(kPatterns.size() < 256);
  Starts starts;
  std::size_t letter = 0;
  for (std::size_t i = 0; i < kPatterns.size(); ++i) {
    if (letter_of(kPatterns[i].text) + 1 < letter) throw "the table is out of order";
    while (letter <= letter_of(kPatterns[i].text)) starts.at[letter++] = static_cast<std::uint8_t>(i);
  }
  while (letter < starts.at.size()) starts.at[letter++] = static_cast<std::uint8_t>(kPatterns.size());
  return starts;
}
constexpr Starts kStarts = make_starts();

}  // namespace

bool same_variable(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return folded(x) == folded(y); });
}

FieldKind kind_of(std::string_view name) {
  if (name.empty()) return FieldKind::kPlain;
  if (std::ranges::any_of(name, [](char c) { return folded(c) != lower(c); })) return FieldKind::kRewrite;
  if (const std::size_t letter = letter_of(name); letter < 2 * kLetters)
    for (std::size_t i = kStarts.at[letter]; i < kStarts.at[letter + 1]; ++i)
      if (fits(name, kPatterns[i].text)) return kPatterns[i].kind;
  const auto is_end = [name](std::string_view end) { return ends(name, end); };
  if (std::ranges::any_of(kCredentialEnds, is_end)) return FieldKind::kCredential;
  if (std::ranges::any_of(kPersonEnds, is_end)) return FieldKind::kRewrite;
  return FieldKind::kPlain;
}

}  // namespace http
