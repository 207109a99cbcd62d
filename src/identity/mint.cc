#include "identity/mint.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "base/siphash.h"
#include "identity/base64url.h"
#include "identity/verification_key.h"

namespace identity {

namespace {

namespace json = boost::json;

const unsigned char* bytes(std::string_view s) {
  return reinterpret_cast<const unsigned char*>(s.data());
}

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using PrivateKey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

std::string random_text(std::size_t size) {
  std::string raw(size, '\0'), text;
  base::random_bytes(raw.data(), raw.size());
  base64url_encode(raw, text);
  OPENSSL_cleanse(raw.data(), raw.size());
  return text;
}

json::value value_of(const std::string& text) {
  json::error_code error;
  json::value value = json::parse(text, error);
  return error ? json::value(text) : value;
}

std::string header_json(const AlgorithmRow& algorithm, const std::string& kid) {
  json::object header{{"alg", algorithm.name}, {"typ", "JWT"}};
  if (!kid.empty()) header["kid"] = kid;
  return json::serialize(header);
}

std::string claims_json(const MintRequest& request) {
  json::object claims;
  if (!request.issuer.empty()) claims["iss"] = request.issuer;
  if (!request.subject.empty()) claims["sub"] = request.subject;
  if (request.audience.size() == 1) claims["aud"] = request.audience.front();
  if (request.audience.size() > 1)
    claims["aud"] = json::array(request.audience.begin(), request.audience.end());
  const std::int64_t now = base::unix_seconds(request.now);
  claims["iat"] = now;
  if (request.ttl) claims["exp"] = now + request.ttl->count();
  claims["jti"] = random_text(16);
  for (const auto& [name, text] : request.claims) claims[name] = value_of(text);
  return json::serialize(claims);
}

std::string sign_hmac(const AlgorithmRow& algorithm, std::string_view secret, std::string_view message) {
  if (secret.size() < algorithm.min_secret)
    throw MintError("the secret is " + std::to_string(secret.size()) + " bytes long; " +
                    std::string(algorithm.name) + " needs at least " + std::to_string(algorithm.min_secret));
  if (!pem_label(secret).empty())
    throw MintError("the secret is PEM; " + std::string(algorithm.name) + " needs a shared secret");
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac;
  unsigned size = 0;
  if (!HMAC(EVP_get_digestbyname(algorithm.digest), secret.data(), static_cast<int>(secret.size()),
            bytes(message), message.size(), mac.data(), &size))
    throw MintError("the crypto library has no HMAC");
  return {reinterpret_cast<const char*>(mac.data()), size};
}

PrivateKey read_private(const AlgorithmRow& algorithm, std::string_view pem) {
  const std::string_view label = pem_label(pem);
  if (label.empty())
    throw MintError("the key is not PEM: it does not begin with -----BEGIN PRIVATE KEY-----");
  if (label == "PUBLIC KEY") throw MintError("the key is a public key; signing needs the private one");
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
  const auto no_passphrase = [](char*, int, int, void*) { return -1; };
  PrivateKey key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr), &EVP_PKEY_free);
  ERR_clear_error();
  if (!key) throw MintError("the key is malformed PEM, or has a passphrase");
  std::array<char, 64> curve{};
  EVP_PKEY_get_group_name(key.get(), curve.data(), curve.size(), nullptr);
  if (std::string_view(curve.data()) != algorithm.curve)
    throw MintError("the key is not on " + std::string(algorithm.curve) + ", which " +
                    std::string(algorithm.name) + " needs");
  return key;
}

std::string sign_ecdsa(const AlgorithmRow& algorithm, std::string_view pem, std::string_view message) {
  const PrivateKey key = read_private(algorithm, pem);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  std::array<unsigned char, 256> der;
  std::size_t size = der.size();
  if (EVP_DigestSignInit_ex(context.get(), nullptr, algorithm.digest, nullptr, nullptr, key.get(), nullptr) !=
          1 ||
      EVP_DigestSign(context.get(), der.data(), &size, bytes(message), message.size()) != 1)
    throw MintError("the crypto library refuses to sign with this key");

  const unsigned char* p = der.data();
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> parts(
      d2i_ECDSA_SIG(nullptr, &p, static_cast<long>(size)), &ECDSA_SIG_free);
  const int half = static_cast<int>(algorithm.signature_size / 2);
  std::string raw(algorithm.signature_size, '\0');
  auto* out = reinterpret_cast<unsigned char*>(raw.data());
  if (!parts || BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), out, half) != half ||
      BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), out + half, half) != half)
    throw MintError("the crypto library made no signature");
  return raw;
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

}  // namespace

std::string mint(config::Algorithm algorithm, const base::Secret& key, const MintRequest& request) {
  const AlgorithmRow& row = row_of(algorithm);
  std::string token;
  base64url_encode(header_json(row, request.kid), token);
  token += '.';
  base64url_encode(claims_json(request), token);
  std::string signature;
  switch (row.family) {
    case Family::kHmac:
      signature = sign_hmac(row, key.reveal(), token);
      break;
    case Family::kEcdsa:
      signature = sign_ecdsa(row, key.reveal(), token);
      break;
    default:
      throw MintError("cannot sign by " + std::string(row.name));
  }
  token += '.';
  base64url_encode(signature, token);
  return token;
}

std::pair<std::string, std::string> parse_claim(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == text.npos || equals == 0)
    throw MintError("the claim '" + std::string(text) + "' is not name=value");
  return {std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

base::Secret generate_secret() {
  return base::Secret(random_text(32));
}

KeyPair generate_es256_keypair() {
  const PrivateKey key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const Bio private_text(BIO_new(BIO_s_secmem()), &BIO_free);
  const Bio public_text(BIO_new(BIO_s_mem()), &BIO_free);
  if (!key ||
      PEM_write_bio_PKCS8PrivateKey(private_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) !=
          1 ||
      PEM_write_bio_PUBKEY(public_text.get(), key.get()) != 1)
    throw MintError("the crypto library makes no P-256 key");
  return {base::Secret(text_of(private_text.get())), text_of(public_text.get())};
}

}  // namespace identity
