// The registered claims that verification reads of a claims set, without building a tree of the others.
//
// Owner:    the verifier, on its stack.  Thread: one.
// Lifetime: texts are views into what the reader reads, or into its space.
// Failure:  false: no JSON object as JsonReader wants it. A claim of a wrong type is told apart, for the reason.
// Standard: RFC 7519 §2 (NumericDate), §4.1.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "identity/json_reader.h"

namespace identity {

struct RegisteredClaims {
  std::optional<double> exp, nbf, iat;
  std::optional<std::string_view> iss, sub, jti;
  bool audience_matches = false;  // one of the wanted ones is in `aud`
  bool wrong_type = false;
};

bool read_claims(JsonReader& in, const std::vector<std::string>& audience, RegisteredClaims& claims);

// A NumericDate as an instant. Saturates: the clock's nanoseconds end in 2262.
base::Wall to_wall(double seconds);

}  // namespace identity
