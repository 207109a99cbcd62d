#include "prove/wire/expectation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <stdexcept>
#include <utility>
#include <vector>

#include "base/sabotage.h"
#include "prove/wire/secrets.h"

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

constexpr std::array<std::string_view, 5> kTests = {"is", "contains", "matches", "does not contain",
                                                    "does not match"};

std::string told(TextTest test, const Template& value, const Values& values) {
  return fmt::format("{} '{}'", kTests[static_cast<std::size_t>(test)], value.render(values));
}

std::string field(const HeaderCheck& check, const Values& values) {
  const std::string& wanted = check.value.text();
  if (check.test != TextTest::kIs)
    return fmt::format("{} that {}", check.name, told(check.test, check.value, values));
  if (wanted == "!") return "no field " + check.name;
  if (wanted == "*") return "a field " + check.name;
  return fmt::format("{}: {}", check.name, check.value.render(values));
}

Pattern pattern_of(TextTest test, const Template& value) {
  if (!has_pattern(test)) return {};
  auto out = Pattern::compile(value.text());
  if (!out) throw std::runtime_error(fmt::format("'{}' is no regular expression", value.text()));
  return *std::move(out);
}

}  // namespace

Expectation::Expectation(const Step& step) : step_(&step), json_(step.expect) {
  const Expect& expect = step.expect;
  // 401-403 asks for a denial just as 401 or 403 does: 402 is nobody's answer.
  denial_ = expect.outcome
                ? *expect.outcome == Outcome::kDenied
                : !expect.status.empty() && std::ranges::all_of(expect.status, [](const auto& range) {
                    return denies(range.first) && denies(range.second);
                  });
  fields_.reserve(expect.headers.size());
  for (const HeaderCheck& check : expect.headers)
    fields_.push_back({&check, lower(check.name), pattern_of(check.test, check.value)});
  patterns_.reserve(expect.body.size());
  for (const TextCheck& check : expect.body) patterns_.push_back(pattern_of(check.test, check.value));
  keeps_body_ =
      !expect.body.empty() || json_.any() ||
      std::ranges::any_of(step.captures, [](const Capture& c) { return c.kind != Capture::Kind::kHeader; });
  status_only_ = expect.body.empty() && !json_.any() && expect.sha256.empty() && !expect.length;
}

bool Expectation::FieldTest::fits(std::string_view value, const std::string& wanted) const {
  switch (check->test) {
    case TextTest::kIs:
      return value == wanted;
    case TextTest::kContains:
    case TextTest::kNotContains:
      return value.contains(wanted);
    case TextTest::kMatches:
      return pattern.find(value) == Pattern::Found::kYes;
    case TextTest::kNotMatches:
      return pattern.find(value) != Pattern::Found::kNo;
  }
  return false;
}

// One of several fields, or all of them as the list that they are: RFC 9110, 5.3. What must not be is in none
// of them.
bool Expectation::FieldTest::met(const ReplyParser& reply, const Values& values) const {
  const std::string& given = check->value.text();
  if (check->test == TextTest::kIs && (given == "!" || given == "*"))
    return reply.find(name).has_value() == (given == "*");
  const std::string wanted = check->value.render(values);
  bool found = false, first = true;
  std::string all;
  reply.each(name, [&](std::string_view one) {
    found = fits(one, wanted);
    if (!std::exchange(first, false)) all += ", ";
    all += one;
    return !found;
  });
  return (found || (!first && fits(all, wanted))) != negative(check->test);
}

const Expectation::FieldTest* Expectation::broken_header(const ReplyParser& reply,
                                                         const Values& values) const {
  const auto broken =
      std::ranges::find_if(fields_, [&](const FieldTest& test) { return !test.met(reply, values); });
  return broken == fields_.end() ? nullptr : &*broken;
}

std::vector<Beyond> Expectation::beyond(std::string_view kept, const Values& values) const {
  std::vector<Beyond> out;
  for (std::size_t i = 0; i < patterns_.size(); ++i) {
    if (patterns_[i].any()) continue;
    std::string text = step_->expect.body[i].value.render(values);
    std::string tail(kept.substr(kept.size() - std::min(kept.size(), text.size())));
    out.push_back({i, std::move(text), std::move(tail)});
  }
  return out;
}

