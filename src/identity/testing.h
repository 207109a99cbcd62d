// What the tests, the benchmark and the fuzzer of this room share: rules that accept, and a signer that signs
// anything, well-formed or not.
//
// Thread:   any; no state. Never part of the room's library.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include <string>
#include <string_view>

#include "base/clock.h"
#include "config/model.h"
#include "identity/base64url.h"
#include "identity/mint.h"

namespace identity {

inline const std::string kSecret = "a secret of the tests, 48 bytes long, never real";
inline constexpr base::Wall kNow{base::Seconds(1'900'000'000)};
inline constexpr std::string_view kHsHeader = R"({"alg":"HS256","typ":"JWT"})";
inline constexpr std::string_view kGoodPayload =
    R"({"iss":"https://id.test","aud":"sekisho","sub":"ann","iat":1899999000,"exp":2000000000})";

inline config::JwtIdentity hs256_rules() {
  config::JwtIdentity rules;
  rules.name = "staff";
  rules.line = 42;
  rules.issuer = "https://id.test";
  rules.audience = {"sekisho"};
  rules.algorithms = {config::Algorithm::kHS256};
  rules.keys = {config::Key{"", std::nullopt, base::Secret(kSecret), "inline", 42}};
  rules.from = {config::TokenSource{}};
  return rules;
}

inline config::JwtIdentity es256_rules(const std::string& pem) {
  config::JwtIdentity rules = hs256_rules();
  rules.algorithms = {config::Algorithm::kES256};
  rules.keys[0].material = base::Secret(pem);
  return rules;
}

inline KeyPair generate_es256_keypair() {
  return generate_keypair(config::Algorithm::kES256);
}

inline std::string encoded(std::string_view text) {
  std::string out;
  base64url_encode(text, out);
  return out;
}

inline std::string hmac_sha256(std::string_view secret, std::string_view message) {
  unsigned char mac[32];
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(message.data()), message.size(), mac, nullptr);
  return {reinterpret_cast<const char*>(mac), sizeof mac};
}

// Signs two parts as they are, encoded by the caller or not at all.
inline std::string token_of_parts(std::string_view secret, std::string_view header,
                                  std::string_view payload) {
  const std::string message = std::string(header) + "." + std::string(payload);
  return message + "." + encoded(hmac_sha256(secret, message));
}
inline std::string token_signed_with(std::string_view secret, std::string_view header,
                                     std::string_view payload) {
  return token_of_parts(secret, encoded(header), encoded(payload));
}
inline std::string hs256_token(std::string_view header, std::string_view payload) {
  return token_signed_with(kSecret, header, payload);
}
inline std::string hs256_token_raw(std::string_view header, std::string_view payload) {
  return token_of_parts(kSecret, header, payload);
}

// The good payload with more members.
inline std::string with_member(std::string_view members) {
  return std::string(kGoodPayload.substr(0, kGoodPayload.size() - 1)) + "," + std::string(members) + "}";
}
// The good payload with one registered claim in another form: `"exp":0`.
inline std::string with_claim(std::string_view claim) {
  std::string payload = "{";
  for (const std::string_view one :
       {R"("iss":"https://id.test")", R"("aud":"sekisho")", R"("exp":2000000000)"})
    if (!claim.starts_with(one.substr(0, 5))) payload.append(one).append(",");
  return payload.append(claim).append("}");
}

inline std::string pem_of(EVP_PKEY* key) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PUBKEY(bio, key);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string pem(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  EVP_PKEY_free(key);
  return pem;
}
// A new public key: ("EC", "P-384"), ("RSA", "2048").
inline std::string public_pem(std::string_view type, const std::string& parameter) {
  return pem_of(type == "RSA" ? EVP_RSA_gen(static_cast<unsigned>(std::stoul(parameter)))
                              : EVP_EC_gen(parameter.c_str()));
}
inline std::string public_pem_of(std::string_view der) {
  const auto* p = reinterpret_cast<const unsigned char*>(der.data());
  return pem_of(d2i_PUBKEY(nullptr, &p, static_cast<long>(der.size())));
}

}  // namespace identity
