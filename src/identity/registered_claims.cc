#include "identity/registered_claims.h"

#include <algorithm>

namespace identity {

namespace {

void read_string(JsonReader& in, std::optional<std::string_view>& out, RegisteredClaims& claims) {
  std::string_view value;
  if (!in.at_string()) {
    claims.wrong_type = true;
    in.skip();
  } else if (in.string(value)) {
    out = value;
  }
}

void read_date(JsonReader& in, std::optional<double>& out, RegisteredClaims& claims) {
  double value;
  if (!in.at_number()) {
    claims.wrong_type = true;
    in.skip();
  } else if (in.number(value)) {
    out = value;
  }
}

void read_audience(JsonReader& in, const std::vector<std::string>& wanted, RegisteredClaims& claims) {
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

bool read_claims(JsonReader& in, const std::vector<std::string>& audience, RegisteredClaims& claims) {
  std::string_view name;
  while (in.next(name)) {
    if (name.size() != 3) {
      in.skip();
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
    } else {
      in.skip();
    }
  }
  return in.complete();
}

base::Wall to_wall(double seconds) {
  constexpr double kEnd = 9.2e9;
  if (seconds >= kEnd) return base::Wall::max();
  if (seconds <= -kEnd) return base::Wall::min();
  return base::Wall(base::Nanos(static_cast<base::Nanos::rep>(seconds * 1e9)));
}

}  // namespace identity
