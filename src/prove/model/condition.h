// What `if` and `until` of a step ask: a comparison of two texts, or whether there is one.
//
// Owner:    the campaign.  Thread: immutable after load, any.
// Failures: split() gives a predicate to follow the text.
//
//   {{role}} == admin        the same text, byte for byte
//   {{status}} != done       another one
//   {{next}}                 any at all, not empty
//
// Spaces around a side do not count; '' on a side is the empty text. Numbers are texts here.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "prove/model/template.h"

namespace prove {

struct Condition {
  enum class Is : std::uint8_t { kThere, kEqual, kDifferent };

  struct Sides {  // before they are compiled
    Is is = Is::kThere;
    std::string_view left, right{};
  };
  static std::expected<Sides, std::string> split(std::string_view text);

  bool holds(const Values& values) const;

  Is is = Is::kThere;
  Template left, right;
  std::string text;  // as the file has it
};

}  // namespace prove
