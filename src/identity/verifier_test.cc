#include "identity/verifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "identity/base64url.h"
#include "identity/challenge.h"
#include "identity/reason.h"
#include "identity/testing.h"

namespace identity {
namespace {

using testing::HasSubstr;

// RFC 7515 A.1: the octets of the key's `k`, and the token.
constexpr std::string_view kA1Key =
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
constexpr std::string_view kA1Token =
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
// RFC 7515 A.3: x and y of the key, and the token.
constexpr std::string_view kA3X = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
constexpr std::string_view kA3Y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
constexpr std::string_view kA3Token =
    "eyJhbGciOiJFUzI1NiJ9."
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
const base::Wall kA1Time{base::Seconds(1'300'819'379)};

std::string decode(std::string_view text) {
  std::string out(base64url_decoded_size(text.size()), '\0');
  EXPECT_TRUE(base64url_decode(text, out.data()));
  return out;
}

std::string_view reason_of(const base::Result<base::Ref<const Principal>>& result) {
  return result ? "accepted" : result.error().text;
}

// Signs whatever header and payload with the rules' secret, and says how the verifier took it.
std::string_view verdict(std::string_view header, std::string_view payload,
                         const config::JwtIdentity& rules = hs256_rules()) {
  return reason_of(Verifier(rules).verify(hs256_token(header, payload), kNow));
}
std::string_view verdict_of_payload(std::string_view payload) {
  return verdict(kHsHeader, payload);
}
std::string_view verdict_of_header(std::string_view header) {
  return verdict(header, kGoodPayload);
}
std::string_view verdict_of_token(std::string_view token, const config::JwtIdentity& rules = hs256_rules()) {
  return reason_of(Verifier(rules).verify(token, kNow));
}

// ---- vectors

TEST(Verifier, AcceptsHmacExampleOfRfc7515) {
  config::JwtIdentity rules = hs256_rules();
  rules.issuer = "joe";
  rules.audience.clear();
  rules.keys[0].material = base::Secret(decode(kA1Key));
  const auto result = Verifier(rules).verify(kA1Token, kA1Time);
  ASSERT_TRUE(result) << reason_of(result);
  EXPECT_EQ((*result)->issuer, "joe");
  EXPECT_EQ((*result)->expires, base::Wall(base::Seconds(1'300'819'380)));
  EXPECT_TRUE((*result)->claims().as_object().at("http://example.com/is_root").as_bool());
}

TEST(Verifier, AcceptsEcdsaExampleOfRfc7515) {
  // SubjectPublicKeyInfo of an uncompressed point on P-256, whose head is the same for every key.
  std::string der = decode("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE");
  der += decode(kA3X) + decode(kA3Y);
  config::JwtIdentity rules = es256_rules(public_pem_of(der));
  rules.issuer = "joe";
  rules.audience.clear();
  const Verifier verifier(rules);
  EXPECT_EQ(reason_of(verifier.verify(kA3Token, kA1Time)), "accepted");
  std::string forged(kA3Token);
  forged[forged.size() - 40] ^= 1;
  EXPECT_EQ(reason_of(verifier.verify(forged, kA1Time)), reason::kBadSignature);
}

TEST(Verifier, ReadsHmacExampleOfRfc7520ButRefusesItsPayload) {
  // §4.4: a good signature over text that is no claims set. The signature is checked first.
  config::JwtIdentity rules = hs256_rules();
  rules.keys[0].kid = "018c0ae5-4d9b-471b-bfd6-eef314bc7037";
  rules.keys[0].material = base::Secret(decode("hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg"));
  constexpr std::string_view kToken =
      "eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9"
      ".SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUg"
      "cm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IG"
      "JlIHN3ZXB0IG9mZiB0by4.s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0";
  EXPECT_EQ(verdict_of_token(kToken, rules), reason::kMalformed);
  std::string forged(kToken);
  forged[200] ^= 1;
  EXPECT_EQ(verdict_of_token(forged, rules), reason::kBadSignature);
}

// ---- form

TEST(Verifier, AcceptsGoodToken) {
  const auto result = Verifier(hs256_rules()).verify(hs256_token(kHsHeader, kGoodPayload), kNow);
  ASSERT_TRUE(result) << reason_of(result);
  EXPECT_EQ((*result)->issuer, "https://id.test");
  EXPECT_EQ((*result)->subject, "ann");
  EXPECT_EQ((*result)->name(), "ann");
  EXPECT_EQ((*result)->payload, kGoodPayload);
}

TEST(Verifier, RefusesOtherThanThreeParts) {
  const std::string good = hs256_token(kHsHeader, kGoodPayload);
  const std::string tail = good.substr(good.rfind('.'));
  for (const std::string& token :
       {std::string(), std::string("."), std::string(".."), std::string("..."), good + ".", "." + good,
        good + tail, good.substr(0, good.rfind('.')), good.substr(0, good.rfind('.') + 1),
        good.substr(good.find('.')), std::string("a")})
    EXPECT_EQ(verdict_of_token(token), reason::kMalformed) << token;
}

TEST(Verifier, RefusesBytesAroundToken) {
  const std::string good = hs256_token(kHsHeader, kGoodPayload);
  for (const char c : {' ', '\t', '\n', '\0', '=', '"', ','}) {
    EXPECT_NE(verdict_of_token(good + c), "accepted") << int(c);
    EXPECT_NE(verdict_of_token(c + good), "accepted") << int(c);
  }
}

TEST(Verifier, RefusesNonCanonicalBase64) {
  const std::string good = hs256_token(kHsHeader, kGoodPayload);
  EXPECT_NE(verdict_of_token(good + "="), "accepted");
  // The last character of a 32-byte signature carries two unused bits.
  for (const char c :
       std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=")) {
    std::string other = good;
    other.back() = c;
    if (other != good) {
      EXPECT_NE(verdict_of_token(other), "accepted") << c;
    }
  }
  EXPECT_EQ(verdict_of_token(hs256_token_raw("eyJhbGciOiJIUzI1NiJ9=", encoded(kGoodPayload))),
            reason::kMalformed);
  EXPECT_EQ(verdict_of_token(hs256_token_raw(encoded(kHsHeader), "e30=")), reason::kMalformed);
  EXPECT_EQ(verdict_of_token(hs256_token_raw(encoded(kHsHeader), "e31")), reason::kMalformed);  // stray bits
  EXPECT_EQ(verdict_of_token(hs256_token_raw(encoded(kHsHeader), "e+/0")), reason::kMalformed);
}

TEST(Verifier, RefusesTokenBeyondItsBound) {
  config::JwtIdentity rules = hs256_rules();
  const std::string token = hs256_token(kHsHeader, kGoodPayload);
  rules.max_token = token.size();
  EXPECT_EQ(verdict_of_token(token, rules), "accepted");
  rules.max_token = token.size() - 1;
  EXPECT_EQ(verdict_of_token(token, rules), reason::kTooLarge);
}

// ---- JSON

TEST(Verifier, RefusesDuplicateMembers) {
  EXPECT_EQ(
      verdict_of_payload(R"({"aud":"sekisho","iss":"https://id.test","exp":2000000000,"sub":"a","sub":"b"})"),
      reason::kMalformed);
  EXPECT_EQ(verdict_of_payload(R"({"aud":"sekisho","iss":"https://id.test","exp":1,"exp":2000000000})"),
            reason::kMalformed);
  EXPECT_EQ(verdict_of_header(R"({"alg":"HS256","alg":"HS256"})"), reason::kMalformed);
  EXPECT_EQ(verdict_of_header(R"({"alg":"none","alg":"HS256"})"), reason::kMalformed);
}

TEST(Verifier, RefusesDuplicateMembersSpeltWithEscapes) {
  EXPECT_EQ(verdict_of_payload(with_member(R"("s\u0075b":"root")")), reason::kMalformed);
  EXPECT_EQ(verdict_of_payload(with_member(R"("a/b":1,"a\/b":2)")), reason::kMalformed);
  EXPECT_EQ(verdict_of_header(R"({"alg":"HS256","\u0061lg":"HS256"})"), reason::kMalformed);
}

TEST(Verifier, RefusesDuplicateMembersAtAnyDepth) {
  EXPECT_EQ(verdict_of_payload(with_member(R"("a":{"b":1,"b":2})")), reason::kMalformed);
  EXPECT_EQ(verdict_of_payload(with_member(R"("a":[0,{"b":{"c":1,"d":2,"c":3}}])")), reason::kMalformed);
  EXPECT_EQ(verdict_of_payload(with_member(R"("a":{"b":1},"c":{"b":1,"a":{"a":{}}})")), "accepted");
}

TEST(Verifier, RefusesDuplicateAmongManyMembers) {
  std::string many;
  for (int i = 0; i < 300; ++i) many += (i ? ",\"member_" : "\"member_") + std::to_string(i) + "\":1";
  EXPECT_EQ(verdict_of_payload(with_member(many)), "accepted");
  EXPECT_EQ(verdict_of_payload(with_member(many + R"(,"member_77":1)")), reason::kMalformed);
}

TEST(Verifier, RefusesBytesAroundObject) {
  const std::string good(kGoodPayload);
  for (const std::string& text : {good + "\v", "\f" + good, "\xef\xbb\xbf" + good, good + "{}", good + " {}",
                                  good + "}", good + '\0', "[" + good + "]", good.substr(0, good.size() - 1)})
    EXPECT_EQ(verdict_of_payload(text), reason::kMalformed) << text;
  EXPECT_EQ(verdict_of_header("\v{\"alg\":\"HS256\"}"), reason::kMalformed);
}

TEST(Verifier, AcceptsWhiteSpaceWithinAndAroundObject) {
  EXPECT_EQ(verdict_of_header("\r\n {\"alg\":\"HS256\"}\t\n"), "accepted");
  EXPECT_EQ(verdict_of_payload(" \r\n\t" + std::string(kGoodPayload) + "\n "), "accepted");
  EXPECT_EQ(verdict_of_header("{ \"typ\" :\t\"JWT\",\r\n \"alg\" : \"HS256\" }"), "accepted");
  EXPECT_EQ(verdict_of_payload(with_member(R"( "a" : [ 1 , { } , [ ] , { "b" : null } ] )")), "accepted");
}

TEST(Verifier, AcceptsTokensOfTheTypesThatAreListed) {
  const auto of = [](std::string_view typ, std::vector<std::string> types = {}) {
    auto rules = hs256_rules();
    rules.token_types = std::move(types);
    return verdict(R"({"alg":"HS256",)" + std::string(typ) + R"("x":1})", kGoodPayload, rules);
  };
  for (const std::string_view typ :
       {"", R"("typ":"JWT",)", R"("typ":"jwt",)", R"("typ":"at+jwt",)", R"("typ":"application/at+JWT",)",
        R"("typ":"Application/JWT",)", R"("typ":"\u004aWT",)"})
    EXPECT_EQ(of(typ), "accepted") << typ;
  for (const std::string_view typ :
       {R"("typ":"",)", R"("typ":"none",)", R"("typ":"logout+jwt",)", R"("typ":"dpop+jwt",)",
        R"("typ":"JOSE",)", R"("typ":"application/",)", R"("typ":"application/application/jwt",)",
        R"("typ":"text/jwt",)", R"("typ":" JWT",)", R"("typ":"secevent+jwt",)"})
    EXPECT_EQ(of(typ), reason::kWrongType) << typ;
  EXPECT_EQ(of(R"("typ":null,)"), reason::kMalformed);
  EXPECT_EQ(of("", {"at+jwt"}), reason::kWrongType);
  EXPECT_EQ(of(R"("typ":"AT+jwt",)", {"application/at+jwt"}), "accepted");
  EXPECT_EQ(of(R"("typ":"logout+jwt",)", {"none", "logout+jwt"}), "accepted");
}

TEST(Verifier, RefusesTokensThatAreForSomethingElse) {
  for (const std::string_view cnf :
       {R"({"jkt":"a"})", "{}", "null", "\"a\"", "[]", "1", R"({"x5t#S256":"a"})"})
    EXPECT_EQ(verdict_of_payload(with_member(R"("cnf":)" + std::string(cnf))), reason::kBoundToKey) << cnf;
  EXPECT_EQ(verdict_of_payload(with_member(R"("\u0063nf":{})")), reason::kBoundToKey);
  EXPECT_EQ(verdict_of_payload(with_member(R"("a":{"cnf":{}})")), "accepted");
  EXPECT_EQ(verdict_of_payload(with_member(R"("events":{})")), reason::kWrongType);
  EXPECT_EQ(verdict_of_payload(with_member(R"("events":["a"])")), "accepted");
}

TEST(Verifier, RefusesWhatIsNoJson) {
  for (const std::string_view member :
       {R"('a':1)",       R"(a:1)",        R"("a":1,)",       R"("a" 1)",        R"("a":)",
        R"("a":01)",      R"("a":+1)",     R"("a":.5)",       R"("a":1.)",       R"("a":1e)",
        R"("a":-)",       R"("a":NaN)",    R"("a":Infinity)", R"("a":0x10)",     R"("a":tru)",
        R"("a":nul)",     R"("a":[1,])",   R"("a":[,1])",     R"("a":[1 2])",    R"("a":{"b"})",
        R"("a":"\x")",    R"("a":"\u12")", R"("a":"\u12g4")", R"("a":"\u-123")", "\"a\":\"\t\"",
        "\"a\":\"\x01\"", R"(/**/"a":1)",  R"("a":1,,"b":2)", R"("a":")",        R"("a":1e999)",
        R"("a":-1e999)"})
    EXPECT_EQ(verdict_of_payload(with_member(member)), reason::kMalformed) << member;
  for (const std::string_view text : {"", "null", "1", "\"a\"", "[]", "{", "}", "{,}", "{\"a\":1,}"})
    if (!text.empty()) EXPECT_EQ(verdict_of_payload(text), reason::kMalformed) << text;
}

TEST(Verifier, RefusesInvalidUtf8) {
  for (const std::string_view bad : {"\xff", "\xc0\xaf", "\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                     "\xe2\x82", "\xf8\x88\x80\x80\x80", "\xc3"})
    EXPECT_EQ(verdict_of_payload(with_member("\"a\":\"" + std::string(bad) + "\"")), reason::kMalformed);
  EXPECT_EQ(verdict_of_payload(with_member("\"a\":\"\xe3\x81\x9b\xf0\x9f\x91\x8d \xc3\xa9\"")), "accepted");
}

TEST(Verifier, RefusesLoneSurrogates) {
  EXPECT_EQ(verdict_of_payload(with_member(R"("a":"\ud83d")")), reason::kMalformed);
  EXPECT_EQ(verdict_of_payload(with_member(R"("a":"\udc4d")")), reason::kMalformed);
  EXPECT_EQ(verdict_of_payload(with_member(R"("a":"\ud83dx")")), reason::kMalformed);
  EXPECT_EQ(verdict_of_payload(with_member(R"("a":"\ud83d\ud83d")")), reason::kMalformed);
  EXPECT_EQ(verdict_of_payload(with_member(R"("a":"\ud83d\udc4d")")), "accepted");
}

TEST(Verifier, DecodesEscapesInClaims) {
  constexpr std::string_view kPayload =
      R"({"aud":"s\u0065kisho","iss":"https:\/\/id.test","exp":2000000000,"sub":"\u00e9\ud83d\udc4d\"\\\n"})";
  const auto result = Verifier(hs256_rules()).verify(hs256_token(kHsHeader, kPayload), kNow);
  ASSERT_TRUE(result) << reason_of(result);
  EXPECT_EQ((*result)->subject, "\xc3\xa9\xf0\x9f\x91\x8d\"\\\n");
  EXPECT_EQ((*result)->payload, kPayload);
}

TEST(Verifier, RefusesJsonNestedTooDeep) {
  const auto nested = [](std::size_t depth) {
    return with_member("\"a\":" + std::string(depth, '[') + std::string(depth, ']'));
  };
  EXPECT_EQ(verdict_of_payload(nested(15)), "accepted");
  EXPECT_EQ(verdict_of_payload(nested(16)), reason::kMalformed);
  EXPECT_EQ(verdict_of_payload(nested(2000)), reason::kMalformed);
}

// ---- header

TEST(Verifier, RefusesNoneInEverySpelling) {
  for (const std::string_view alg : {"none", "None", "NONE", "nOnE", "", "hs256", "HS256 ", " HS256"}) {
    const std::string header = R"({"alg":")" + std::string(alg) + R"("})";
    EXPECT_EQ(verdict_of_header(header), reason::kBadAlgorithm) << alg;
    EXPECT_EQ(verdict_of_token(encoded(header) + "." + encoded(kGoodPayload) + "."), reason::kMalformed);
  }
}

TEST(Verifier, RefusesUnconfiguredAlgorithm) {
  EXPECT_EQ(verdict_of_header(R"({"alg":"ES256"})"), reason::kBadAlgorithm);
  EXPECT_EQ(verdict_of_header(R"({"alg":"HS512"})"), reason::kBadAlgorithm);
  EXPECT_EQ(verdict_of_header(R"({"alg":"RS256"})"), reason::kBadAlgorithm);
}

TEST(Verifier, RefusesPublicKeyUsedAsSecret) {
  const KeyPair pair = generate_es256_keypair();
  const std::string token = token_signed_with(pair.public_pem, kHsHeader, kGoodPayload);
  EXPECT_EQ(verdict_of_token(token, es256_rules(pair.public_pem)), reason::kBadAlgorithm);
  // Also where both are configured: a key serves its own algorithm only.
  config::JwtIdentity both = es256_rules(pair.public_pem);
  both.algorithms.push_back(config::Algorithm::kHS256);
  both.keys.push_back(hs256_rules().keys[0]);
  both.keys[0].algorithm = config::Algorithm::kES256;
  both.keys[1].algorithm = config::Algorithm::kHS256;
  EXPECT_EQ(verdict_of_token(token, both), reason::kBadSignature);
  EXPECT_EQ(verdict_of_token(hs256_token(kHsHeader, kGoodPayload), both), "accepted");
}

TEST(Verifier, RefusesHeadersThatBringAKeyOrChangeTheReading) {
  for (const std::string_view member :
       {R"("jwk":{"kty":"oct"})", R"("jku":"https://evil.test")", R"("x5u":"u")", R"("x5c":["c"])",
        R"("crit":["exp"])", R"("crit":[])", R"("b64":false)", R"("b64":true)", R"("\u006aku":"u")",
        R"("jwk":null)"})
    EXPECT_EQ(verdict_of_header(R"({"alg":"HS256",)" + std::string(member) + "}"), reason::kBadHeader)
        << member;
  EXPECT_EQ(verdict_of_header(R"({"alg":"HS256","x5t":"abc","cty":"x","other":{"a":[1]}})"), "accepted");
}

TEST(Verifier, RefusesHeaderMembersOfWrongType) {
  for (const std::string_view header :
       {R"({"alg":["HS256"]})", R"({"alg":256})", R"({"alg":null})", R"({})", R"({"alg":"HS256","kid":1})",
        R"({"alg":"HS256","kid":null})", R"({"alg":"HS256","typ":1})", R"({"typ":"JWT"})"})
    EXPECT_EQ(verdict_of_header(header), reason::kMalformed) << header;
}

TEST(Verifier, ChoosesKeyByKid) {
  config::JwtIdentity rules = hs256_rules();
  rules.keys[0].kid = "old";
  rules.keys.push_back(rules.keys[0]);
  rules.keys[1].kid = "new";
  rules.keys[1].material = base::Secret(std::string(32, 'n'));
  const std::string fresh(32, 'n');
  EXPECT_EQ(verdict(R"({"alg":"HS256","kid":"old"})", kGoodPayload, rules), "accepted");
  EXPECT_EQ(verdict(R"({"alg":"HS256","kid":"new"})", kGoodPayload, rules), reason::kBadSignature);
  EXPECT_EQ(verdict(R"({"alg":"HS256","kid":"other"})", kGoodPayload, rules), reason::kUnknownKey);
  EXPECT_EQ(verdict(kHsHeader, kGoodPayload, rules), "accepted");
  EXPECT_EQ(verdict_of_token(token_signed_with(fresh, R"({"alg":"HS256","kid":"new"})", kGoodPayload), rules),
            "accepted");
  EXPECT_EQ(verdict_of_token(token_signed_with(fresh, kHsHeader, kGoodPayload), rules), "accepted");
}

TEST(Verifier, TriesFewKeysForTokenWithoutKid) {
  config::JwtIdentity rules = hs256_rules();
  const config::Key good = rules.keys[0];
  rules.keys.clear();
  for (int i = 0; i < 8; ++i) {
    rules.keys.push_back(good);
    rules.keys.back().material = base::Secret(std::string(32, static_cast<char>('a' + i)));
  }
  rules.keys.push_back(good);
  EXPECT_EQ(verdict(kHsHeader, kGoodPayload, rules), reason::kBadSignature);
  std::swap(rules.keys[7], rules.keys[8]);
  EXPECT_EQ(verdict(kHsHeader, kGoodPayload, rules), "accepted");
}

// ---- claims

TEST(Verifier, RefusesRegisteredClaimsOfWrongType) {
  for (const std::string_view claim : {R"("exp":"2000000000")",
                                       R"("exp":null)",
                                       R"("exp":true)",
                                       R"("exp":[2000000000])",
                                       R"("nbf":"1")",
                                       R"("nbf":{})",
                                       R"("iat":"1")",
                                       R"("iat":null)",
                                       R"("sub":1)",
                                       R"("sub":null)",
                                       R"("sub":["a"])",
                                       R"("jti":7)",
                                       R"("jti":{})",
                                       R"("iss":7)",
                                       R"("iss":["https://id.test"])",
                                       R"("aud":7)",
                                       R"("aud":null)",
                                       R"("aud":["sekisho",7])",
                                       R"("aud":[["sekisho"]])",
                                       R"("aud":{"sekisho":1})"})
    EXPECT_EQ(verdict_of_payload(with_claim(claim)), reason::kBadClaim) << claim;
}

TEST(Verifier, ChecksExpiry) {
  EXPECT_EQ(verdict_of_payload(with_claim(R"("exp":1900000001)")), "accepted");
  EXPECT_EQ(verdict_of_payload(with_claim(R"("exp":1900000000)")), "accepted");    // within leeway
  EXPECT_EQ(verdict_of_payload(with_claim(R"("exp":1899999970.5)")), "accepted");  // still
  EXPECT_EQ(verdict_of_payload(with_claim(R"("exp":1899999970)")),
            reason::kExpired);  // leeway over: `on or after`
  for (const std::string_view exp : {"0", "-0", "-1", "1", "0.0", "1e3", "-1e300", "1899999969.9"})
    EXPECT_EQ(verdict_of_payload(with_claim("\"exp\":" + std::string(exp))), reason::kExpired) << exp;
  for (const std::string_view exp : {"2e9", "1e300", "99999999999999999999", "2000000000.75"})
    EXPECT_EQ(verdict_of_payload(with_claim("\"exp\":" + std::string(exp))), "accepted") << exp;
}

TEST(Verifier, RequiresExpiryUnlessToldOtherwise) {
  constexpr std::string_view kPayload = R"({"iss":"https://id.test","aud":"sekisho"})";
  EXPECT_EQ(verdict_of_payload(kPayload), reason::kNoExpiry);
  config::JwtIdentity rules = hs256_rules();
  rules.require_exp = false;
  EXPECT_EQ(verdict(kHsHeader, kPayload, rules), "accepted");
  EXPECT_EQ(verdict(kHsHeader, with_claim(R"("exp":0)"), rules), reason::kExpired);
}

TEST(Verifier, ChecksNotBeforeAndIssuedAt) {
  EXPECT_EQ(verdict_of_payload(with_claim(R"("nbf":1900000030)")), "accepted");
  EXPECT_EQ(verdict_of_payload(with_claim(R"("nbf":1900000031)")), reason::kNotYetValid);
  EXPECT_EQ(verdict_of_payload(with_claim(R"("nbf":1e300)")), reason::kNotYetValid);
  EXPECT_EQ(verdict_of_payload(with_claim(R"("iat":1900000030)")), "accepted");
  EXPECT_EQ(verdict_of_payload(with_claim(R"("iat":1900000031)")), reason::kIssuedInFuture);
}

TEST(Verifier, ChecksIssuer) {
  EXPECT_EQ(verdict_of_payload(with_claim(R"("iss":"https://id.test/")")), reason::kWrongIssuer);
  EXPECT_EQ(verdict_of_payload(with_claim(R"("iss":"")")), reason::kWrongIssuer);
  EXPECT_EQ(verdict_of_payload(R"({"aud":"sekisho","exp":2000000000})"), reason::kWrongIssuer);
}

TEST(Verifier, ChecksAudience) {
  EXPECT_EQ(verdict_of_payload(with_claim(R"("aud":["other","sekisho"])")), "accepted");
  EXPECT_EQ(verdict_of_payload(with_claim(R"("aud":"other")")), reason::kWrongAudience);
  EXPECT_EQ(verdict_of_payload(with_claim(R"("aud":["other"])")), reason::kWrongAudience);
  EXPECT_EQ(verdict_of_payload(with_claim(R"("aud":[])")), reason::kWrongAudience);
  EXPECT_EQ(verdict_of_payload(R"({"iss":"https://id.test","exp":2000000000})"), reason::kWrongAudience);
  config::JwtIdentity rules = hs256_rules();
  rules.audience = {"a", "other"};
  EXPECT_EQ(verdict(kHsHeader, with_claim(R"("aud":"other")"), rules), "accepted");
}

TEST(Verifier, TellsWhoActsForTheSubject) {
  const Verifier verifier(hs256_rules());
  const auto agent = [&](std::string_view members) {
    const auto principal = verifier.verify(hs256_token(kHsHeader, with_member(members)), kNow);
    return principal ? std::string((*principal)->agent) : "refused";
  };
  EXPECT_EQ(agent(R"("scope":"read")"), "");
  EXPECT_EQ(agent(R"("client_id":"batch")"), "batch");
  EXPECT_EQ(agent(R"("client_id":"batch","azp":"app")"), "app");
  EXPECT_EQ(agent(R"("azp":"app","act":{"sub":"assist\u0061nt","act":{"sub":"earlier"}})"), "assistant");
  EXPECT_EQ(agent(R"("azp":"app","act":{"sub":7})"), "app");
  EXPECT_EQ(agent(R"("azp":["app"],"act":"assistant","client_id":1)"), "");
}

TEST(Verifier, RefusesForgedSignature) {
  std::string token = hs256_token(kHsHeader, kGoodPayload);
  token[token.size() - 10] ^= 1;
  EXPECT_EQ(verdict_of_token(token), reason::kBadSignature);
  EXPECT_EQ(verdict_of_token(token.substr(0, token.rfind('.') + 1) + "AAAA"), reason::kBadSignature);
}

TEST(Verifier, RefusesEcdsaSignatureOfZeros) {
  const KeyPair pair = generate_es256_keypair();
  const std::string token =
      encoded(R"({"alg":"ES256"})") + "." + encoded(kGoodPayload) + "." + encoded(std::string(64, '\0'));
  EXPECT_EQ(verdict_of_token(token, es256_rules(pair.public_pem)), reason::kBadSignature);
}

// ---- keys

std::string fault_of(const config::JwtIdentity& rules) {
  try {
    Verifier verifier(rules);
  } catch (const VerifierError& fault) {
    EXPECT_EQ(fault.line, 42);
    EXPECT_THAT(fault.what(), HasSubstr("identity 'staff'"));
    EXPECT_EQ(std::string_view(fault.what()).find('\n'), std::string_view::npos);
    return fault.what();
  }
  return "none";
}

TEST(VerifierKeys, RefusesUnusableKeysWithOneClearLine) {
  const KeyPair pair = generate_es256_keypair();
  EXPECT_THAT(fault_of(es256_rules("")), HasSubstr("is empty"));
  EXPECT_THAT(fault_of(es256_rules("hello")), HasSubstr("is not PEM"));
  EXPECT_THAT(fault_of(es256_rules(std::string(pair.private_pem.reveal()))), HasSubstr("is a private key"));
  EXPECT_THAT(fault_of(es256_rules("-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n")),
              HasSubstr("passphrase"));
  EXPECT_THAT(fault_of(es256_rules("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")), HasSubstr("passphrase"));
  EXPECT_THAT(fault_of(es256_rules("-----BEGIN CERTIFICATE-----\n")), HasSubstr("is a certificate"));
  EXPECT_THAT(fault_of(es256_rules("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")),
              HasSubstr("malformed PEM"));
  EXPECT_THAT(fault_of(es256_rules(pair.public_pem + pair.public_pem)), HasSubstr("more than one"));
  EXPECT_THAT(fault_of(es256_rules(public_pem("RSA", "2048"))), HasSubstr("is a key for RSA"));
  EXPECT_THAT(fault_of(es256_rules(public_pem("EC", "P-384"))), HasSubstr("is on the curve secp384r1"));
  EXPECT_THAT(fault_of(es256_rules(public_pem("EC", "secp256k1"))), HasSubstr("is on the curve secp256k1"));
}

TEST(VerifierKeys, RefusesUnusableSecrets) {
  config::JwtIdentity rules = hs256_rules();
  rules.keys[0].material = base::Secret("short secret");
  EXPECT_THAT(fault_of(rules), HasSubstr("is 12 bytes long; HS256 needs a secret of at least 32"));
  EXPECT_EQ(fault_of(rules).find("short secret"), std::string::npos);
  rules.keys[0].material = base::Secret(generate_es256_keypair().public_pem);
  EXPECT_THAT(fault_of(rules), HasSubstr("needs a shared secret"));
}

TEST(VerifierKeys, RefusesRulesThatCannotBeMet) {
  config::JwtIdentity rules = hs256_rules();
  rules.keys.clear();
  EXPECT_THAT(fault_of(rules), HasSubstr("has no keys"));
  rules = hs256_rules();
  rules.algorithms.clear();
  EXPECT_THAT(fault_of(rules), HasSubstr("lists no algorithms"));
  rules = hs256_rules();
  rules.algorithms.push_back(config::Algorithm::kES256);
  EXPECT_THAT(fault_of(rules), HasSubstr("does not say which"));
  rules.keys[0].algorithm = config::Algorithm::kHS256;
  EXPECT_THAT(fault_of(rules), HasSubstr("lists ES256 but has no key for it"));
  rules = hs256_rules();
  rules.keys[0].algorithm = config::Algorithm::kES256;
  EXPECT_THAT(fault_of(rules), HasSubstr("which the identity does not list"));
  rules = hs256_rules();
  rules.keys[0].kid = "a";
  rules.keys.push_back(rules.keys[0]);
  EXPECT_THAT(fault_of(rules), HasSubstr("of another key"));
}

TEST(VerifierId, StaysWhileKeysAndRulesStay) {
  const config::JwtIdentity rules = hs256_rules();
  const std::uint64_t id = Verifier(rules).id();
  config::JwtIdentity same = rules;
  same.line = 99;
  EXPECT_EQ(Verifier(same).id(), id);

  const auto id_after = [&](auto change) {
    config::JwtIdentity other = rules;
    change(other);
    return Verifier(other).id();
  };
  EXPECT_NE(id_after([](auto& r) { r.issuer += "x"; }), id);
  EXPECT_NE(id_after([](auto& r) { r.audience.push_back("x"); }), id);
  EXPECT_NE(id_after([](auto& r) { r.leeway = base::Seconds(31); }), id);
  EXPECT_NE(id_after([](auto& r) { r.require_exp = false; }), id);
  EXPECT_NE(id_after([](auto& r) { r.max_token = 1000; }), id);
  EXPECT_NE(id_after([](auto& r) { r.keys[0].kid = "k"; }), id);
  EXPECT_NE(id_after([](auto& r) { r.keys[0].material = base::Secret(std::string(32, 'z')); }), id);
}

TEST(Challenge, TellsWhatIsWrongWithoutTheToken) {
  const auto of = [](std::string_view reason) { return challenge({base::Code::kUnauthorized, reason}); };
  EXPECT_EQ(of(reason::kNoCredential), R"(Bearer realm="sekisho")");
  EXPECT_EQ(of(reason::kExpired),
            R"(Bearer error="invalid_token", error_description="the token has expired")");
  EXPECT_THAT(std::string(of(reason::kAmbiguous)), HasSubstr("invalid_request"));
  EXPECT_EQ(of("another"), R"(Bearer error="invalid_token")");
}

}  // namespace
}  // namespace identity
