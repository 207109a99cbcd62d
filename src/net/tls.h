// TLS towards origins: one context per origin, shared by its connections.
//
// Owner:    an origin's snapshot.  Thread: any (OpenSSL's contexts count references atomically).
// Failure:  the constructor throws std::runtime_error with one line (a CA file that cannot be read).
//
// TLS 1.2 and up, ALPN http/1.1, the chain and the name verified unless the operator says otherwise.
#pragma once

#include <string>

typedef struct ssl_ctx_st SSL_CTX;
typedef struct ssl_st SSL;

namespace net {

class TlsContext {
 public:
  TlsContext(bool verify, const std::string& ca_file);  // "" = the system's authorities
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  SSL* start(int fd, const std::string& server_name) const;  // null when memory is out

 private:
  SSL_CTX* context_;
  bool verify_;
};

}  // namespace net
