// Values that templates make: {{random_string(16)}}, {{random_string(8, hex)}}, {{random_int(1, 6)}}.
//
// Owner:    whoever parsed it.  Thread: immutable, any; Random belongs to the caller's generator.
// Failures: parse() gives a predicate to follow the call as it is written.
//
// random_string takes 1 to 65,536 characters, of `alphanumeric` (the default), `letters`, `lower`, `upper`,
// `digits`, `hex`, or of those in quotes: 'ACGT'. random_int takes both ends, whole numbers of 64 bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "prove/model/random.h"

namespace prove {

class Function {
 public:
  static std::expected<Function, std::string> parse(std::string_view call);
  static bool is_call(std::string_view name) { return name.ends_with(')'); }

  // The call as a name: the same for the same call, however it is spaced.
  const std::string& name() const { return name_; }
  void write(Random& random, std::string& out) const;

 private:
  std::string name_;
  std::string alphabet_;  // "": a number
  std::size_t length_ = 0;
  std::int64_t from_ = 0;
  std::uint64_t span_ = 0;  // numbers behind `from_`
};

}  // namespace prove
