#include "prove/load/forms.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "config/address.h"

namespace prove::form {
namespace {

constexpr std::string_view kTo = "..";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Digits and maybe a point with more digits: no sign, no exponent, no bare point.
std::optional<double> decimal(std::string_view text) {
  if (text.empty() || text.size() > 18 || !is_digit(text.front()) || !is_digit(text.back()))
    return std::nullopt;
  if (!std::ranges::all_of(text, [](char c) { return is_digit(c) || c == '.'; })) return std::nullopt;
  double v = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return v;
}

std::optional<std::uint64_t> whole(std::string_view text) {
  std::uint64_t v = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return v;
}

// The two halves of "a..b"; the whole twice where there is no "..".
std::pair<std::string_view, std::string_view> halves(std::string_view text) {
  const std::size_t at = text.find(kTo);
  if (at == text.npos) return {text, text};
  return {text.substr(0, at), text.substr(at + kTo.size())};
}

constexpr std::array<std::pair<std::string_view, int>, 8> kSignals{{{"HUP", SIGHUP},
                                                                    {"INT", SIGINT},
                                                                    {"QUIT", SIGQUIT},
                                                                    {"USR1", SIGUSR1},
                                                                    {"USR2", SIGUSR2},
                                                                    {"TERM", SIGTERM},
                                                                    {"STOP", SIGSTOP},
                                                                    {"CONT", SIGCONT}}};

}  // namespace

Parsed<double> Number::parse(std::string_view text) {
  if (const auto v = decimal(text)) return *v;
  return std::unexpected("is not a number such as 10 or 0.5");
}

Parsed<double> Percent::parse(std::string_view text) {
  const auto v = text.ends_with('%') ? decimal(text.substr(0, text.size() - 1)) : std::nullopt;
  if (!v || *v > 100) return std::unexpected("is not a percentage such as 99.5%");
  return *v;
}

Parsed<Rate::Value> Rate::parse(std::string_view text) {
  const auto [first, last] = halves(text);
  const auto from = decimal(first);
  const auto to = decimal(last);
  if (!from || !to || *from > 10'000'000 || *to > 10'000'000)
    return std::unexpected("is not a rate a second such as 100 or 0..50, at most 10000000");
  return Value{*from, *to};
}

Parsed<Users::Value> Users::parse(std::string_view text) {
  const auto [first, last] = halves(text);
  const auto from = whole(first);
  const auto to = whole(last);
  if (!from || !to || *from > 1'000'000 || *to > 1'000'000)
    return std::unexpected("is not a number of users such as 10 or 10..500, at most 1000000");
  return Value{*from, *to};
}

Parsed<Range::Value> Range::parse(std::string_view text) {
  const auto [first, last] = halves(text);
  const auto from = whole(first);
  const auto to = whole(last);
  if (!text.contains(kTo) || !from || !to || *from > *to)
    return std::unexpected("is not a range such as 1..1000, the smaller number first");
  if (*to - *from >= 1'000'000'000) return std::unexpected("has more than 1000000000 numbers");
  return Value{*from, *to};
}

Parsed<StatusRange> Status::parse(std::string_view text) {
  const auto error = std::unexpected("is not a status such as 200, 2xx or 200..299");
  if (text.size() == 3 && text.ends_with("xx") && text[0] >= '1' && text[0] <= '5') {
    const auto hundred = static_cast<std::uint16_t>((text[0] - '0') * 100);
    return Value{hundred, static_cast<std::uint16_t>(hundred + 99)};
  }
  const auto [first, last] = halves(text);
  const auto from = whole(first);
  const auto to = whole(last);
  if (!from || !to || *from < 100 || *to > 599 || *from > *to) return error;
  return Value{static_cast<std::uint16_t>(*from), static_cast<std::uint16_t>(*to)};
}

Parsed<Think::Value> Think::parse(std::string_view text) {
  const auto [first, last] = halves(text);
  const auto from = config::Duration::parse(first);
  const auto to = config::Duration::parse(last);
  if (!from || !to || *from > *to)
    return std::unexpected("is not a duration such as 500ms, or a range such as 100ms..1s");
  return Value{*from, *to};
}

Parsed<int> Signal::parse(std::string_view text) {
  if (text.starts_with("SIG")) text.remove_prefix(3);
  for (const auto& [name, number] : kSignals)
    if (name == text) return number;
  return std::unexpected("is none of: HUP, INT, QUIT, USR1, USR2, TERM, STOP, CONT");
}

Parsed<std::string> Digest::parse(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (!is_digit(c) && !(c >= 'a' && c <= 'f') && !(c >= 'A' && c <= 'F')) break;
    out += static_cast<char>(c >= 'A' && c <= 'F' ? c + 32 : c);
  }
  if (out.size() != 64 || text.size() != 64)
    return std::unexpected("is not a SHA-256 digest: 64 hexadecimal digits");
  return out;
}

Parsed<std::string> HostPort::parse(std::string_view text) {
  const auto address = config::AddressText::parse(text);
  if (!address) return std::unexpected(address.error());
  if (address->port == 0) return std::unexpected("has the port 0, at which nobody listens");
  return config::AddressText::show(*address);
}

Parsed<std::string> Block::parse(std::string_view text) {
  if (text.contains('\0')) return std::unexpected("holds a NUL byte");
  return std::string(text);
}

Parsed<std::string> Method::parse(std::string_view text) {
  const auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (text.empty() || text.size() > 16 || !std::ranges::all_of(text, upper))
    return std::unexpected("is not a method such as GET or PUT");
  return std::string(text);
}

Parsed<std::string> Path::parse(std::string_view text) {
  if (!text.starts_with('/') && (!text.starts_with("{{") || text.starts_with("{{{{")))
    return std::unexpected("must begin with '/'");
  bool hole = false;  // within one everything is its own
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool plain = text.substr(i).starts_with("{{{{");
    if (!hole && !plain && text.substr(i).starts_with("{{")) hole = true;
    if (!hole && (c <= ' ' || c >= 0x7f || c == '#'))
      return std::unexpected("holds a character that must be percent-encoded");
    if (plain) i += 3;
    if (hole && text.substr(i).starts_with("}}")) hole = false;
  }
  return std::string(text);
}

Parsed<std::string> EnvName::parse(std::string_view text) {
  const auto allowed = [](char c) { return is_letter(c) || is_digit(c) || c == '_'; };
  if (text.empty() || is_digit(text[0]) || !std::ranges::all_of(text, allowed))
    return std::unexpected("is not the name of an environment variable");
  return std::string(text);
}

Parsed<std::string> Identifier::parse(std::string_view text) {
  const auto allowed = [](char c) { return is_letter(c) || is_digit(c) || c == '_'; };
  if (text.empty() || text.size() > 64 || is_digit(text[0]) || !std::ranges::all_of(text, allowed))
    return std::unexpected("is not a name for an expression: letters, digits and '_', no digit first");
  return std::string(text);
}

Parsed<std::string> ValueName::parse(std::string_view text) {
  const auto allowed = [](char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '-'; };
  if (text.empty() || text.size() > 64 || !std::ranges::all_of(text, allowed))
    return std::unexpected("is not a name for a template: letters, digits, '-' and '_', 64 at most");
  return std::string(text);
}

}  // namespace prove::form
