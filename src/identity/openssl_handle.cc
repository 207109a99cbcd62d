#include "identity/openssl_handle.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/params.h>

namespace identity::detail {

void Free::operator()(BIGNUM* p) const {
  BN_free(p);
}
void Free::operator()(BIO* p) const {
  BIO_free(p);
}
void Free::operator()(EVP_MAC_CTX* p) const {
  EVP_MAC_CTX_free(p);
}
void Free::operator()(EVP_MD_CTX* p) const {
  EVP_MD_CTX_free(p);
}
void Free::operator()(EVP_PKEY* p) const {
  EVP_PKEY_free(p);
}
void Free::operator()(EVP_PKEY_CTX* p) const {
  EVP_PKEY_CTX_free(p);
}
void Free::operator()(OSSL_PARAM_BLD* p) const {
  OSSL_PARAM_BLD_free(p);
}
void Free::operator()(OSSL_PARAM* p) const {
  OSSL_PARAM_free(p);
}

}  // namespace identity::detail
