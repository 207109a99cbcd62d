#include "identity/jwks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "config/address.h"
#include "identity/testing_jwks.h"
#include "identity/verification_key.h"
#include "identity/verifiers.h"

namespace identity {
namespace {

using config::Algorithm;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::array kEs256{Algorithm::kES256};

std::string published(const std::string& name) {
  std::ifstream in(SEKISHO_SOURCE_DIR "/tests/vectors/oidc/" + name);
  EXPECT_TRUE(in) << name;
  std::string text(std::istreambuf_iterator<char>(in), {});
  if (name.ends_with(".jwt")) text.pop_back();
  return text;
}

// ---- what providers publish

struct Provider {
  const char* name;
  const char* issuer;
  const char* keys;
  std::size_t usable, skipped;
  const char* claim;
};

void PrintTo(const Provider& provider, std::ostream* out) {
  *out << provider.name;
}

class Published : public testing::TestWithParam<Provider> {};

TEST_P(Published, IsDiscoveredAndVerifiesItsTokens) {
  const Provider& provider = GetParam();
  const std::string folder = std::string(provider.name) + "/";
  config::JwtIdentity rules = published_rules();
  rules.issuer = provider.issuer;
  rules.algorithms = {Algorithm::kRS256};
  rules.jwks->url.reset();
  const auto source = std::make_shared<KeySource>(rules, base::Mono{});

  auto url = source->begin(base::Mono{});
  ASSERT_TRUE(url);
  std::string issuer = provider.issuer;
  if (issuer.ends_with('/')) issuer.pop_back();
  EXPECT_EQ(config::UrlText::show(*url), issuer + "/.well-known/openid-configuration");
  url = source->fetched(reply_of(published(folder + "openid-configuration.json")), base::Mono{});
  ASSERT_TRUE(url);
  EXPECT_EQ(config::UrlText::show(*url), provider.keys);
  EXPECT_FALSE(source->fetched(reply_of(published(folder + "jwks.json")), base::Mono{}));
  EXPECT_EQ(source->figures(base::Mono{}).keys, provider.usable);
  EXPECT_EQ(source->figures(base::Mono{}).skipped, provider.skipped);

  const Verifiers verifiers({std::make_shared<const Verifier>(rules, source)});
  const std::string token = published(folder + "token.jwt");
  const auto principal = verifiers.verify(token, kNow);
  ASSERT_TRUE(principal) << principal.error().text;
  EXPECT_THAT(std::string((*principal)->payload), HasSubstr(provider.claim));
  EXPECT_TRUE(source->trusts((*principal)->key));
}

INSTANTIATE_TEST_SUITE_P(
    Providers, Published,
    testing::Values(Provider{"keycloak", "https://sso.example.test/realms/main",
                             "https://sso.example.test/realms/main/protocol/openid-connect/certs", 1, 1,
                             R"("realm_access":{"roles":["reader")"},
                    Provider{"auth0", "https://tenant.auth.example.test/",
                             "https://tenant.auth.example.test/.well-known/jwks.json", 2, 0,
                             R"("https://app.example.test/roles":["reader"])"},
                    Provider{"okta", "https://dev.okta.example.test/oauth2/default",
                             "https://dev.okta.example.test/oauth2/default/v1/keys", 2, 0,
                             R"("scp":["openid")"}),
    [](const auto& one) { return std::string(one.param.name); });

// ---- sets

TEST(Jwks, TakesTheKeysThatFitAndSkipsTheRest) {
  const TestSigner good("good"), other("other", Algorithm::kES384);
  const std::string text = R"({"more":1,"keys":[{"kty":"oct","k":"c2VjcmV0"},)" + good.pair.public_jwk + "," +
                           other.pair.public_jwk + R"(,{"kty":"new","kid":"x"}]})";
  const auto set = parse_jwks(text, kEs256);
  ASSERT_TRUE(set);
  ASSERT_EQ(set->keys.size(), 1U);
  EXPECT_EQ(set->keys[0]->kid(), "good");
  EXPECT_EQ(set->skipped, 3U);
}

TEST(Jwks, SaysWhichKeyIsWrongWithoutAByteOfIt) {
  const auto set = parse_jwks(
      R"({"keys":[7,{"kty":"EC","crv":"P-256","kid":"bad","x":"AAECAwQFBgcICQoLDA0ODw","y":"AAEC"}]})",
      kEs256);
  ASSERT_TRUE(set);
  EXPECT_THAT(set->keys, IsEmpty());
  ASSERT_EQ(set->wrong.size(), 2U);
  EXPECT_EQ(set->wrong[0], "key 1 is no JSON object");
  EXPECT_THAT(set->wrong[1], testing::StartsWith("key 2 (kid 'bad') "));
  EXPECT_THAT(set->wrong[1], testing::Not(HasSubstr("AAEC")));
}

TEST(Jwks, TakesAKeyOnceHoweverOftenItIsThere) {
  const TestSigner one("one");
  EXPECT_EQ(parse_jwks(jwks_of({&one, &one}), kEs256)->keys.size(), 1U);
}

TEST(Jwks, TakesKeysOfOneNameSideBySide) {
  const TestSigner first("same"), second("same");
  EXPECT_EQ(parse_jwks(jwks_of({&first, &second}), kEs256)->keys.size(), 2U);
}

TEST(Jwks, LooksAtABoundedNumberOfKeys) {
  const TestSigner last("last");
  std::string text = R"({"keys":[)";
  for (std::size_t i = 0; i < kMaxPublishedKeys; ++i) text += R"({"kty":"oct"},)";
  const auto set = parse_jwks(text + last.pair.public_jwk + "]}", kEs256);
  ASSERT_TRUE(set);
  EXPECT_THAT(set->keys, IsEmpty());
  EXPECT_EQ(set->skipped, kMaxPublishedKeys + 1);
  EXPECT_THAT(set->wrong.back(), HasSubstr("101 keys"));
}

TEST(Jwks, RefusesWhatIsNoSet) {
  const TestSigner one("one");
  const std::string good = jwks_of({&one});
  ASSERT_TRUE(parse_jwks(good, kEs256));
  for (const std::string& text :
       {std::string(), std::string("[]"), std::string("null"), std::string("{}"),
        std::string(R"({"keys":{}})"), good.substr(0, good.size() - 1), good + "x",
        good.substr(0, good.size() - 1) + R"(,"keys":[]})", R"({"keys":[],"k\u0065ys":[]})" + std::string(),
        std::string("{\"a\":\"\xff\",\"keys\":[]}"),
        R"({"keys":)" + std::string(100, '[') + std::string(100, ']') + "}"})
    EXPECT_FALSE(parse_jwks(text, kEs256)) << text;
}

// ---- discovery

const std::string kIssuer = "https://id.test/a";

std::string fault_of(const std::string& document, const std::string& issuer = kIssuer) {
  const auto url = parse_discovery(document, issuer);
  return url ? "taken" : (url.error().issuer_mismatch ? "other issuer: " : "") + url.error().why;
}

TEST(Discovery, SaysWhereTheKeysAre) {
  const auto url = parse_discovery(
      R"({"issuer":"https://id.test/a","jwks_uri":"https://k.test:8443/a%20b/?p=x%2f&q"})", kIssuer);
  ASSERT_TRUE(url) << url.error().why;
  EXPECT_TRUE(url->tls);
  EXPECT_EQ(url->authority(), "k.test:8443");
  EXPECT_EQ(url->path, "/a%20b/?p=x%2f&q");
  EXPECT_EQ(parse_discovery(R"({"issuer":"https://id.test/a","jwks_uri":"https://k.test"})", kIssuer)->path,
            "/");
}

TEST(Discovery, WantsTheVeryIssuer) {
  for (const char* other : {"https://id.test/a/", "https://id.test", "https://ID.test/a", "http://id.test/a"})
    EXPECT_THAT(fault_of(R"({"issuer":")" + std::string(other) + R"(","jwks_uri":"https://k.test/"})"),
                HasSubstr("other issuer: is of the issuer '" + std::string(other) + "', not of"));
}

TEST(Discovery, WantsKeysOverTlsUnlessTheyAreOfThisHostAsTheIssuerIs) {
  EXPECT_THAT(fault_of(R"({"issuer":"https://id.test/a","jwks_uri":"http://id.test/k"})"),
              HasSubstr("must begin with https://"));
  EXPECT_THAT(fault_of(R"({"issuer":"https://id.test/a","jwks_uri":"http://127.0.0.1/k"})"),
              HasSubstr("not https"));
  const std::string here = "http://127.0.0.1:8";
  EXPECT_EQ(fault_of(R"({"issuer":"http://127.0.0.1:8","jwks_uri":"http://127.0.0.1:9/k"})", here), "taken");
  EXPECT_EQ(fault_of(R"({"issuer":"http://127.0.0.1:8","jwks_uri":"https://id.test/k"})", here), "taken");
  EXPECT_THAT(fault_of(R"({"issuer":"http://127.0.0.1:8","jwks_uri":"http://id.test/k"})", here),
              HasSubstr("must begin with https://"))
      << "whoever is in between would choose the keys";
}

TEST(Discovery, RefusesWhatIsNoDocument) {
  for (const char* text :
       {"", "[]", "{}", R"({"issuer":1})", R"({"issuer":"https://id.test/a"})",
        R"({"issuer":"https://id.test/a","jwks_uri":1})", R"({"issuer":"https://id.test/a","jwks_uri":"/k"})",
        R"({"issuer":"https://id.test/a","jwks_uri":"file:///etc/passwd"})",
        R"({"issuer":"https://id.test/a","jwks_uri":"https://u:p@id.test/k"})",
        R"({"issuer":"https://id.test/a","jwks_uri":"https://id.test/k#f"})",
        R"({"issuer":"https://id.test/a","jwks_uri":"https://id.test/k?a b"})",
        R"({"issuer":"https://id.test/a","jwks_uri":"https://id.test/k?\r\nX: 1"})",
        R"({"issuer":"https://id.test/a","issuer":"https://id.test/a","jwks_uri":"https://id.test/k"})"})
    EXPECT_NE(fault_of(text), "taken") << text;
}

TEST(Discovery, IsBesideTheIssuer) {
  const auto show = [](const std::string& issuer) { return config::UrlText::show(*discovery_url(issuer)); };
  EXPECT_EQ(show("https://id.test"), "https://id.test/.well-known/openid-configuration");
  EXPECT_EQ(show("https://id.test/"), "https://id.test/.well-known/openid-configuration");
  EXPECT_EQ(show("http://id.test:81/a/b"), "http://id.test:81/a/b/.well-known/openid-configuration");
  EXPECT_FALSE(discovery_url("accounts.test"));
  EXPECT_FALSE(discovery_url("https://id.test/?x"));
}

}  // namespace
}  // namespace identity
