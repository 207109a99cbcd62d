// RSA (PKCS #1 v1.5) and ECDSA signatures by OpenSSL's own code below its EVP layer.
//
// Owner:    a VerificationKey.
// Thread:   immutable, so any; what is worked in is thread-local.
// Failure:  usable() is false where OpenSSL does not take the key so; verifies() is false for whatever went
//           wrong and may leave OpenSSL's queue of errors filled.
// Standard: RFC 7518 §3.3, §3.4.
//
// Why not EVP: it wants ECDSA's r and s as DER, which it parses, writes anew and compares: 0.8 µs of a token
// (signature_bench.cc). As sha2.h says, this interface is called deprecated.
#pragma once

#include <openssl/types.h>

#include <memory>
#include <string_view>

#include "identity/sha2.h"

namespace identity {

class PublicVerify {
 public:
  explicit PublicVerify(EVP_PKEY* key);

  bool usable() const { return ec_ || rsa_; }
  // ECDSA: r||s, of equal halves.
  bool verifies(Sha2 hash, std::string_view message, std::string_view signature) const;

 private:
  struct Free {
    void operator()(EC_KEY* p) const;
    void operator()(RSA* p) const;
  };
  std::unique_ptr<EC_KEY, Free> ec_;
  std::unique_ptr<RSA, Free> rsa_;
};

}  // namespace identity
