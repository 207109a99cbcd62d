#include "identity/claim_rules.h"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_stack.hpp>
#include <charconv>
#include <cmath>
#include <compare>
#include <span>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "config/claim_path.h"
#include "config/fingerprint.h"

namespace identity {
namespace {

namespace json = boost::json;
using config::ClaimRule;
using config::ClaimStep;
using config::ClaimValue;

// Builds what boost::json::parse builds, but with numbers read exactly: its own may miss by the last bit, and
// a rule must not depend on how a number is written.
class Handler {
 public:
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();

  json::value take() { return stack_.release(); }

  bool on_document_begin(json::error_code&) {
    stack_.reset();
    return true;
  }
  bool on_document_end(json::error_code&) { return true; }
  bool on_array_begin(json::error_code&) { return true; }
  bool on_array_end(std::size_t n, json::error_code&) { return stack_.push_array(n), true; }
  bool on_object_begin(json::error_code&) { return true; }
  bool on_object_end(std::size_t n, json::error_code&) { return stack_.push_object(n), true; }
  bool on_string_part(json::string_view s, std::size_t, json::error_code&) {
    return stack_.push_chars(s), true;
  }
  bool on_string(json::string_view s, std::size_t, json::error_code&) { return stack_.push_string(s), true; }
  bool on_key_part(json::string_view s, std::size_t, json::error_code&) { return stack_.push_chars(s), true; }
  bool on_key(json::string_view s, std::size_t, json::error_code&) { return stack_.push_key(s), true; }
  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(std::int64_t n, json::string_view, json::error_code&) { return stack_.push_int64(n), true; }
  bool on_uint64(std::uint64_t n, json::string_view, json::error_code&) {
    return stack_.push_uint64(n), true;
  }
  // `written` is the whole number, as the whole text is given at once.
  bool on_double(double near, json::string_view written, json::error_code&) {
    double exact = near;
    std::from_chars(written.data(), written.data() + written.size(), exact);
    return stack_.push_double(exact), true;
  }
  bool on_bool(bool b, json::error_code&) { return stack_.push_bool(b), true; }
  bool on_null(json::error_code&) { return stack_.push_null(), true; }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  json::value_stack stack_;
};

// All claims; null where the payload is not what a Principal holds.
json::value claims_of(std::string_view payload) {
  json::basic_parser<Handler> parser{json::parse_options()};
  json::error_code error;
  const std::size_t read = parser.write_some(false, payload.data(), payload.size(), error);
  if (error || read != payload.size()) return nullptr;
  return parser.handler().take();
}

// ---- comparing

using Wide = __int128;  // holds every integer of Boost.JSON

std::partial_ordering order(double a, double b) {
  return a <=> b;
}
std::partial_ordering order(Wide a, double b) {
  if (b >= 0x1p64) return std::partial_ordering::less;
  if (b < -0x1p63) return std::partial_ordering::greater;
  const double whole = std::trunc(b);
  if (const auto by_whole = a <=> static_cast<Wide>(whole); by_whole != 0) return by_whole;
  return whole <=> b;
}

// Unordered when either is no number.
std::partial_ordering order(const json::value& claim, const ClaimValue& wanted) {
  const auto* real = std::get_if<double>(&wanted);
  const auto* whole = std::get_if<std::int64_t>(&wanted);
  if (real == nullptr && whole == nullptr) return std::partial_ordering::unordered;
  if (claim.is_double()) {
    if (real != nullptr) return order(claim.get_double(), *real);
    const std::partial_ordering reversed = order(Wide(*whole), claim.get_double());
    return 0 <=> reversed;
  }
  if (!claim.is_int64() && !claim.is_uint64()) return std::partial_ordering::unordered;
  const Wide n = claim.is_int64() ? Wide(claim.get_int64()) : Wide(claim.get_uint64());
  return real != nullptr ? order(n, *real) : n <=> Wide(*whole);
}

bool equal(const json::value& claim, const ClaimValue& wanted) {
  if (const auto* text = std::get_if<std::string>(&wanted))
    return claim.is_string() && claim.get_string() == *text;
  if (const auto* flag = std::get_if<bool>(&wanted)) return claim.is_bool() && claim.get_bool() == *flag;
  return order(claim, wanted) == 0;
}

bool contains(const json::value& claim, const ClaimValue& wanted) {
  const json::array* list = claim.if_array();
  if (list == nullptr) return claim.is_string() && equal(claim, wanted);
  return std::ranges::any_of(*list, [&](const json::value& each) { return equal(each, wanted); });
}

bool has_within(const json::value& claim, const ClaimValue& wanted) {
  const auto* text = std::get_if<std::string>(&wanted);
  return text != nullptr && claim.is_string() && std::string_view(claim.get_string()).contains(*text);
}

// A text of words as the list that it is.
json::array words_of(std::string_view text) {
  json::array words;
  for (std::size_t end; !text.empty(); text.remove_prefix(std::min(end + 1, text.size()))) {
    end = std::min(text.find(' '), text.size());
    if (end > 0) words.emplace_back(text.substr(0, end));
  }
  return words;
}

bool passes(ClaimRule::Test test, const json::value& claim, const std::vector<ClaimValue>& wanted) {
  using enum ClaimRule::Test;
  switch (test) {
    case kEquals:
    case kIn:
      return std::ranges::any_of(wanted, [&](const ClaimValue& each) { return equal(claim, each); });
    case kContains:
      return contains(claim, wanted[0]);
    case kSubstring:
      return has_within(claim, wanted[0]);
    case kGt:
      return order(claim, wanted[0]) > 0;
    case kLt:
      return order(claim, wanted[0]) < 0;
    case kGte:
      return order(claim, wanted[0]) >= 0;
    case kLte:
      return order(claim, wanted[0]) <= 0;
    case kExists:
      return true;
  }
  return false;
}

// ---- finding

// Whether something other than null that passes stands where the steps lead.
template <class Passes>
bool any_at(const json::value& from, std::span<const ClaimStep> steps, const Passes& pass) {
  if (steps.empty()) return !from.is_null() && pass(from);
  const ClaimStep& step = steps.front();
  const auto rest = steps.subspan(1);
  if (step.kind == ClaimStep::Kind::kMember) {
    const json::object* object = from.if_object();
    const json::value* member = object == nullptr ? nullptr : object->if_contains(step.name);
    return member != nullptr && any_at(*member, rest, pass);
  }
  const json::array* array = from.if_array();
  if (array == nullptr) return false;
  if (step.kind == ClaimStep::Kind::kElement)
    return step.index < array->size() && any_at((*array)[step.index], rest, pass);
  return std::ranges::any_of(*array, [&](const json::value& each) { return any_at(each, rest, pass); });
}

}  // namespace

struct ClaimRules::Rule {
  explicit Rule(const ClaimRule& from) : kind(from.kind), test(from.test), values(from.values) {
    for (const ClaimRule& each : from.rules) rules.emplace_back(each);
    if (kind != ClaimRule::Kind::kTest) return;
    auto steps = config::ClaimPath::parse(from.claim);
    if (!steps) throw std::invalid_argument("the claim '" + from.claim + "' " + steps.error());
    path = *std::move(steps);
    if (values.empty())
      throw std::invalid_argument("the rule for the claim '" + from.claim + "' has no value");
  }

