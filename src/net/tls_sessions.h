// Sessions of TLS that are resumed: a second connection to a server costs it and us no signature, and one
// round trip less with TLS 1.2.
//
// Owner:    an SSL_CTX, and with it a TlsContext: one set of rules, so that what one verified is never taken
//           for verified by another. Within it by the name that was asked for and verified.
// Thread:   any; a lock, on handshakes only.
// Lifetime: that of the SSL_CTX, which every connection holds. A session is used for kSessionLife at most,
//           and not after its certificate has expired: then all is verified anew. A ticket of TLS 1.3 is used
//           once (RFC 8446 C.4).
// Failures: none; without a session the handshake is a full one.
#pragma once

#include <string>

#include "base/clock.h"

typedef struct ssl_ctx_st SSL_CTX;
typedef struct ssl_st SSL;

namespace net {

inline constexpr base::Seconds kSessionLife{3600};

void keep_sessions(SSL_CTX* context);                           // once, when it is made
void resume_session(SSL* ssl, const std::string& server_name);  // before the handshake

}  // namespace net
