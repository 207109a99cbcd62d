// What a step expects of its reply, as the program sees it.
//
// Owner:    the campaign.  Thread: immutable after load, any.
// Failures: none; load() has checked patterns, pointers and what is compared with what.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "prove/model/outcome.h"
#include "prove/model/template.h"

namespace prove {

// How a text is held against another. The patterns of two of them are literal templates.
enum class TextTest : std::uint8_t { kIs, kContains, kMatches, kNotContains, kNotMatches };

constexpr bool negative(TextTest test) {
  return test == TextTest::kNotContains || test == TextTest::kNotMatches;
}
constexpr bool has_pattern(TextTest test) {
  return test == TextTest::kMatches || test == TextTest::kNotMatches;
}

struct TextCheck {
  TextTest test = TextTest::kContains;
  Template value;
};

struct HeaderCheck {
  std::string name;
  Template value;  // with kIs: "*": it is there, "!": it is not
  TextTest test = TextTest::kIs;
};

struct JsonWanted {  // a value of JSON
  enum class Kind : std::uint8_t { kText, kNumber, kWord, kList, kObject } kind = Kind::kWord;
  Template text;                   // numbers and true, false and null as they are written
  std::vector<JsonWanted> items;   // of a list or an object
  std::vector<std::string> names;  // of an object's items
};

struct JsonCheck {
  enum class Test : std::uint8_t {
    kExists,
    kAbsent,
    kEqual,
    kNotEqual,
    kLess,
    kAtMost,
    kMore,
    kAtLeast,
    kContains,
    kNotContains,
    kMatches,
    kNotMatches
  };
  std::string pointer;  // RFC 6901
  Test test = Test::kEqual;
  bool length = false;  // of its length, and not of itself
  JsonWanted wanted;    // of the last four a text
};

struct Expect {
  static constexpr std::size_t kMostTexts = 64;  // that a body must hold or not

  std::vector<std::pair<std::uint16_t, std::uint16_t>> status = {{200, 299}};  // inclusive ranges
  std::optional<Outcome> outcome;  // kDenied, kLimited; default: by status (401, 403; 429), else kOk
  std::vector<HeaderCheck> headers;
  std::vector<TextCheck> body;
  std::vector<JsonCheck> json;
  std::string sha256;                   // of the whole body, lower-case hex
  std::optional<std::uint64_t> length;  // of the whole body

  std::vector<const Template*> templates() const;  // all of them
};

}  // namespace prove
