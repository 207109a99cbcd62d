// TLS towards other servers (origins, issuers, Redis): one context for each set of rules, shared by the
// connections that go by them. Nobody else verifies a certificate.
//
// Owner:    an origin's snapshot.  Thread: any (OpenSSL's contexts count references atomically).
// Failure:  the constructor throws std::runtime_error with one line (a CA file that cannot be read). start()
//           gives kTls where OpenSSL does not take the name, kNoRoom where memory is out.
//
// TLS 1.2 and up, ALPN http/1.1, the chain and the name verified unless the operator says otherwise: a name
// among the certificate's DNS names, an address among its IP addresses, and never its Common Name (RFC 9110
// section 4.3.4, RFC 9525). Sessions are resumed (tls_sessions.h). It
// cannot fail open: OpenSSL checks no name at all where it was given none, so a name that it refuses, an
// empty one, and one that ends for C before its end, are failures here, and after the handshake it is asked
// what it has found.
#pragma once

#include <string>

#include "net/error.h"

typedef struct ssl_ctx_st SSL_CTX;
typedef struct ssl_st SSL;

namespace net {

class TlsContext {
 public:
  TlsContext(bool verify, const std::string& ca_file);  // "" = the system's authorities
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  Result<SSL*> start(int fd, const std::string& server_name) const;  // for end() to take back
  static void end(SSL* ssl);
  bool satisfied_with(SSL* ssl) const;  // after the handshake: what it was to verify has been verified
  // Why the handshake has failed, said with what OpenSSL keeps of it until its next call.
  Error failure(SSL* ssl) const;

 private:
  SSL_CTX* context_;
  bool verify_;
};

}  // namespace net
