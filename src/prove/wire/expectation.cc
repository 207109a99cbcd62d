#include "prove/wire/expectation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <utility>
#include <vector>

#include "base/sabotage.h"

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

std::string statuses(const Expect& expect) {
  std::string out;
  for (const auto& [from, to] : expect.status)
    out += fmt::format("{}{}{}", out.empty() ? "" : ", ", from, from == to ? "" : fmt::format("–{}", to));
  return out;
}

std::string field(const HeaderCheck& check, const Values& values) {
  const std::string& wanted = check.value.text();
  if (wanted == "!") return "no field " + check.name;
  if (wanted == "*") return "a field " + check.name;
  return fmt::format("{}: {}", check.name, check.value.render(values));
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

const HeaderCheck* Expectation::broken_header(const ReplyParser& reply, const Values& values) const {
  for (const HeaderCheck& check : step_->expect.headers) {
    const std::string name = lower(check.name);
    const std::string& wanted = check.value.text();
    if (wanted == "!" || wanted == "*") {
      if (reply.find(name).has_value() != (wanted == "*")) return &check;
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
    if (!met && (first || all != value)) return &check;
  }
  return nullptr;
}

Ending Expectation::judge(const Reply& reply, const Values& values) const {
  const Expect& expect = step_->expect;
  const bool expected = std::ranges::any_of(expect.status, [&](const auto& range) {
    return reply.status >= range.first && reply.status <= range.second;
  });
  if (reply.status == 429 && sabotage::on("prove-limits-are-well")) return {Outcome::kOk, Reason::kNone};
  if (!expected && !sabotage::on("prove-status-not-checked")) {
    if (reply.status == 429) return {Outcome::kLimited, Reason::kStatus};
    if (denial_) return {Outcome::kFailed, Reason::kNotDenied};
    return {Outcome::kFailed, denies(reply.status) ? Reason::kUnexpectedDenial : Reason::kStatus};
  }
  if (!reply.headers_met) return {Outcome::kFailed, Reason::kHeader};
  if (!status_only_) {
    if (expect.length && reply.length != *expect.length) return {Outcome::kFailed, Reason::kLength};
    if (expect.body && !sabotage::on("prove-body-not-checked") && !reply.found_beyond &&
        !reply.body.contains(expect.body->render(values)))
      return {Outcome::kFailed, Reason::kBody};
    if (wants_digest() && reply.sha256 != expect.sha256) return {Outcome::kFailed, Reason::kDigest};
  }
  return {expect.outcome.value_or(outcome_of(reply.status)), Reason::kNone};
}

std::string Expectation::text(const Values& values) const {
  const Expect& expect = step_->expect;
  std::string out = "status " + statuses(expect);
  for (const HeaderCheck& check : expect.headers) out += ", " + field(check, values);
  if (expect.body) out += fmt::format(", a body that contains '{}'", expect.body->render(values));
  if (expect.length) out += fmt::format(", a body of {} bytes", *expect.length);
  if (wants_digest()) out += ", a body with the SHA-256 " + expect.sha256;
  for (const Capture& capture : step_->captures) out += ", something to capture as " + capture.as;
  return out;
}

std::string Expectation::broken(Reason reason, const Reply& reply, std::string_view trouble,
                                const Values& values) const {
  const Expect& expect = step_->expect;
  const auto with = [&](std::string_view text) {
    return trouble.empty() ? std::string(text) : fmt::format("{}: {}", text, trouble);
  };
  switch (reason) {
    case Reason::kRefused:
      return with("no connection was made");
    case Reason::kConnectTimeout:
      return fmt::format("no connection within {} ms", step_->timeout.count());
    case Reason::kTls:
      return with("no TLS was agreed on");
    case Reason::kReset:
      return "the connection ended before the reply did";
    case Reason::kBadReply:
      return with("what came is no reply of HTTP/1.1");
    case Reason::kStatus:
    case Reason::kUnexpectedDenial:
    case Reason::kNotDenied:
      return fmt::format("status {} was expected, {} came", statuses(expect), reply.status);
    case Reason::kHeader:
      return broken_header(reply.raw, values);
    case Reason::kBody:
      return fmt::format("the body was to contain '{}'", expect.body ? expect.body->render(values) : "");
    case Reason::kDigest:
      return fmt::format("the body's SHA-256 was to be {}", expect.sha256);
    case Reason::kLength:
      return fmt::format("a body of {} bytes was expected, {} came", expect.length.value_or(0), reply.length);
    case Reason::kCapture: {
      std::vector<std::string_view> names;
      names.reserve(step_->captures.size());
      for (const Capture& capture : step_->captures) names.push_back(capture.from);
      return fmt::format("there is not all that was to be captured: {}", fmt::join(names, ", "));
    }
    case Reason::kTooLong:
      return "what was looked for may lie beyond the part of the body that is kept";
    case Reason::kBadValue:
      return "a value cannot stand where the step puts it; nothing was sent";
    case Reason::kReplyTimeout:
      return fmt::format("no whole reply within {} ms", step_->timeout.count());
    case Reason::kInFlight:
      return "the run ended before the reply did";
    default:
      return {};
  }
}

// The head is read once more, since its fields are gone when it is known that the request went wrong.
std::string Expectation::broken_header(std::string_view reply, const Values& values) const {
  ReplyParser parser;
  parser.start(step_->method == "HEAD");
  const HeaderCheck* check =
      parser.next(reply) == ReplyParser::Event::kHead ? broken_header(parser, values) : nullptr;
  if (!check) return "a header field is not what was expected";
  std::string came;
  parser.each(lower(check->name), [&](std::string_view value) {
    came += fmt::format("{}'{}'", came.empty() ? "" : ", ", value);
    return true;
  });
  return fmt::format("{} was expected, {} came", field(*check, values), came.empty() ? "none" : came);
}

}  // namespace prove
