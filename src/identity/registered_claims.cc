#include "identity/registered_claims.h"

#include <algorithm>

#include "identity/base64url.h"
#include "identity/reason.h"

namespace identity {

namespace {

void read_string(text::JsonReader& in, std::optional<std::string_view>& out, RegisteredClaims& claims) {
  std::string_view value;
  if (!in.at_string()) {
    claims.wrong_type = true;
    in.skip();
  } else if (in.string(value)) {
    out = value;
  }
}

void read_if_string(text::JsonReader& in, std::string_view& out) {
  if (in.at_string())
    in.string(out);
  else
    in.skip();
}

void read_date(text::JsonReader& in, std::optional<double>& out, RegisteredClaims& claims) {
  double value;
  if (!in.at_number()) {
    claims.wrong_type = true;
    in.skip();
  } else if (in.number(value)) {
    out = value;
  }
}

void read_audience(text::JsonReader& in, const std::vector<std::string>& wanted, RegisteredClaims& claims) {
  const auto check = [&](std::string_view one) {
    if (std::ranges::find(wanted, one) != wanted.end()) claims.audience_matches = true;
  };
  std::string_view one;
  if (in.at_string()) {
    if (in.string(one)) check(one);
  } else if (!in.strings(check)) {
    claims.wrong_type = true;
  }
}

}  // namespace

bool read_claims(text::JsonReader& in, const std::vector<std::string>& audience, RegisteredClaims& claims) {
  std::string_view name;
  while (in.next(name)) {
    if (name.size() != 3) {
      if (name == "client_id") {
        read_if_string(in, claims.client_id);
      } else {
        claims.is_event |= name == "events" && in.at_object();
        in.skip();
      }
    } else if (name == "exp") {
      read_date(in, claims.exp, claims);
    } else if (name == "nbf") {
      read_date(in, claims.nbf, claims);
    } else if (name == "iat") {
      read_date(in, claims.iat, claims);
    } else if (name == "iss") {
      read_string(in, claims.iss, claims);
    } else if (name == "sub") {
      read_string(in, claims.sub, claims);
    } else if (name == "jti") {
      read_string(in, claims.jti, claims);
    } else if (name == "aud") {
      read_audience(in, audience, claims);
    } else if (name == "azp") {
      read_if_string(in, claims.azp);
    } else {
      claims.has_actor |= name == "act";
      claims.bound_to_key |= name == "cnf";
      in.skip();
    }
  }
  return in.complete();
}

base::Result<std::string_view> unverified_issuer(std::string_view encoded_payload) {
  thread_local text::JsonSpace space;
  thread_local std::string payload;
  payload.resize(base64url_decoded_size(encoded_payload.size()));
  if (!base64url_decode(encoded_payload, payload.data()))
    return base::fail(base::Code::kUnauthorized, reason::kMalformed);
  text::JsonReader in(payload, space);
  RegisteredClaims claims;
  const bool whole = read_claims(in, {}, claims);
  if (claims.wrong_type) return base::fail(base::Code::kUnauthorized, reason::kBadClaim);
  if (!whole) return base::fail(base::Code::kUnauthorized, reason::kMalformed);
  return claims.iss.value_or("");
}

base::Wall to_wall(double seconds) {
  constexpr double kEnd = 9.2e9;
  if (seconds >= kEnd) return base::Wall::max();
  if (seconds <= -kEnd) return base::Wall::min();
  return base::Wall(base::Nanos(static_cast<base::Nanos::rep>(seconds * 1e9)));
}

}  // namespace identity
