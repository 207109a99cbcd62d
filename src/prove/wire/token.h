// Mints tokens (JWT, RFC 7519; JWS compact serialisation, RFC 7515) for the load, good ones and bad ones.
//
// Problem:  the gateway's verifier is under test, so what tests it shares no code with it.
// Owner:    nobody; pure functions.  Thread: any.
// Failures: mint(): std::runtime_error with one line that shows no key. check_key() finds what can be found
//           without signing, as a predicate to follow the key ("is a public key; …"), or "".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "prove/model/model.h"

namespace prove {

std::string_view name_of(TokenAlgorithm algorithm);  // "HS256", "none"

std::string check_key(const TokenSpec& spec);

// The token number `index` of its kind: {{index}} in claims is that. `now` becomes iat, and exp lies `ttl`
// after it; an expired one ceased to be good `ttl` and a second ago. `bound`: the thumbprint of the key it
// is bound to (cnf.jkt, RFC 9449 §6.1), or "". Claims so named take their place.
std::string mint(const TokenSpec& spec, std::uint64_t index, base::Wall now, std::string_view bound = {});

}  // namespace prove
