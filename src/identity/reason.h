// Why a caller is not known: one short word for logs and metrics, in the `text` of a base::Error.
//
// Thread:   constants.
//
// Every refusal of this room carries exactly one of them, with Code::kUnauthorized; kAmbiguous comes with
// Code::kTwoCredentials, and kNoKeys with Code::kIdentityUnavailable, since nothing speaks against the
// caller. They are compared by value, are safe as metric labels, and say nothing about the bytes of a token.
// What the client is told stands beside them, in challenge.cc.
#pragma once

#include <string_view>

namespace identity::reason {

inline constexpr std::string_view kNoCredential = "no_credential";      // nothing where one is looked for
inline constexpr std::string_view kAmbiguous = "ambiguous_credential";  // more than one
inline constexpr std::string_view kTooLarge = "too_large";              // longer than max_token
inline constexpr std::string_view kMalformed = "malformed";             // no JWS, no JSON, no claims set
inline constexpr std::string_view kBadAlgorithm = "bad_algorithm";      // not one of the configured
inline constexpr std::string_view kBadHeader = "bad_header";            // a header that may not be there
inline constexpr std::string_view kWrongType = "wrong_type";            // a token, but for something else
inline constexpr std::string_view kBoundToKey = "bound_to_key";         // whose proof nobody checks here
inline constexpr std::string_view kUnknownKey = "unknown_key";          // no key of that kid and algorithm
inline constexpr std::string_view kNoKeys = "no_keys";  // the issuer's have not come, or are too old
inline constexpr std::string_view kBadSignature = "bad_signature";       //
inline constexpr std::string_view kBadClaim = "bad_claim";               // a registered claim of a wrong type
inline constexpr std::string_view kNoExpiry = "no_expiry";               // exp is required
inline constexpr std::string_view kExpired = "expired";                  //
inline constexpr std::string_view kNotYetValid = "not_yet_valid";        // nbf
inline constexpr std::string_view kIssuedInFuture = "issued_in_future";  // iat
inline constexpr std::string_view kWrongIssuer = "wrong_issuer";         //
inline constexpr std::string_view kWrongAudience = "wrong_audience";     //

}  // namespace identity::reason
