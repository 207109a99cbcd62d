#include "prove/wire/expectation.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace prove {
namespace {

bool denies(std::uint16_t status) {
  return status == 401 || status == 403;
}

Outcome outcome_of(std::uint16_t status) {
  return denies(status) ? Outcome::kDenied : status == 429 ? Outcome::kLimited : Outcome::kOk;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

}  // namespace

Expectation::Expectation(const Step& step) : step_(&step) {
  const Expect& expect = step.expect;
  // 401-403 asks for a denial just as 401 or 403 does: 402 is nobody's answer.
  denial_ = expect.outcome
                ? *expect.outcome == Outcome::kDenied
                : !expect.status.empty() && std::ranges::all_of(expect.status, [](const auto& range) {
                    return denies(range.first) && denies(range.second);
                  });
  captures_body_ =
      std::ranges::any_of(step.captures, [](const Capture& c) { return c.kind != Capture::Kind::kHeader; });
  status_only_ = !expect.body && expect.sha256.empty() && !expect.length;
}

bool Expectation::headers_met(const ReplyParser& reply, const Values& values) const {
  for (const HeaderCheck& check : step_->expect.headers) {
    const std::string name = lower(check.name);
    const std::string& wanted = check.value.text();
    if (wanted == "!" || wanted == "*") {
      if (reply.find(name).has_value() != (wanted == "*")) return false;
      continue;
    }
    // One of several fields, or all of them as the list that they are: RFC 9110, 5.3.
    const std::string value = check.value.render(values);
    bool met = false, first = true;
    std::string all;
    reply.each(name, [&](std::string_view one) {
      met = one == value;
      if (!std::exchange(first, false)) all += ", ";
      all += one;
      return !met;
    });
    if (!met && (first || all != value)) return false;
  }
  return true;
}

Ending Expectation::judge(const Reply& reply, const Values& values) const {
  const Expect& expect = step_->expect;
  const bool expected = std::ranges::any_of(expect.status, [&](const auto& range) {
    return reply.status >= range.first && reply.status <= range.second;
  });
  if (!expected) {
    if (reply.status == 429) return {Outcome::kLimited, Reason::kStatus};
    if (denial_) return {Outcome::kFailed, Reason::kNotDenied};
    return {Outcome::kFailed, denies(reply.status) ? Reason::kUnexpectedDenial : Reason::kStatus};
  }
  if (!reply.headers_met) return {Outcome::kFailed, Reason::kHeader};
  if (!status_only_) {
    if (expect.length && reply.length != *expect.length) return {Outcome::kFailed, Reason::kLength};
    if (expect.body && !reply.found_beyond && !reply.body.contains(expect.body->render(values)))
      return {Outcome::kFailed, Reason::kBody};
    if (wants_digest() && reply.sha256 != expect.sha256) return {Outcome::kFailed, Reason::kDigest};
  }
  return {expect.outcome.value_or(outcome_of(reply.status)), Reason::kNone};
}

}  // namespace prove
