// Takes a value out of a reply for the steps that follow.
//
// Owner:    the plan of a run.  Thread: immutable after construction, any.
// Failure:  constructor: std::runtime_error with one line (a pattern that does not compile). find_*() give
//           nothing where there is nothing: no field, no JSON, no such member, no match, a pattern that tries
//           too long.
// Values:   of JSON a string as it is, everything else as the reply writes it, a number to the letter.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "prove/model/model.h"
#include "prove/wire/reply_parser.h"

namespace prove {

using Captured = std::vector<std::pair<std::size_t, std::string>>;  // slots and what goes there

class Captures {
 public:
  Captures(const Step& step, const Slots& slots) : Captures(step.captures, slots) {}
  Captures(std::span<const Capture> captures, const Slots& slots);
  ~Captures();
  Captures(Captures&&) noexcept;

  bool any() const { return !all_.empty(); }
  // Each adds its values; false when one of them is missing. At the head of the reply, and when it is whole.
  bool from_head(const ReplyParser& reply, Captured& captured) const;
  bool from_body(std::string_view body, Captured& captured) const;

 private:
  struct One;
  std::vector<One> all_;
};

}  // namespace prove
