// Reads what proxies say of the client before them: `Forwarded`, and the hops of X-Forwarded-For.
//
// Thread:   any; no state.
// Lifetime: views point into the field's value.
// Standard: RFC 7239 §4 to §6. X-Forwarded-For has none; hops are taken as proxies write them.
// Failures: kBadRequest. Whom to believe is the caller's business; nothing here is true because it parses.
//
// Usage:   for (std::string_view rest = field.value;;) {
//            ForwardedElement element;
//            const auto more = next_forwarded(rest, element);
//            if (!more) → 400
//            if (!*more) break;
//          }
//
// Strict, since two readers who end a quoted string at different places see different clients: values are a
// token or a whole quoted-string, IPv6 stands quoted and in brackets, a parameter comes once. White space
// around `;` is passed over, as many write it. Parameters other than for, proto and host are checked for
// their form only.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"

namespace http {

struct ForwardedNode {
  enum class Kind : std::uint8_t {
    kNone,        // the element says nothing of it
    kUnknown,     // "unknown"
    kObfuscated,  // "_hidden"
    kAddress
  } kind = Kind::kNone;
  std::array<std::uint8_t, 16> address{};  // of kAddress; IPv4 as ::ffff:a.b.c.d
  friend bool operator==(const ForwardedNode&, const ForwardedNode&) = default;
};

struct ForwardedElement {
  ForwardedNode client;    // `for`
  std::string_view proto;  // a scheme, as it was written; empty: none
  std::string_view host;   // as in a Host field; empty: none
  friend bool operator==(const ForwardedElement&, const ForwardedElement&) = default;
};

// Takes the next element off the value; false at its end. After a failure the rest means nothing.
base::Result<bool> next_forwarded(std::string_view& rest, ForwardedElement& out);

// A hop of X-Forwarded-For: an IPv4 or IPv6 address, with a port (IPv6 then in brackets) or without.
std::optional<std::array<std::uint8_t, 16>> parse_forwarded_for(std::string_view hop);

}  // namespace http
