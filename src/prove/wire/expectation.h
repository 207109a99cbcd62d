// Whether a reply is what its step expects: the one place where outcomes are decided. See outcome.h for the
// words.
//
// Owner:    the plan of a run.  Thread: immutable after construction, any.
// Lifetime: the Step outlives it.
// Failure:  constructor: std::runtime_error with one line (a pattern that does not compile).
//
// A body is searched for texts to its end. For patterns and JSON its first kKeptBody bytes are looked at:
// what they do not settle of a longer body is Reason::kTooLong.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "prove/model/model.h"
#include "prove/model/outcome.h"
#include "prove/wire/json_check.h"
#include "prove/wire/pattern.h"
#include "prove/wire/reply_parser.h"

namespace prove {

struct Ending {
  Outcome outcome = Outcome::kOk;
  Reason reason = Reason::kNone;  // kNone: as expected

  bool met() const { return reason == Reason::kNone; }
  friend bool operator==(const Ending&, const Ending&) = default;
};

// What there is to know of a reply when it is whole.
struct Reply {
  std::uint16_t status = 0;
  bool headers_met = true;
  std::uint64_t length = 0;        // of the body
  std::string_view body{};         // the first kKeptBody bytes of it, where the step keeps_body()
  std::uint64_t found_beyond = 0;  // texts that lie behind them, or across their end: bits, as in beyond()
  std::string_view sha256{};       // lower-case hex, where the step wants_digest()
  std::string_view raw{};          // the bytes that came first, for broken()
};

// A text that is looked for in what of a body is not kept.
struct Beyond {
  std::size_t index;  // among Expect::body
  std::string text;
  std::string tail;  // of what came so far
};

class Expectation {
 public:
  static constexpr std::size_t kKeptBody = 1 << 20;

  explicit Expectation(const Step& step);

  bool denial() const { return denial_; }  // nothing but a denial is right
  bool keeps_body() const { return keeps_body_; }
  bool searches_body() const { return !step_->expect.body.empty(); }
  // What is to be searched for behind `kept`, the beginning of a body; go_on() is given the rest of it, piece
  // by piece, and adds to the bits of what was found.
  std::vector<Beyond> beyond(std::string_view kept, const Values& values) const;
  static void go_on(std::vector<Beyond>& searches, std::string_view piece, std::uint64_t& found);
  bool wants_digest() const { return !step_->expect.sha256.empty(); }

  // At the head of the reply, while its fields can be looked at.
  bool headers_met(const ReplyParser& reply, const Values& values) const {
    return fields_.empty() || !broken_header(reply, values);
  }

  Ending judge(const Reply& reply, const Values& values) const;

  // ---- for whoever shall see a request that went wrong
  std::string text(const Values& values) const;  // all that is expected
  // Which of it broke, in a sentence. `trouble`: what the connection or the parser says of it, "": nothing.
  std::string broken(Reason reason, const Reply& reply, std::string_view trouble, const Values& values) const;

 private:
  struct FieldTest {
    const HeaderCheck* check;
    std::string name;  // lower-case
    Pattern pattern;

    bool met(const ReplyParser& reply, const Values& values) const;
    bool fits(std::string_view value, const std::string& wanted) const;
  };
  enum class Held : std::uint8_t { kYes, kNo, kUnknown };

  // The first check of a field that does not hold; null: all do.
  const FieldTest* broken_header(const ReplyParser& reply, const Values& values) const;
  std::string broken_header(std::string_view reply, const Values& values) const;
  Held held(std::size_t text, const Reply& reply, const Values& values) const;
  std::string broken_body(const Reply& reply, const Values& values) const;

  const Step* step_;
  std::vector<FieldTest> fields_;
  std::vector<Pattern> patterns_;  // of Expect::body
  JsonChecks json_;
  bool denial_ = false;
  bool keeps_body_ = false;
  bool status_only_ = false;
};

}  // namespace prove
