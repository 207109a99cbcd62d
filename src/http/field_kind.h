// What a field of a client's may do behind the gateway, told by its name: for names without a FieldId.
//
// Owner: nobody; a table. Thread: any. Failure: none; a name that nobody has heard of is plain.
//
// The list and its reasons: docs/adr/0021-fields-of-strangers.md.
#pragma once

#include <cstdint>
#include <string_view>

namespace http {

enum class FieldKind : std::uint8_t {
  kPlain,
  kCredential,  // may say who asks, so that the answer may be for that caller alone
  // Steers some servers past what was decided of path, method, host or scheme, or may say who somebody is.
  // Also each name with a character that some servers take for a hyphen.
  kRewrite,
  kVouched,  // what only a proxy that has checked it may say of a caller: user, groups, address, certificate
};

FieldKind kind_of(std::string_view name);

// Whether servers that make variables of field names make one of these: letters in any case, and all that is
// neither letter nor digit as good as a hyphen (RFC 3875 section 4.1.18 says so of the hyphen alone).
bool same_variable(std::string_view a, std::string_view b);

}  // namespace http
