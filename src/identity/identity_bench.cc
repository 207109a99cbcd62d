// What a token costs beside its signature; signature_bench.cc compares the algorithms with the crypto
// library's.
//
// Yardsticks in the same run: llhttp's time is in http_bench; raw_* here do the hash of the same bytes by EVP
// and nothing else; json_parse_* is what two Boost.JSON parses of the same token would cost.
#include <benchmark/benchmark.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "base/siphash.h"
#include "identity/remembered.h"
#include "identity/testing.h"
#include "identity/verifier.h"
#include "text/json_reader.h"

namespace identity {
namespace {

// 320 bytes of token, as the design's numbers are for; and one with ten claims.
constexpr std::string_view kUsual =
    R"({"iss":"https://id.test","aud":"sekisho","sub":"4f5e6d7c-8b9a-4001-a2b3-c4d5e6f70819","iat":1899999000,)"
    R"("exp":2000000000,"jti":"R1x9Q2mV7bT0aYc3","scope":"read write"})";
constexpr std::string_view kTenClaims =
    R"({"iss":"https://id.test","aud":["account","sekisho"],"sub":"4f5e6d7c-8b9a-4001-a2b3-c4d5e6f70819",)"
    R"("iat":1899999000,"nbf":1899999000,"exp":2000000000,"jti":"R1x9Q2mV7bT0aYc3","scope":"read write admin",)"
    R"("email":"ann@example.com","realm_access":{"roles":["offline_access","uma_authorization","reader"]}})";

std::string_view message_of(const std::string& token) {
  return std::string_view(token).substr(0, token.rfind('.'));
}

void verify(benchmark::State& state, const config::JwtIdentity& rules, const std::string& token) {
  const Verifier verifier(rules);
  for (auto _ : state) {
    auto principal = verifier.verify(token, kNow);
    if (!principal) return state.SkipWithError("refused");
    benchmark::DoNotOptimize(principal);
  }
  state.counters["bytes"] = static_cast<double>(token.size());
}

void raw_hmac(benchmark::State& state, const std::string& token) {
  EVP_MAC* mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  EVP_MAC_CTX* context = EVP_MAC_CTX_new(mac);
  char digest[] = "SHA256";
  const OSSL_PARAM params[]{OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                            OSSL_PARAM_construct_end()};
  EVP_MAC_init(context, reinterpret_cast<const unsigned char*>(kSecret.data()), kSecret.size(), params);
  const std::string_view message = message_of(token);
  unsigned char out[32];
  std::size_t size;
  for (auto _ : state) {
    EVP_MAC_init(context, nullptr, 0, nullptr);
    EVP_MAC_update(context, reinterpret_cast<const unsigned char*>(message.data()), message.size());
    EVP_MAC_final(context, out, &size, sizeof out);
    benchmark::DoNotOptimize(out);
  }
  EVP_MAC_CTX_free(context);
  EVP_MAC_free(mac);
}

void json_parse(benchmark::State& state, std::string_view payload) {
  unsigned char buffer[8192];
  for (auto _ : state) {
    boost::json::monotonic_resource memory(buffer, sizeof buffer);
    benchmark::DoNotOptimize(boost::json::parse({kHsHeader.data(), kHsHeader.size()}, &memory));
    benchmark::DoNotOptimize(boost::json::parse({payload.data(), payload.size()}, &memory));
  }
}

void json_read(benchmark::State& state, std::string_view payload) {
  text::JsonSpace space;
  for (auto _ : state) {
    for (const std::string_view one : {kHsHeader, payload}) {
      text::JsonReader in(one, space);
      std::string_view name;
      while (in.next(name)) in.skip();
      if (!in.complete()) return state.SkipWithError("refused");
    }
  }
}

void hs256_cold(benchmark::State& s) {
  verify(s, hs256_rules(), hs256_token(kHsHeader, kUsual));
}
void hs256_cold_ten_claims(benchmark::State& s) {
  verify(s, hs256_rules(), hs256_token(kHsHeader, kTenClaims));
}
void raw_hmac_sha256(benchmark::State& s) {
  raw_hmac(s, hs256_token(kHsHeader, kUsual));
}
void raw_hmac_sha256_ten_claims(benchmark::State& s) {
  raw_hmac(s, hs256_token(kHsHeader, kTenClaims));
}
void json_parse_boost(benchmark::State& s) {
  json_parse(s, kUsual);
}
void json_parse_ours(benchmark::State& s) {
  json_read(s, kUsual);
}
void json_parse_boost_ten_claims(benchmark::State& s) {
  json_parse(s, kTenClaims);
}
void json_parse_ours_ten_claims(benchmark::State& s) {
  json_read(s, kTenClaims);
}

void remembered_find(benchmark::State& state) {
  Remembered remembered;
  const Verifiers verifiers({std::make_shared<const Verifier>(hs256_rules())});
  const std::string token = hs256_token(kHsHeader, kUsual);
  remembered.insert(token, *verifiers.verify(token, kNow), kNow);
  for (auto _ : state) {
    const Principal* principal = remembered.find(verifiers, token, kNow);
    if (!principal) return state.SkipWithError("not found");
    benchmark::DoNotOptimize(principal);
  }
  state.counters["bytes"] = static_cast<double>(token.size());
}

// Tokens beyond the processor's caches, each asked for in turn.
void remembered_find_among_10000(benchmark::State& state) {
  Remembered remembered;
  const Verifiers verifiers({std::make_shared<const Verifier>(hs256_rules())});
  std::vector<std::string> tokens;
  for (int i = 0; i < 10'000; ++i) {
    tokens.push_back(hs256_token(kHsHeader, std::string(kUsual) + std::to_string(i)));
    auto principal = base::make_ref<Principal>();
    principal->verifier = verifiers[0].id();
    remembered.insert(tokens.back(), principal, kNow);
  }
  std::size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(remembered.find(verifiers, tokens[i], kNow));
    i = i + 1 < tokens.size() ? i + 1 : 0;
  }
}

void siphash_of_token(benchmark::State& state) {
  const std::string token = hs256_token(kHsHeader, kUsual);
  for (auto _ : state) benchmark::DoNotOptimize(base::siphash(token));
}

BENCHMARK(hs256_cold);
BENCHMARK(raw_hmac_sha256);
BENCHMARK(hs256_cold_ten_claims);
BENCHMARK(raw_hmac_sha256_ten_claims);
BENCHMARK(remembered_find);
BENCHMARK(remembered_find_among_10000);
BENCHMARK(siphash_of_token);
BENCHMARK(json_parse_ours);
BENCHMARK(json_parse_boost);
BENCHMARK(json_parse_ours_ten_claims);
BENCHMARK(json_parse_boost_ten_claims);

}  // namespace
}  // namespace identity
