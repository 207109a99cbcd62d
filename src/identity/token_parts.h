// A JWS in its compact form, cut at its dots.
//
// Thread:   any.  Lifetime: views into the token.
// Failure:  none: not three parts, or one of them empty.
// Standard: RFC 7515 §3.1, §7.1.
#pragma once

#include <optional>
#include <string_view>

#include "base/sabotage.h"

namespace identity {

struct TokenParts {
  std::string_view header, payload, signature;
  std::string_view message;  // header.payload, what is signed
};

inline std::optional<TokenParts> split_token(std::string_view token) {
  const std::size_t first = token.find('.');
  if (first == token.npos) return std::nullopt;
  const std::size_t second = token.find('.', first + 1);
  if (second == token.npos || token.find('.', second + 1) != token.npos) return std::nullopt;
  const TokenParts parts{token.substr(0, first), token.substr(first + 1, second - first - 1),
                         token.substr(second + 1), token.substr(0, second)};
  if (parts.header.empty() || parts.payload.empty() ||
      (parts.signature.empty() && !sabotage::on("alg-none-accepted")))
    return std::nullopt;
  return parts;
}

}  // namespace identity
