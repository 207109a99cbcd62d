#define OPENSSL_SUPPRESS_DEPRECATED
#include "identity/public_verify.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>

namespace identity {

namespace {

const unsigned char* bytes(std::string_view s) {
  return reinterpret_cast<const unsigned char*>(s.data());
}

int nid_of(Sha2 hash) {
  switch (hash) {
    case Sha2::k256:
      return NID_sha256;
    case Sha2::k384:
      return NID_sha384;
    case Sha2::k512:
      break;
  }
  return NID_sha512;
}

// One signature of a thread, whose numbers are set anew for each token.
struct Numbers {
  ECDSA_SIG* signature = ECDSA_SIG_new();
  BIGNUM* r = BN_new();
  BIGNUM* s = BN_new();

  Numbers() {
    if (!signature || ECDSA_SIG_set0(signature, r, s) != 1) signature = nullptr;
  }
  Numbers(const Numbers&) = delete;
  Numbers& operator=(const Numbers&) = delete;
  ~Numbers() { ECDSA_SIG_free(signature); }  // and with it r and s
};

}  // namespace

void PublicVerify::Free::operator()(EC_KEY* p) const {
  EC_KEY_free(p);
}
void PublicVerify::Free::operator()(RSA* p) const {
  RSA_free(p);
}

PublicVerify::PublicVerify(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "EC") == 1) ec_.reset(EVP_PKEY_get1_EC_KEY(key));
  if (EVP_PKEY_is_a(key, "RSA") == 1) rsa_.reset(EVP_PKEY_get1_RSA(key));
}

bool PublicVerify::verifies(Sha2 hash, std::string_view message, std::string_view signature) const {
  const Digest digest = sha2(hash, message);
  if (rsa_)
    return RSA_verify(nid_of(hash), digest.bytes.data(), static_cast<unsigned>(digest.size), bytes(signature),
                      static_cast<unsigned>(signature.size()), rsa_.get()) == 1;
  thread_local Numbers numbers;
  const std::size_t half = signature.size() / 2;
  return ec_ && numbers.signature && BN_bin2bn(bytes(signature), static_cast<int>(half), numbers.r) &&
         BN_bin2bn(bytes(signature) + half, static_cast<int>(half), numbers.s) &&
         ECDSA_do_verify(digest.bytes.data(), static_cast<int>(digest.size), numbers.signature, ec_.get()) ==
             1;
}

}  // namespace identity
