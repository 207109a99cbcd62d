// Whether a reply is what its step expects: the one place where outcomes are decided. See outcome.h for the
// words.
//
// Owner:    the plan of a run.  Thread: immutable after construction, any.
// Lifetime: the Step outlives it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "prove/model/model.h"
#include "prove/model/outcome.h"
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
  std::uint64_t length = 0;   // of the body
  std::string_view body{};    // the first kKeptBody bytes of it, where the step keeps_body()
  bool found_beyond = false;  // what it must contain lies behind them, or across their end
  std::string_view sha256{};  // lower-case hex, where the step wants_digest()
  std::string_view raw{};     // the bytes that came first, for broken()
};

class Expectation {
 public:
  static constexpr std::size_t kKeptBody = 1 << 20;

  explicit Expectation(const Step& step);

  bool denial() const { return denial_; }  // nothing but a denial is right
  bool keeps_body() const { return step_->expect.body || captures_body_; }
  bool searches_body() const { return step_->expect.body.has_value(); }
  std::string searched(const Values& values) const { return step_->expect.body->render(values); }
  bool wants_digest() const { return !step_->expect.sha256.empty(); }

  // At the head of the reply, while its fields can be looked at.
  bool headers_met(const ReplyParser& reply, const Values& values) const {
    return !broken_header(reply, values);
  }

  Ending judge(const Reply& reply, const Values& values) const;

  // ---- for whoever shall see a request that went wrong
  std::string text(const Values& values) const;  // all that is expected
  // Which of it broke, in a sentence. `trouble`: what the connection or the parser says of it, "": nothing.
  std::string broken(Reason reason, const Reply& reply, std::string_view trouble, const Values& values) const;

 private:
  // The first check of a field that does not hold; null: all do.
  const HeaderCheck* broken_header(const ReplyParser& reply, const Values& values) const;
  std::string broken_header(std::string_view reply, const Values& values) const;

  const Step* step_;
  bool denial_ = false;
  bool captures_body_ = false;
  bool status_only_ = false;
};

}  // namespace prove
