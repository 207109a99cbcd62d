// OpenSSL's objects, freed by who holds them.
//
// Thread:   any; no state.
#pragma once

#include <openssl/types.h>

#include <memory>

namespace identity::detail {

struct Free {
  void operator()(BIGNUM* p) const;
  void operator()(BIO* p) const;
  void operator()(EVP_MAC_CTX* p) const;
  void operator()(EVP_MD_CTX* p) const;
  void operator()(EVP_PKEY* p) const;
  void operator()(EVP_PKEY_CTX* p) const;
  void operator()(OSSL_PARAM_BLD* p) const;
  void operator()(OSSL_PARAM* p) const;
};
template <class T>
using Handle = std::unique_ptr<T, Free>;

}  // namespace identity::detail
