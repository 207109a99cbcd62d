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

Result<SSL*> TlsContext::start(int fd, const std::string& server_name) const {
  SSL* ssl = SSL_new(context_);
  if (!ssl || SSL_set_fd(ssl, fd) != 1) {
    SSL_free(ssl);
    ERR_clear_error();
    return fail(Fault::kNoRoom, "no memory for TLS");
  }
  const auto named = [&] {
    const bool whole = !server_name.empty() && !server_name.contains('\0');
    if (!whole) return !verify_ && server_name.empty();
    unsigned char literal[16];
    const bool is_ip = ::inet_pton(AF_INET, server_name.c_str(), literal) == 1 ||
                       ::inet_pton(AF_INET6, server_name.c_str(), literal) == 1;
    // SNI names hosts only, RFC 6066 section 3.
    if (!is_ip && SSL_set_tlsext_host_name(ssl, server_name.c_str()) != 1) return false;
    if (!verify_) return true;
    X509_VERIFY_PARAM* const check = SSL_get0_param(ssl);
    if (is_ip) return X509_VERIFY_PARAM_set1_ip_asc(check, server_name.c_str()) == 1;
    return X509_VERIFY_PARAM_set1_host(check, server_name.data(), server_name.size()) == 1;
  };
  if (named()) return ssl;
  SSL_free(ssl);
  ERR_clear_error();
  return fail(Fault::kTls, "the server's name cannot be checked");
}

bool TlsContext::satisfied_with(SSL* ssl) const {
  return !verify_ || (SSL_get0_peer_certificate(ssl) && SSL_get_verify_result(ssl) == X509_V_OK);
}

}  // namespace net