  bool holds(const json::value& claims) const {
    const auto each = [&claims](const Rule& rule) { return rule.holds(claims); };
    switch (kind) {
      case ClaimRule::Kind::kAll:
        return std::ranges::all_of(rules, each);
      case ClaimRule::Kind::kAny:
        return std::ranges::any_of(rules, each);
      case ClaimRule::Kind::kNot:
        return !rules.front().holds(claims);
      case ClaimRule::Kind::kTest:
        break;
    }
    const bool found = passes_somewhere(claims);
    return test == ClaimRule::Test::kExists ? found == std::get<bool>(values.front()) : found;
  }

  bool passes_somewhere(const json::value& claims) const {
    const auto pass = [this](const json::value& claim) { return passes(test, claim, values); };
    const std::span<const ClaimStep> steps = path;
    const json::value* first = claims.get_object().if_contains(steps.front().name);
    if (first != nullptr && first->is_string()) {  // which may be a list in disguise
      const std::string_view name = steps.front().name, text = first->get_string();
      if (name == "aud" && steps.size() > 1) return any_at(json::array{text}, steps.subspan(1), pass);
      if ((name == "scope" || name == "scp") && (steps.size() > 1 || test == ClaimRule::Test::kContains))
        return any_at(words_of(text), steps.subspan(1), pass);
    }
    return any_at(claims, steps, pass);
  }

  ClaimRule::Kind kind;
  ClaimRule::Test test;
  std::vector<Rule> rules;
  std::vector<ClaimStep> path;
  std::vector<ClaimValue> values;
};

ClaimRules::ClaimRules(std::span<const ClaimRule> rules) {
  if (rules.empty()) return;
  rules_.reserve(rules.size());
  for (const ClaimRule& rule : rules) rules_.emplace_back(rule);
  id_ = std::max<std::uint64_t>(config::fingerprint(rules), 1);
}

ClaimRules::ClaimRules(ClaimRules&&) noexcept = default;
ClaimRules& ClaimRules::operator=(ClaimRules&&) noexcept = default;
ClaimRules::~ClaimRules() = default;

bool ClaimRules::hold(const Principal& principal) const {
  if (empty()) return true;
  if (const std::optional<bool> known = principal.verdict(id_)) return *known;
  const json::value claims = claims_of(principal.payload);
  const bool holds = claims.is_object() && !rules_.empty() &&
                     std::ranges::all_of(rules_, [&](const Rule& rule) { return rule.holds(claims); });
  principal.remember_verdict(id_, holds);
  return holds;
}

}  // namespace identity
