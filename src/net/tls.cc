#include "net/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>

#include "base/read_file.h"
#include "net/tls_sessions.h"

namespace net {

namespace {

constexpr std::size_t kMaxAuthorities = 4 << 20;

// Certificates, and lists of revoked ones, from PEM text; false: there is none, or one is broken.
bool trust(SSL_CTX* context, const std::string& pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> in(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
  STACK_OF(X509_INFO)* const found = PEM_X509_INFO_read_bio(in.get(), nullptr, nullptr, nullptr);
  if (!found) return false;
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  int added = 0;
  bool good = true;
  for (int i = 0; i < sk_X509_INFO_num(found); ++i) {
    const X509_INFO* const one = sk_X509_INFO_value(found, i);
    if (one->x509) good = X509_STORE_add_cert(store, one->x509) == 1 && ++added > 0 && good;
    if (one->crl) good = X509_STORE_add_crl(store, one->crl) == 1 && good;
  }
  sk_X509_INFO_pop_free(found, X509_INFO_free);
  return good && added > 0;
}

// In the words of whoever has to mend it; OpenSSL's own where it seldom happens.
std::string_view words_of(long verdict) {
  switch (verdict) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return "its certificate is signed by an authority that is not trusted here, or comes without those "
             "between";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return "its certificate is signed by itself or by an authority of its own that is not trusted here";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "its certificate is for another name";
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "its certificate has expired, or one that it depends on";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "its certificate is not valid yet, or one that it depends on";
    case X509_V_ERR_CERT_REVOKED:
      return "its certificate has been revoked";
    default:
      return X509_verify_cert_error_string(verdict);  // a literal
  }
}

std::string_view words_of(unsigned long error) {
  if (error == 0) return "it closed the connection during the TLS handshake";
  switch (ERR_GET_REASON(error)) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_HTTP_REQUEST:
      return "it does not speak TLS at this port";
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
      return "it speaks no version of TLS from 1.2 on";
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
      return "it refused the TLS handshake: it may have no cipher in common, or want a certificate of ours";
    case SSL_R_TLSV1_UNRECOGNIZED_NAME:
      return "it does not know the name that it was asked by";
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
      return "it closed the connection during the TLS handshake";
    default: {
      const char* const reason = ERR_reason_error_string(error);  // a literal
      return reason ? std::string_view(reason) : "the TLS handshake failed";
    }
  }
}

}  // namespace

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
  keep_sessions(context_);
  std::string why;
  if (ca_file.empty()) {
    if (SSL_CTX_set_default_verify_paths(context_) != 1) why = "the system's authorities cannot be read";
  } else if (const auto pem = base::read_file(ca_file, kMaxAuthorities); !pem) {
    why = "the CA file '" + ca_file + "' " + pem.error();
  } else if (!trust(context_, *pem)) {
    why = "the CA file '" + ca_file + "' holds no PEM certificates";
  }
  ERR_clear_error();
  if (why.empty()) return;
  SSL_CTX_free(context_);
  throw std::runtime_error(why);
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
    X509_VERIFY_PARAM_set_hostflags(check, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (is_ip) return X509_VERIFY_PARAM_set1_ip_asc(check, server_name.c_str()) == 1;
    return X509_VERIFY_PARAM_set1_host(check, server_name.data(), server_name.size()) == 1;
  };
  if (named()) {
    resume_session(ssl, server_name);
    return ssl;
  }
  SSL_free(ssl);
  ERR_clear_error();
  return fail(Fault::kTls, "the server's name cannot be checked");
}

void TlsContext::end(SSL* ssl) {
  if (SSL_is_init_finished(ssl)) {
    // Said once, if the socket takes it: nobody waits for a goodbye. After a failure TLS says none
    // (tls_result).
    if (!(SSL_get_shutdown(ssl) & SSL_SENT_SHUTDOWN)) SSL_shutdown(ssl);
    ERR_clear_error();
    // OpenSSL forbids a session to be resumed whose connection ends without the other's farewell; we end in
    // the middle of things, and HTTP's own framing tells whole from torn.
    SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  }
  SSL_free(ssl);
}

Error TlsContext::failure(SSL* ssl) const {
  const long verdict = SSL_get_verify_result(ssl);
  if (verify_ && verdict != X509_V_OK) return {Fault::kCertificate, words_of(verdict)};
  return {Fault::kTls, words_of(ERR_peek_error())};
}

bool TlsContext::satisfied_with(SSL* ssl) const {
  return !verify_ || (SSL_get0_peer_certificate(ssl) && SSL_get_verify_result(ssl) == X509_V_OK);
}

}  // namespace net
