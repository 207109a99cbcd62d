// A value that claims are compared with: a text, a number or a switch, as YAML writes it.
//
// Thread:   any; pure functions.
// Failures: as in values.h.
#pragma once

#include "config/values.h"

namespace config {

// What stood in quotes is a text. Else true and false are switches and JSON's numbers are numbers: without
// fraction and exponent a whole one of 64 bits, otherwise a double. Everything else is a text, except what
// other readers of YAML take for a number or a switch (yes, True, 0x10, +1, 007): refused, since either
// reading may be the one that was meant.
Parsed<ClaimValue> parse_claim_value(std::string_view text, bool quoted);

inline bool is_number(const ClaimValue& value) {
  return std::holds_alternative<std::int64_t>(value) || std::holds_alternative<double>(value);
}

}  // namespace config