void Expectation::go_on(std::vector<Beyond>& searches, std::string_view piece, std::uint64_t& found) {
  for (Beyond& search : searches) {
    const std::uint64_t bit = std::uint64_t{1} << search.index;
    if ((found & bit) != 0) continue;
    search.tail += piece;
    if (search.tail.contains(search.text)) found |= bit;
    search.tail.erase(0, search.tail.size() - std::min(search.tail.size(), search.text.size()));
  }
}

Expectation::Held Expectation::held(std::size_t text, const Reply& reply, const Values& values) const {
  const TextCheck& check = step_->expect.body[text];
  const bool wanted = !negative(check.test);
  const auto as = [](bool holds) { return holds ? Held::kYes : Held::kNo; };
  if (!has_pattern(check.test))
    return as(((reply.found_beyond >> text & 1) != 0 || reply.body.contains(check.value.render(values))) ==
              wanted);
  const bool cut = reply.length > reply.body.size();
  const Pattern::Found found = patterns_[text].find(reply.body, cut);
  if (found == Pattern::Found::kGaveUp) return Held::kNo;
  if (found == Pattern::Found::kNo && cut) return Held::kUnknown;
  return as((found == Pattern::Found::kYes) == wanted);
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
    for (std::size_t i = 0; i < expect.body.size() && !sabotage::on("prove-body-not-checked"); ++i)
      if (const Held is = held(i, reply, values); is != Held::kYes)
        return {Outcome::kFailed, is == Held::kNo ? Reason::kBody : Reason::kTooLong};
    if (json_.any()) {
      if (reply.length > reply.body.size()) return {Outcome::kFailed, Reason::kTooLong};
      if (!json_.met(reply.body, values)) return {Outcome::kFailed, Reason::kBody};
    }
    if (wants_digest() && reply.sha256 != expect.sha256) return {Outcome::kFailed, Reason::kDigest};
  }
  return {expect.outcome.value_or(outcome_of(reply.status)), Reason::kNone};
}

std::string Expectation::text(const Values& values) const {
  const Expect& expect = step_->expect;
  std::string out = "status " + statuses(expect);
  for (const HeaderCheck& check : expect.headers) out += ", " + field(check, values);
  for (const TextCheck& check : expect.body) out += ", a body that " + told(check.test, check.value, values);
  if (json_.any()) out += ", JSON with " + json_.text(values);
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
      return broken_body(reply, values);
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
    case Reason::kUntil:
      return fmt::format("'{}' had not come true after {} times",
                         step_->repeat.until ? step_->repeat.until->text : "", step_->repeat.times);
    case Reason::kRedirect:
      return with("the redirect was not followed");
    case Reason::kCoding:
      return with("the body's coding cannot be undone");
    case Reason::kReplyTimeout:
      return fmt::format("no whole reply within {} ms", step_->timeout.count());
    case Reason::kInFlight:
      return "the run ended before the reply did";
    default:
      return {};
  }
}

std::string Expectation::broken_body(const Reply& reply, const Values& values) const {
  for (std::size_t i = 0; i < step_->expect.body.size(); ++i) {
    if (held(i, reply, values) != Held::kNo) continue;
    const TextCheck& check = step_->expect.body[i];
    constexpr std::array<std::string_view, 5> kWords = {"be", "contain", "match", "contain", "match"};
    return fmt::format("the body was {}to {} '{}'", negative(check.test) ? "not " : "",
                       kWords[static_cast<std::size_t>(check.test)], check.value.render(values));
  }
  return json_.any() ? json_.broken(reply.body, values) : std::string();
}

// The head is read once more, since its fields are gone when it is known that the request went wrong.
std::string Expectation::broken_header(std::string_view reply, const Values& values) const {
  ReplyParser parser;
  parser.start(step_->method == "HEAD");
  const FieldTest* broken =
      parser.next(reply) == ReplyParser::Event::kHead ? broken_header(parser, values) : nullptr;
  if (!broken) return "a header field is not what was expected";
  std::string came;
  parser.each(broken->name, [&](std::string_view value) {
    came += fmt::format("{}'{}'", came.empty() ? "" : ", ", value);
    return true;
  });
  if (!came.empty() && sounds_secret(broken->name)) came = "…";
  return fmt::format("{} was expected, {} came", field(*broken->check, values), came.empty() ? "none" : came);
}

}  // namespace prove
