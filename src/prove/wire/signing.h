// What signs for the harness: algorithms of JWS (RFC 7518), keys, and a signer that is used again.
//
// Problem:  a proof of possession is signed for each request of the load, and OpenSSL makes contexts slowly;
//           here an ES256 signature costs the curve and a hash, and allocates nothing of ours.
// Owner:    keys: whoever made them, shared once they are. KeySigner: one generator.
// Thread:   functions: any. KeySigner: one; several may sign with one key.
// Lifetime: the key outlives its signer.
// Failures: read_key(): a predicate to follow the key. make_key(), KeySigner(): std::runtime_error with one
//           line that shows no key. sign(): an empty signature, where OpenSSL could not.
#pragma once

#include <openssl/evp.h>

#include <array>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "prove/model/model.h"

namespace prove {

enum class KeyFamily : std::uint8_t { kHmac, kRsa, kPss, kEcdsa, kEdDsa, kNone };

struct AlgorithmTraits {
  std::string_view name;
  KeyFamily family;
  const EVP_MD* (*digest)();
  const char* hash;         // its name
  std::string_view curve;   // of ECDSA: as OpenSSL names it
  std::size_t half = 0;     // of an ECDSA signature: the bytes of R, and of S
  std::string_view key_is;  // what kind of key it takes
};
const AlgorithmTraits& traits(TokenAlgorithm algorithm);
TokenAlgorithm algorithm_of(ProofAlgorithm algorithm);

struct FreeOpenSsl {
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(EVP_PKEY_CTX* p) const { EVP_PKEY_CTX_free(p); }
  void operator()(EVP_MD_CTX* p) const { EVP_MD_CTX_free(p); }
  void operator()(EVP_MD* p) const { EVP_MD_free(p); }
};
template <class T>
using OpenSsl = std::unique_ptr<T, FreeOpenSsl>;

void append_base64url(std::string& out, std::string_view bytes);  // RFC 4648 §5, without padding
std::string base64url(std::string_view bytes);

std::expected<OpenSsl<EVP_PKEY>, std::string> read_key(TokenAlgorithm algorithm, const base::Secret& pem);
OpenSsl<EVP_PKEY> make_key(TokenAlgorithm algorithm);

// The public members as JSON, in the order of RFC 7638 without white space: its SHA-256 is the thumbprint.
std::string public_jwk(const EVP_PKEY& key);

class KeySigner {
 public:
  KeySigner(EVP_PKEY& key, TokenAlgorithm algorithm);

  // As JWS wants it: of ECDSA R and S side by side. Valid until the next call.
  std::string_view sign(std::string_view input);
  // SHA-256 of it, the same.
  std::string_view sha256(std::string_view text);

 private:
  bool sign_digest(std::string_view input, std::size_t& size);
  std::string_view flat(std::size_t size);

  EVP_PKEY& key_;
  const AlgorithmTraits& traits_;
  OpenSsl<EVP_MD> digest_, sha256_;
  OpenSsl<EVP_MD_CTX> hash_;
  OpenSsl<EVP_PKEY_CTX> how_;
  std::array<unsigned char, EVP_MAX_MD_SIZE> hashed_{};
  std::vector<unsigned char> signature_;
  std::string flat_;
};

}  // namespace prove
