#include "identity/challenge.h"

#include <array>

#include "identity/reason.h"

namespace identity {

namespace {

struct Row {
  std::string_view reason;
  std::string_view challenge;
};

#define SEKISHO_INVALID_TOKEN(text) "Bearer error=\"invalid_token\", error_description=\"" text "\""

constexpr std::array kRows{
    Row{reason::kNoCredential, "Bearer realm=\"sekisho\""},
    Row{reason::kAmbiguous,
        "Bearer error=\"invalid_request\", error_description=\"more than one token was sent\""},
    Row{reason::kTooLarge, SEKISHO_INVALID_TOKEN("the token is too large")},
    Row{reason::kMalformed, SEKISHO_INVALID_TOKEN("the token is malformed")},
    Row{reason::kBadAlgorithm, SEKISHO_INVALID_TOKEN("the token's algorithm is not accepted")},
    Row{reason::kBadHeader, SEKISHO_INVALID_TOKEN("the token has a header that is not accepted")},
    Row{reason::kWrongType, SEKISHO_INVALID_TOKEN("the token is of a type that is not accepted")},
    Row{reason::kBoundToKey, SEKISHO_INVALID_TOKEN("the token is bound to a key, whose proof is not taken")},
    Row{reason::kUnknownKey, SEKISHO_INVALID_TOKEN("the token's key is not known")},
    Row{reason::kBadSignature, SEKISHO_INVALID_TOKEN("the token's signature is wrong")},
    Row{reason::kBadClaim, SEKISHO_INVALID_TOKEN("a claim of the token is of a wrong type")},
    Row{reason::kNoExpiry, SEKISHO_INVALID_TOKEN("the token does not expire")},
    Row{reason::kExpired, SEKISHO_INVALID_TOKEN("the token has expired")},
    Row{reason::kNotYetValid, SEKISHO_INVALID_TOKEN("the token is not valid yet")},
    Row{reason::kIssuedInFuture, SEKISHO_INVALID_TOKEN("the token was issued in the future")},
    Row{reason::kWrongIssuer, SEKISHO_INVALID_TOKEN("the token is of another issuer")},
    Row{reason::kWrongAudience, SEKISHO_INVALID_TOKEN("the token is for another audience")},
};

#undef SEKISHO_INVALID_TOKEN

}  // namespace

std::string_view challenge(const base::Error& error) {
  for (const Row& row : kRows)
    if (row.reason == error.text) return row.challenge;
  return "Bearer error=\"invalid_token\"";
}

std::string_view explanation(const base::Error& error) {
  if (error.text == reason::kNoCredential) return "a token is needed, and none was sent";
  constexpr std::string_view kDescription = "error_description=\"";
  const std::string_view text = challenge(error);
  const std::size_t at = text.find(kDescription);
  if (at == text.npos) return "the token is not accepted";
  return text.substr(at + kDescription.size(), text.size() - at - kDescription.size() - 1);
}

}  // namespace identity
