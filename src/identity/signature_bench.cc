// What a token of each algorithm costs, side by side with the crypto library's own verification of the same
// bytes.
//
// A signature takes 20 to 50 µs and what is ours a few tenths of one: the difference of two benchmarks that
// ran one after the other is noise. Here the two take turns, each pair is timed and subtracted, and
// `over_raw_ns` is the median of the differences. A disturbance spoils a pair, not the result.
#include <benchmark/benchmark.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <vector>

#include "identity/algorithm.h"
#include "identity/key_material.h"
#include "identity/remembered.h"
#include "identity/testing.h"
#include "identity/verifier.h"
#include "identity/verifiers.h"

namespace identity {
namespace {

using config::Algorithm;
using detail::Handle;
using Clock = std::chrono::steady_clock;

const unsigned char* bytes(std::string_view s) {
  return reinterpret_cast<const unsigned char*>(s.data());
}

// A token of the usual size, rules that accept it, and its parts.
struct Case {
  config::JwtIdentity rules = hs256_rules();
  std::string token, message, signature;

  explicit Case(Algorithm algorithm) {
    base::Secret key = generate_secret(algorithm);
    rules.algorithms = {algorithm};
    rules.keys[0].material = key;
    if (row_of(algorithm).family != Family::kHmac) {
      KeyPair pair = generate_keypair(algorithm);
      rules.keys[0].material = base::Secret(pair.public_pem);
      key = std::move(pair.private_pem);
    }
    MintRequest request;
    request.issuer = rules.issuer;
    request.audience = rules.audience;
    request.subject = "4f5e6d7c-8b9a-4001-a2b3-c4d5e6f70819";
    request.now = kNow;
    request.ttl = base::Seconds(3600);
    request.claims = {{"scope", "read write"}};
    token = mint(algorithm, key, request);
    const std::size_t dot = token.rfind('.');
    message = token.substr(0, dot);
    signature.resize(base64url_decoded_size(token.size() - dot - 1));
    base64url_decode(std::string_view(token).substr(dot + 1), signature.data());
  }
  std::string_view key() const { return rules.keys[0].material.reveal(); }
};

// ---- OpenSSL, with everything that can be prepared prepared

struct RawHmac {
  explicit RawHmac(const Case& c) : message(c.message), signature(c.signature) {
    EVP_MAC* mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    context.reset(EVP_MAC_CTX_new(mac));
    EVP_MAC_free(mac);
    char digest[] = "SHA256";
    const OSSL_PARAM params[]{OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                              OSSL_PARAM_construct_end()};
    EVP_MAC_init(context.get(), bytes(c.key()), c.key().size(), params);
  }
  bool verify() {
    unsigned char out[32];
    std::size_t size = 0;
    return EVP_MAC_init(context.get(), nullptr, 0, nullptr) == 1 &&
           EVP_MAC_update(context.get(), bytes(message), message.size()) == 1 &&
           EVP_MAC_final(context.get(), out, &size, sizeof out) == 1 &&
           CRYPTO_memcmp(out, signature.data(), size) == 0;
  }
  std::string message, signature;
  Handle<EVP_MAC_CTX> context;
};

// RSA and ECDSA over SHA-256, EdDSA over the message.
struct RawKey {
  explicit RawKey(const Case& c)
      : message(c.message), signature(c.signature), sha256(EVP_MD_fetch(nullptr, "SHA256", nullptr)) {
    key = std::move(read_pem(c.key())->public_key);
    digest.reset(EVP_MD_CTX_new());
    eddsa = row_of(c.rules.algorithms[0]).family == Family::kEddsa;
    if (eddsa) {
      EVP_DigestVerifyInit_ex(digest.get(), nullptr, nullptr, nullptr, nullptr, key.get(), nullptr);
      return;
    }
    context.reset(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
    EVP_PKEY_verify_init(context.get());
    if (type_of(key.get()) == "RSA") {
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING);
      EVP_PKEY_CTX_set_signature_md(context.get(), sha256);
    } else {
      signature = der_of(signature);
    }
  }
  RawKey(const RawKey&) = delete;
  RawKey& operator=(const RawKey&) = delete;
  ~RawKey() { EVP_MD_free(sha256); }

  static std::string der_of(std::string_view raw) {
    const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> parts(ECDSA_SIG_new(), &ECDSA_SIG_free);
    ECDSA_SIG_set0(parts.get(), BN_bin2bn(bytes(raw), 32, nullptr), BN_bin2bn(bytes(raw) + 32, 32, nullptr));
    unsigned char out[80];
    unsigned char* end = out;
    i2d_ECDSA_SIG(parts.get(), &end);
    return {reinterpret_cast<const char*>(out), static_cast<std::size_t>(end - out)};
  }

