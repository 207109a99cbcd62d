// The registered claims that verification reads of a claims set, without building a tree of the others.
//
// Owner:    the verifier, on its stack.  Thread: one.
// Lifetime: texts are views into what the reader reads, or into its space.
// Failure:  false: no JSON object as text::JsonReader wants it. A claim of a wrong type is told apart, for
//           the reason. unverified_issuer() has kMalformed and kBadClaim.
// Standard: RFC 7519 §2 (NumericDate), §4.1; RFC 7800 §3.1 (cnf); RFC 8417 §2.2 (events).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "text/json_reader.h"

namespace identity {

struct RegisteredClaims {
  std::optional<double> exp, nbf, iat;
  std::optional<std::string_view> iss, sub, jti;
  std::string_view azp, client_id;  // not required to be anything: "" unless they are texts
  bool has_actor = false;           // there is an `act`
  bool is_event = false;            // `events` is an object: a security event token, of logging out, say
  bool bound_to_key = false;        // there is a `cnf`, whatever it is
  bool audience_matches = false;    // one of the wanted ones is in `aud`
  bool wrong_type = false;
};

bool read_claims(text::JsonReader& in, const std::vector<std::string>& audience, RegisteredClaims& claims);

// The `iss` of a payload that nobody has verified yet ("" where it has none): good for choosing whom to ask,
// and for nothing else. The view is good until this thread asks again.
base::Result<std::string_view> unverified_issuer(std::string_view encoded_payload);

// A NumericDate as an instant. Saturates: the clock's nanoseconds end in 2262.
base::Wall to_wall(double seconds);

}  // namespace identity
