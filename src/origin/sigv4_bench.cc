// A signature, and the hashes within it alone: the difference is ours.
#include <benchmark/benchmark.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "origin/sigv4.h"

namespace origin {
namespace {

constexpr base::Wall kTime{base::Seconds(1'900'000'000)};

SignerOptions options(std::string token) {
  return {.access_key_id = "AKIAIOSFODNN7EXAMPLE",
          .secret_access_key = base::Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
          .session_token = base::Secret(std::move(token)),
          .region = "eu-central-1"};
}

SignRequest request(base::Wall now) {
  return {.method = "GET",
          .host = "photos.s3.eu-central-1.amazonaws.com",
          .path = "/2026/11/holiday%20in%20Kyoto/IMG_20261104_101533.jpg",
          .query = "",
          .now = now};
}

void sign(benchmark::State& state, Signer signer, base::Nanos step) {
  base::Wall now = kTime;
  for (auto _ : state) {
    benchmark::DoNotOptimize(signer.sign(request(now)));
    now += step;
  }
}

// Within one second, as under load; and a second apart, where the date is written anew.
void sigv4_sign(benchmark::State& s) {
  sign(s, Signer(options("")), base::Nanos(1));
}
void sigv4_sign_each_second(benchmark::State& s) {
  sign(s, Signer(options("")), base::Seconds(1));
}
void sigv4_sign_session_token(benchmark::State& s) {
  sign(s, Signer(options(std::string(400, 't'))), base::Nanos(1));
}

// One SHA-256 and one keyed HMAC of the same byte counts.
void sigv4_raw_hashes(benchmark::State& state) {
  Signer signer(options(""));
  signer.sign(request(kTime));
  const std::string canonical(signer.canonical_request()), to_sign(signer.string_to_sign());
  EVP_MD* sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  EVP_MAC* hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  EVP_MD_CTX* digest = EVP_MD_CTX_new();
  EVP_MAC_CTX* mac = EVP_MAC_CTX_new(hmac);
  char name[] = "SHA256";
  const OSSL_PARAM params[]{OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                            OSSL_PARAM_construct_end()};
  unsigned char out[32]{};
  std::size_t size;
  EVP_MAC_init(mac, out, sizeof out, params);
  for (auto _ : state) {
    EVP_DigestInit_ex2(digest, sha256, nullptr);
    EVP_DigestUpdate(digest, canonical.data(), canonical.size());
    EVP_DigestFinal_ex(digest, out, nullptr);
    EVP_MAC_init(mac, nullptr, 0, nullptr);
    EVP_MAC_update(mac, reinterpret_cast<const unsigned char*>(to_sign.data()), to_sign.size());
    EVP_MAC_final(mac, out, &size, sizeof out);
    benchmark::DoNotOptimize(out);
  }
  EVP_MAC_CTX_free(mac);
  EVP_MD_CTX_free(digest);
  EVP_MAC_free(hmac);
  EVP_MD_free(sha256);
}

BENCHMARK(sigv4_sign);
BENCHMARK(sigv4_sign_each_second);
BENCHMARK(sigv4_sign_session_token);
BENCHMARK(sigv4_raw_hashes);

}  // namespace
}  // namespace origin
