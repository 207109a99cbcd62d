#include "prove/wire/expectation.h"

#include <algorithm>
#include <cctype>

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
    const auto value = reply.find(lower(check.name));
    const std::string& wanted = check.value.text();
    if (wanted == "!" ? value.has_value() : !value) return false;
    if (wanted != "!" && wanted != "*" && *value != check.value.render(values)) return false;
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
    if (expect.body && !reply.body.contains(expect.body->render(values)))
      return {Outcome::kFailed, Reason::kBody};
    if (wants_digest() && reply.sha256 != expect.sha256) return {Outcome::kFailed, Reason::kDigest};
  }
  return {expect.outcome.value_or(outcome_of(reply.status)), Reason::kNone};
}

}  // namespace prove
