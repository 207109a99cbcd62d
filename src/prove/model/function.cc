#include "prove/model/function.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <optional>
#include <utility>

namespace prove {
namespace {

constexpr std::string_view kString = "random_string";
constexpr std::string_view kNumber = "random_int";
constexpr std::size_t kLongest = 65'536;

constexpr std::string_view kAll = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kAlphabets = {{
    {"alphanumeric", kAll},
    {"letters", kAll.substr(0, 52)},
    {"lower", kAll.substr(0, 26)},
    {"upper", kAll.substr(26, 26)},
    {"digits", kAll.substr(52)},
    {"hex", "0123456789abcdef"},
}};

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::optional<std::int64_t> whole(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The characters that the word names, or that stand in quotes; "": neither.
std::string_view alphabet_of(std::string_view text) {
  if (text.size() > 2 && text.front() == '\'' && text.back() == '\'') {
    const std::string_view given = text.substr(1, text.size() - 2);
    const auto plain = [](char c) { return c >= ' ' && c <= '~' && c != '\''; };
    return std::ranges::all_of(given, plain) ? given : "";
  }
  const auto* const named = std::ranges::find(kAlphabets, text, [](const auto& a) { return a.first; });
  return named == kAlphabets.end() ? "" : named->second;
}

}  // namespace

std::expected<Function, std::string> Function::parse(std::string_view call) {
  const std::size_t open = call.find('(');
  const std::string_view name = trimmed(call.substr(0, open));
  if (open == call.npos || !call.ends_with(')') || (name != kString && name != kNumber))
    return std::unexpected("is no function: random_string(16), random_string(8, hex) or random_int(1, 6)");
  std::string_view inside = call.substr(open + 1, call.size() - open - 2);
  const std::size_t comma = inside.find(',');
  const std::string_view first = trimmed(inside.substr(0, comma));
  const std::string_view second = comma == inside.npos ? "" : trimmed(inside.substr(comma + 1));
  Function out;
  if (name == kNumber) {
    const auto from = whole(first), to = whole(second);
    if (!from || !to || *from > *to)
      return std::unexpected("needs two whole numbers, the smaller first: random_int(1, 6)");
    out.from_ = *from;
    out.span_ = static_cast<std::uint64_t>(*to) - static_cast<std::uint64_t>(*from);
    out.name_ = fmt::format("{}({}, {})", kNumber, *from, *to);
    return out;
  }
  const auto length = whole(first);
  if (!length || *length < 1 || *length > static_cast<std::int64_t>(kLongest))
    return std::unexpected("needs a length of 1 to 65536: random_string(16)");
  out.length_ = static_cast<std::size_t>(*length);
  out.alphabet_ = alphabet_of(comma == inside.npos ? kAlphabets[0].first : second);
  if (out.alphabet_.empty())
    return std::unexpected(
        "needs an alphabet: alphanumeric, letters, lower, upper, digits, hex, or characters in quotes, "
        "'ACGT'");
  out.name_ = fmt::format("{}({}{}{})", kString, *length, second.empty() ? "" : ", ", second);
  return out;
}

void Function::write(Random& random, std::string& out) const {
  out.clear();
  if (alphabet_.empty()) {
    const std::uint64_t more = span_ == ~std::uint64_t{0} ? random.next() : random.below(span_ + 1);
    fmt::format_to(std::back_inserter(out), "{}",
                   static_cast<std::int64_t>(static_cast<std::uint64_t>(from_) + more));
    return;
  }
  out.resize(length_);
  for (char& c : out) c = alphabet_[random.below(alphabet_.size())];
}

}  // namespace prove
