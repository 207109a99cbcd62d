// Whether the JSON of a reply is what its step expects.
//
// Owner:    the plan of a run.  Thread: immutable after construction, any.
// Lifetime: the Expect outlives it.
// Failures: constructor: std::runtime_error with one line (a pattern that does not compile). What is no JSON
//           fulfils nothing, and what is not there fulfils only that it is absent.
//
// Numbers are compared for what they are worth, to the last digit; objects whatever their order. A text with
// a hole is a number, true, false or null, too, where the reply has one: {{id}} may have been captured as
// such.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "prove/model/expect.h"
#include "prove/wire/pattern.h"

namespace prove {

class JsonChecks {
 public:
  explicit JsonChecks(const Expect& expect);

  bool any() const { return !all_.empty(); }
  bool met(std::string_view body, const Values& values) const;

  std::string text(const Values& values) const;                           // all that is expected
  std::string broken(std::string_view body, const Values& values) const;  // the first that is not, and why

 private:
  struct One {
    const JsonCheck* check;
    Pattern pattern;  // of those that have one
  };
  std::vector<One> all_;
};

}  // namespace prove
