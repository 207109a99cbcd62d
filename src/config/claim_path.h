// The path of a claim: realm_access.roles[*], aud[0], ["https://x.test/roles"][0].
//
// Thread:   any; pure functions.
// Failures: as in values.h, with the character where it goes wrong.
//
// Names are separated by dots and hold anything but dots, brackets, quotes, blanks and control bytes; any
// name at all may stand in brackets and quotes, where \" and \\ are a quote and a backslash. [0] is an
// element of an array, [*] each of them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/values.h"

namespace config {

struct ClaimStep {
  enum class Kind : std::uint8_t { kMember, kElement, kEach } kind = Kind::kMember;
  std::string name;         // of kMember
  std::uint64_t index = 0;  // of kElement
  friend bool operator==(const ClaimStep&, const ClaimStep&) = default;
};

struct ClaimPath {
  using Value = std::vector<ClaimStep>;
  // At most 1,024 bytes and 16 steps: no token nests deeper.
  static Parsed<Value> parse(std::string_view text);
  static std::string show(const Value& steps);
};

namespace text_rule {
struct Claim {  // the text of such a path, as it was written
  static Parsed<std::string> check(std::string_view text);
};
}  // namespace text_rule
using ClaimText = TextOf<text_rule::Claim>;

}  // namespace config
