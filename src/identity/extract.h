// Finds the credential of a request where the identity's configuration says to look.
//
// Thread:   any; no state.
// Lifetime: the token is a view into the request's buffer, or into `scratch` when a query parameter had to be
//           decoded; `source` points into the configuration.
// Standard: RFC 6750 §2.1 and §2.3, RFC 9110 §11.6.2.
//
// Usage:    std::string scratch;
//           auto credential = extract(head, target.raw_query, identity.from, scratch);
//           if (!credential) → 401 with challenge(credential.error())
//
// One credential, in one place: where two sources hold one each, or one source holds two (two Authorization
// fields, a query parameter repeated), the request is refused outright (RFC 6750 §3.1), even if both are the
// same: two readers might pick different ones. An Authorization field of another scheme (Basic) is no
// credential for `bearer`, nor is an empty parameter one.
//
// Failures: Code::kUnauthorized with reason::kNoCredential, Code::kTwoCredentials with reason::kAmbiguous.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "config/model.h"
#include "http/head.h"

namespace identity {

struct Credential {
  std::string_view token;
  const config::TokenSource* source;
};

base::Result<Credential> extract(const http::RequestHead& head, std::string_view raw_query,
                                 std::span<const config::TokenSource> from, std::string& scratch);

}  // namespace identity