  bool verify() {
    if (eddsa)
      return EVP_DigestVerify(digest.get(), bytes(signature), signature.size(), bytes(message),
                              message.size()) == 1;
    unsigned char hash[32];
    unsigned size = 0;
    return EVP_DigestInit_ex2(digest.get(), sha256, nullptr) == 1 &&
           EVP_DigestUpdate(digest.get(), message.data(), message.size()) == 1 &&
           EVP_DigestFinal_ex(digest.get(), hash, &size) == 1 &&
           EVP_PKEY_verify(context.get(), bytes(signature), signature.size(), hash, size) == 1;
  }

  std::string message, signature;
  EVP_MD* sha256;
  bool eddsa = false;
  Handle<EVP_PKEY> key;
  Handle<EVP_MD_CTX> digest;
  Handle<EVP_PKEY_CTX> context;
};

double nanoseconds(Clock::duration d) {
  return std::chrono::duration<double, std::nano>(d).count();
}

double median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

template <class Raw>
void cold(benchmark::State& state, Algorithm algorithm) {
  const Case c(algorithm);
  const Verifier verifier(c.rules);
  Raw raw(c);
  std::vector<double> ours, raws, differences;
  for (std::vector<double>* times : {&ours, &raws, &differences})
    times->reserve(static_cast<std::size_t>(state.max_iterations));
  bool good = true;
  const auto time_ours = [&] {
    const auto begin = Clock::now();
    good &= verifier.verify(c.token, kNow).has_value();
    return nanoseconds(Clock::now() - begin);
  };
  const auto time_raw = [&] {
    const auto begin = Clock::now();
    good &= raw.verify();
    return nanoseconds(Clock::now() - begin);
  };
  bool ours_first = false;
  for (auto _ : state) {
    ours_first =
        !ours_first;  // what the one leaves in the processor's caches shall not always serve the other
    const double first = ours_first ? time_ours() : time_raw();
    const double second = ours_first ? time_raw() : time_ours();
    ours.push_back(ours_first ? first : second);
    raws.push_back(ours_first ? second : first);
    differences.push_back(ours.back() - raws.back());
  }
  if (!good) return state.SkipWithError("refused");
  state.counters["ours_ns"] = median(ours);
  state.counters["raw_ns"] = median(raws);
  state.counters["over_raw_ns"] = median(differences);
  state.counters["bytes"] = static_cast<double>(c.token.size());
}

void remembered(benchmark::State& state, Algorithm algorithm) {
  const Case c(algorithm);
  Remembered tokens;
  const Verifiers verifiers({std::make_shared<const Verifier>(c.rules)});
  tokens.insert(c.token, *verifiers.verify(c.token, kNow), kNow);
  for (auto _ : state) {
    const Principal* principal = tokens.find(verifiers, c.token, kNow);
    if (!principal) return state.SkipWithError("not found");
    benchmark::DoNotOptimize(principal);
  }
  state.counters["bytes"] = static_cast<double>(c.token.size());
}

void cold_hmac(benchmark::State& state, Algorithm algorithm) {
  cold<RawHmac>(state, algorithm);
}
void cold_key(benchmark::State& state, Algorithm algorithm) {
  cold<RawKey>(state, algorithm);
}

BENCHMARK_CAPTURE(cold_hmac, HS256, Algorithm::kHS256)->Name("cold/HS256");
BENCHMARK_CAPTURE(cold_key, RS256, Algorithm::kRS256)->Name("cold/RS256");
BENCHMARK_CAPTURE(cold_key, ES256, Algorithm::kES256)->Name("cold/ES256");
BENCHMARK_CAPTURE(cold_key, EdDSA, Algorithm::kEdDSA)->Name("cold/EdDSA");
BENCHMARK_CAPTURE(remembered, HS256, Algorithm::kHS256)->Name("remembered/HS256");
BENCHMARK_CAPTURE(remembered, RS256, Algorithm::kRS256)->Name("remembered/RS256");
BENCHMARK_CAPTURE(remembered, ES256, Algorithm::kES256)->Name("remembered/ES256");
BENCHMARK_CAPTURE(remembered, EdDSA, Algorithm::kEdDSA)->Name("remembered/EdDSA");

}  // namespace
}  // namespace identity
