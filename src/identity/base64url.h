// Base64url without padding, in its one canonical spelling.
//
// Thread:   any; no state.
// Failure:  decode refuses padding, any character outside of the alphabet, a length that no bytes have, and
//           unused bits that are not zero: two spellings of one token would be two tokens to whoever keys on
//           it.
// Standard: RFC 4648 §5 and §3.5, RFC 7515 §2.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace identity {

constexpr std::size_t base64url_decoded_size(std::size_t encoded) {
  return encoded / 4 * 3 + encoded % 4 * 3 / 4;
}

// Writes base64url_decoded_size(in.size()) bytes. False: what was written means nothing.
bool base64url_decode(std::string_view in, char* out);

void base64url_encode(std::string_view in, std::string& out);

}  // namespace identity
