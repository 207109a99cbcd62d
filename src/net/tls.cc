#include "net/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <stdexcept>

namespace net {

TlsContext::TlsContext(bool verify, const std::string& ca_file)
    : context_(SSL_CTX_new(TLS_client_method())), verify_(verify) {
  if (!context_) throw std::runtime_error("OpenSSL gives no TLS context");
  SSL_CTX_set_min_proto_version(context_, TLS1_2_VERSION);
  SSL_CTX_set_mode(context_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                 SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(context_, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  static constexpr unsigned char kAlpn[] = "\x08http/1.1";
  SSL_CTX_set_alpn_protos(context_, kAlpn, sizeof kAlpn - 1);
  SSL_CTX_set_verify(context_, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  const int loaded = ca_file.empty() ? SSL_CTX_set_default_verify_paths(context_)
                                     : SSL_CTX_load_verify_file(context_, ca_file.c_str());
  if (loaded != 1) {
    SSL_CTX_free(context_);
    ERR_clear_error();
    throw std::runtime_error("the CA file '" + ca_file + "' cannot be read as PEM certificates");
  }
}

TlsContext::~TlsContext() {
  SSL_CTX_free(context_);
}

SSL* TlsContext::start(int fd, const std::string& server_name) const {
  SSL* ssl = SSL_new(context_);
  if (!ssl) return nullptr;
  SSL_set_fd(ssl, fd);
  unsigned char literal[16];
  const bool is_ip = ::inet_pton(AF_INET, server_name.c_str(), literal) == 1 ||
                     ::inet_pton(AF_INET6, server_name.c_str(), literal) == 1;
  if (!is_ip) SSL_set_tlsext_host_name(ssl, server_name.c_str());  // SNI names hosts only, RFC 6066 section 3
  if (verify_) {
    if (is_ip)
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), server_name.c_str());
    else
      SSL_set1_host(ssl, server_name.c_str());
  }
  return ssl;
}

}  // namespace net
