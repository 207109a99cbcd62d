#include "identity/mint.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "base/siphash.h"
#include "identity/algorithm.h"
#include "identity/base64url.h"
#include "identity/key_material.h"

namespace identity {

namespace {

namespace json = boost::json;

constexpr unsigned kRsaBits = 2048;

const unsigned char* bytes(std::string_view s) {
  return reinterpret_cast<const unsigned char*>(s.data());
}

using detail::Handle;
using Context = Handle<EVP_MD_CTX>;

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
  if (!pem_label(secret).empty())
    throw MintError("the secret is PEM; " + std::string(algorithm.name) + " needs a shared secret");
  if (secret.size() < algorithm.min_secret)
    throw MintError("the secret is " + std::to_string(secret.size()) + " bytes long; " +
                    std::string(algorithm.name) + " needs at least " + std::to_string(algorithm.min_secret));
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac;
  unsigned size = 0;
  if (!HMAC(EVP_get_digestbyname(algorithm.digest), secret.data(), static_cast<int>(secret.size()),
            bytes(message), message.size(), mac.data(), &size))
    throw MintError("the crypto library has no HMAC");
  return {reinterpret_cast<const char*>(mac.data()), size};
}

// Instead of asking the terminal for a passphrase.
int no_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

Handle<EVP_PKEY> read_private(const AlgorithmRow& algorithm, std::string_view pem) {
  const std::string_view label = pem_label(pem);
  if (label.empty())
    throw MintError("the key is not PEM: it does not begin with -----BEGIN PRIVATE KEY-----");
  if (label == "PUBLIC KEY") throw MintError("the key is a public key; signing needs the private one");
  bool asked = false;
  const Handle<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Handle<EVP_PKEY> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, &asked));
  ERR_clear_error();
  if (asked) throw MintError("the key has a passphrase, which nobody can be asked for; take it off");
  if (!key) throw MintError("the key is malformed PEM");
  if (!algorithm.takes(type_of(key.get()), curve_of(key.get())))
    throw MintError("the key does not fit: " + algorithm.need());
  if (const std::string why = unsound(key.get()); !why.empty()) throw MintError("the key " + why);
  return key;
}

// DER as OpenSSL makes it → r||s.
std::string raw_ecdsa(const AlgorithmRow& algorithm, std::string_view der) {
  const unsigned char* p = bytes(der);
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> parts(
      d2i_ECDSA_SIG(nullptr, &p, static_cast<long>(der.size())), &ECDSA_SIG_free);
  const int half = static_cast<int>(algorithm.signature_size / 2);
  std::string raw(algorithm.signature_size, '\0');
  auto* out = reinterpret_cast<unsigned char*>(raw.data());
  if (!parts || BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), out, half) != half ||
      BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), out + half, half) != half)
    throw MintError("the crypto library made no signature");
  return raw;
}

std::string sign_with_key(const AlgorithmRow& algorithm, std::string_view pem, std::string_view message) {
  const Handle<EVP_PKEY> key = read_private(algorithm, pem);
  const Context context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* padding = nullptr;
  bool good = EVP_DigestSignInit_ex(context.get(), &padding, algorithm.digest, nullptr, nullptr, key.get(),
                                    nullptr) == 1;
  if (algorithm.family == Family::kRsaPss)
    good = good && EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, RSA_PSS_SALTLEN_DIGEST) == 1;
  std::size_t size = 0;
  good = good && EVP_DigestSign(context.get(), nullptr, &size, bytes(message), message.size()) == 1;
  std::string signature(size, '\0');
  if (!good || EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                              bytes(message), message.size()) != 1)
    throw MintError("the crypto library refuses to sign with this key");
  signature.resize(size);
  return algorithm.family == Family::kEcdsa ? raw_ecdsa(algorithm, signature) : signature;
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
  const std::string signature = row.family == Family::kHmac ? sign_hmac(row, key.reveal(), token)
                                                            : sign_with_key(row, key.reveal(), token);
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

base::Secret generate_secret(config::Algorithm algorithm) {
  return base::Secret(random_text(row_of(algorithm).min_secret));
}

KeyPair generate_keypair(config::Algorithm algorithm, std::string_view kid) {
  const AlgorithmRow& row = row_of(algorithm);
  Handle<EVP_PKEY> key;
  if (row.family == Family::kRsaPkcs1 || row.family == Family::kRsaPss) key.reset(EVP_RSA_gen(kRsaBits));
  if (row.family == Family::kEcdsa) key.reset(EVP_EC_gen(row.curve));
  if (row.family == Family::kEddsa) key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  const Handle<BIO> private_text(BIO_new(BIO_s_secmem()));
  const Handle<BIO> public_text(BIO_new(BIO_s_mem()));
  if (!key ||
      PEM_write_bio_PKCS8PrivateKey(private_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) !=
          1 ||
      PEM_write_bio_PUBKEY(public_text.get(), key.get()) != 1)
    throw MintError("the crypto library makes no key for " + std::string(row.name));
  json::object jwk = public_jwk(key.get());
  jwk["use"] = "sig";
  jwk["alg"] = row.name;
  if (!kid.empty()) jwk["kid"] = kid;
  return {base::Secret(text_of(private_text.get())), text_of(public_text.get()), json::serialize(jwk)};
}

}  // namespace identity
