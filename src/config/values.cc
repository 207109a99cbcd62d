#include "config/values.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <utility>

namespace config {
namespace {

using Unit = std::pair<std::string_view, std::uint64_t>;

// From small to large, so that show() may take the last that divides.
constexpr std::array<Unit, 5> kDurationUnits{
    {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
constexpr std::array<Unit, 10> kSizeUnits{{{"", 1},
                                           {"B", 1},
                                           {"KB", 1'000},
                                           {"KiB", 1ULL << 10},
                                           {"MB", 1'000'000},
                                           {"MiB", 1ULL << 20},
                                           {"GB", 1'000'000'000},
                                           {"GiB", 1ULL << 30},
                                           {"TB", 1'000'000'000'000},
                                           {"TiB", 1ULL << 40}}};

// Digits, then one of the units. Nothing when that is not what `text` is; values stay below 2^62.
std::optional<std::uint64_t> parse_with_unit(std::string_view text, std::span<const Unit> units) {
  std::uint64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  const auto found = std::ranges::find(units, unit, &Unit::first);
  if (found == units.end() || n > (1ULL << 62) / found->second) return std::nullopt;
  return n * found->second;
}

// Several of those behind each other, from large units to small, each unit once: 1h30m.
std::optional<std::uint64_t> parse_with_units(std::string_view text, std::span<const Unit> units) {
  std::uint64_t sum = 0, above = ~std::uint64_t{0};
  do {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const std::size_t end = std::min(text.find_first_of("0123456789", digits), text.size());
    const auto part = parse_with_unit(text.substr(0, end), units);
    const auto unit = std::ranges::find(units, text.substr(digits, end - digits), &Unit::first);
    if (!part || unit == units.end() || unit->second >= above || *part > (1ULL << 62) - sum)
      return std::nullopt;
    sum += *part;
    above = unit->second;
    text.remove_prefix(end);
  } while (!text.empty());
  return sum;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_alnum(char c) {
  return is_digit(c) || is_lower(c) || (c >= 'A' && c <= 'Z');
}
bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

// `text` when it is 1 to `most` characters that are alphanumeric or in `also`.
Parsed<std::string> of_characters(std::string_view text, std::string_view also, std::size_t most,
                                  std::string_view otherwise) {
  const auto allowed = [also](char c) { return is_alnum(c) || also.contains(c); };
  if (text.empty()) return std::unexpected("is empty");
  if (text.size() > most || !std::ranges::all_of(text, allowed))
    return std::unexpected(std::string(otherwise));
  return std::string(text);
}

Parsed<base::Secret> header_safe(std::string_view text) {
  if (!std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; }))
    return std::unexpected("holds a space, a control byte or a byte beyond ASCII");
  return base::Secret(std::string(text));
}

// Whether the character there makes a path look like a pattern of another gateway's: taken literally, it
// would match nothing and leave what it was to guard open. `+`, `$`, `:` and parentheses are letters
// elsewhere.
bool is_pattern(std::string_view path, std::size_t at) {
  const char before = path[at == 0 ? 0 : at - 1];
  const bool ends = at + 1 == path.size() || path[at + 1] == '/';
  switch (path[at]) {
    case '*':
    case '{':
    case '}':
    case '[':
    case ']':
    case '<':
    case '>':
    case '|':
    case '^':
      return true;
    case '$':
      return ends && before != '/';
    case '+':
      return before == '.' || before == ')';
    case ':':
      return before == '/' && !ends;
    default:
      return false;
  }
}

}  // namespace

Parsed<bool> Switch::parse(std::string_view text) {
  if (text == "true" || text == "on") return true;
  if (text == "false" || text == "off") return false;
  return std::unexpected("is neither true (on) nor false (off)");
}

Parsed<std::uint64_t> Count::parse(std::string_view text) {
  constexpr std::array<Unit, 1> kNone{{{"", 1}}};
  if (const auto n = parse_with_unit(text, kNone)) return *n;
  return std::unexpected("is not a whole number");
}

Parsed<std::uint64_t> Size::parse(std::string_view text) {
  if (const auto n = parse_with_unit(text, kSizeUnits)) return *n;
  return std::unexpected("is not a size; write 512, 64KB, 16KiB, 16MiB or 1GiB");
}

std::string Size::show(std::uint64_t v) {
  if (v == 0) return "0";
  std::string_view unit;
  std::uint64_t scale = 1;
  for (const auto& [name, bytes] : kSizeUnits)
    if ((name.ends_with("iB") || name.empty()) && v % bytes == 0) unit = name, scale = bytes;
  return fmt::format("{}{}", v / scale, unit);
}

Parsed<Millis> Duration::parse(std::string_view text) {
  if (const auto n = parse_with_units(text, kDurationUnits)) return Millis(static_cast<Millis::rep>(*n));
  return std::unexpected("is not a duration; write 500ms, 10s, 3m30s, 1h or 1d");
}

std::string Duration::show(Millis v) {
  const auto n = static_cast<std::uint64_t>(v.count());
  if (n == 0) return "0s";
  Unit best = kDurationUnits[0];
  for (const Unit& unit : kDurationUnits)
    if (n % unit.second == 0) best = unit;
  return fmt::format("{}{}", n / best.second, best.first);
}

Parsed<Seconds> WholeSeconds::parse(std::string_view text) {
  const Parsed<Millis> millis = Duration::parse(text);
  if (!millis) return std::unexpected(millis.error());
  if (millis->count() % 1'000 != 0) return std::unexpected("must be whole seconds");
  return std::chrono::duration_cast<Seconds>(*millis);
}

namespace text_rule {

Parsed<std::string> MayBeEmpty::check(std::string_view text) {
  if (std::ranges::any_of(text, is_control)) return std::unexpected("holds a control byte");
  return std::string(text);
}

Parsed<std::string> Plain::check(std::string_view text) {
  if (text.empty()) return std::unexpected("is empty");
  return MayBeEmpty::check(text);
}

Parsed<std::string> KeyPrefix::check(std::string_view text) {
  if (text.starts_with('/')) return std::unexpected("must not begin with '/': keys of a bucket do not");
  return MayBeEmpty::check(text);
}

Parsed<std::string> Name::check(std::string_view text) {
  return of_characters(text, "-_.", 64, "is not a name: letters, digits, '-', '_' and '.', 64 at most");
}

Parsed<std::string> HeaderName::check(std::string_view text) {
  return of_characters(text, "!#$%&'*+-.^_`|~", 128, "is not the name of a header");
}

Parsed<std::string> QueryName::check(std::string_view text) {
  return of_characters(text, "-._~", 128, "is not the name of a query parameter: letters, digits, '-._~'");
}

Parsed<std::string> Bucket::check(std::string_view text) {
  constexpr std::string_view kOtherwise = "is not the name of a bucket";
  if (text == "." || text == "..") return std::unexpected(std::string(kOtherwise));
  return of_characters(text, "-_.", 255, kOtherwise);
}

Parsed<std::string> AccessKeyId::check(std::string_view text) {
  return of_characters(text, "-_.~+@:", 128, "is not an access key id");
}

Parsed<std::string> Region::check(std::string_view text) {
  return of_characters(text, "-", 64, "is not a region such as eu-central-1");
}

Parsed<std::string> HostName::check(std::string_view text) {
  return of_characters(text, "-_.:", 253, "is not a host's name");
}

Parsed<std::string> MethodName::check(std::string_view text) {
  auto name = of_characters(text, "!#$%&'*+-.^_`|~", 32, "is not a method");
  if (!name && text.contains(',')) return std::unexpected(name.error() + "; several are a list: [GET, POST]");
  if (!name) return name;
  std::string capitals = *name;
  std::ranges::transform(capitals, capitals.begin(),
                         [](char c) { return is_lower(c) ? char(c - 'a' + 'A') : c; });
  if (capitals == "CONNECT" || capitals == "TRACE") return std::unexpected("is never let through");
  for (const std::string_view known : {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})
    if (capitals == known && *name != known)
      return std::unexpected(fmt::format("is not {}: the names of methods are in capitals", known));
  return name;
}

Parsed<std::string> RoutePath::check(std::string_view text) {
  if (!text.starts_with('/')) return std::unexpected("must begin with '/'");
  if (text.ends_with("/*") || text.ends_with("/**"))
    return std::unexpected("ends with '*'; a path holds for all beneath it, so leave the '*' out");
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '#') return std::unexpected("holds '#'; a path ends before it");
    if (c == '?') return std::unexpected("holds '?': a path ends before it, and it is no pattern");
    if (c == '%') return std::unexpected("holds '%': write the character itself, not its encoding");
    if (c == '\\' || is_control(c))
      return std::unexpected("holds a backslash or a control byte, which no request can match");
    if (is_pattern(text, i))
      return std::unexpected(
          fmt::format("holds '{}': a path is no pattern but a prefix, which everything beneath it has", c));
  }
  for (std::size_t at = 0; at != text.npos;) {
    const std::size_t next = text.find('/', at + 1);
    const std::string_view segment = text.substr(at + 1, next == text.npos ? text.npos : next - at - 1);
    const std::string_view name = segment.substr(0, segment.find(';'));
    if (name == "." || name == "..") return std::unexpected("holds a dot segment");
    if (segment.empty() && next != text.npos) return std::unexpected("holds '//'");
    at = next;
  }
  return std::string(text);
}

}  // namespace text_rule

Parsed<std::string> FilePath::parse(std::string_view text) {
  if (text.starts_with("~/"))
    return std::unexpected("begins with '~/', which only shells expand; write ${HOME}/");
  return Text::parse(text);
}

Parsed<base::Secret> SecretText::parse(std::string_view text) {
  if (text.empty()) return std::unexpected("is empty");
  return header_safe(text);
}

Parsed<base::Secret> OptionalSecret::parse(std::string_view text) {
  return header_safe(text);
}

Parsed<base::Secret> SecretBytes::parse(std::string_view text) {
  if (text.empty()) return std::unexpected("is empty");
  return base::Secret(std::string(text));
}

}  // namespace config
