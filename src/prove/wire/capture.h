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
#include <string>
#include <string_view>
#include <vector>

#include "prove/model/model.h"
#include "prove/wire/reply_parser.h"

namespace prove {

class Captures {
 public:
  Captures(const Step& step, const Slots& slots);
  ~Captures();
  Captures(Captures&&) noexcept;

  bool any() const { return !all_.empty(); }
  // Each writes its values; false when one of them is missing. At the head of the reply, and when it is
  // whole.
  bool from_head(const ReplyParser& reply, Values& values) const;
  bool from_body(std::string_view body, Values& values) const;

 private:
  struct One;
  std::vector<One> all_;
};

}  // namespace prove
