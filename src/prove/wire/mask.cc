#include "prove/wire/mask.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "prove/wire/secrets.h"

namespace prove {
namespace {

constexpr std::string_view kHidden = "…";
constexpr std::size_t kShortest = 4;   // what is shorter would be found everywhere
constexpr std::size_t kShortJwt = 16;  // characters behind the first

bool is_secret_name(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  constexpr std::array<std::string_view, 4> kMore = {"signature", "assertion", "session", "jwt"};
  return sounds_secret(lower) ||
         std::ranges::any_of(kMore, [&](std::string_view word) { return lower.contains(word); });
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

std::string encoded(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (is_word(c) || c == '.' || c == '~')
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  return out;
}

void hide(std::string& text, const std::string& secret) {
  if (secret.size() < kShortest) return;
  for (std::size_t at = 0; (at = text.find(secret, at)) != text.npos; at += kHidden.size())
    text.replace(at, secret.size(), kHidden);
  // Of one that was cut off the beginning is there.
  for (std::size_t n = std::min(secret.size() - 1, text.size()); n >= kShortest; --n)
    if (text.ends_with(std::string_view(secret).substr(0, n))) {
      text.replace(text.size() - n, n, kHidden);
      return;
    }
}

std::size_t end_of_head(std::string_view text) {
  return std::min(text.find("\r\n\r\n"), text.size());
}

// f(from, to) for the value of each field of a head that sounds secret.
template <class F>
void each_secret_field(std::string_view text, F&& f) {
  const std::size_t end = end_of_head(text);
  for (std::size_t line = text.find("\r\n"); line < end;) {
    const std::size_t next = std::min(text.find("\r\n", line + 2), end);
    const std::size_t colon = text.find(':', line + 2);
    if (colon < next && is_secret_name(text.substr(line + 2, colon - line - 2))) {
      std::size_t from = colon + 1;
      while (from < next && text[from] == ' ') ++from;
      f(from, next);
    }
    line = next;
  }
}

void hide_fields(std::string& text) {
  std::vector<std::pair<std::size_t, std::size_t>> places;
  each_secret_field(text, [&](std::size_t from, std::size_t to) { places.emplace_back(from, to); });
  for (auto place = places.rbegin(); place != places.rend(); ++place)
    text.replace(place->first, place->second - place->first, kHidden);
}

// name=value of a query, a form or a list of cookies.
void hide_parameters(std::string& text) {
  for (std::size_t at = 0; (at = text.find('=', at)) != text.npos; ++at) {
    std::size_t from = at;
    while (from > 0 && is_word(text[from - 1])) --from;
    if (from == at || !is_secret_name(std::string_view(text).substr(from, at - from))) continue;
    const std::size_t to = std::min(text.find_first_of("& \r\n\";,<", at + 1), text.size());
    text.replace(at + 1, to - at - 1, kHidden);
  }
}

// "name": "value" of JSON; the value may be cut off.
void hide_members(std::string& text) {
  for (std::size_t at = 0; (at = text.find("\":", at)) != text.npos; at += 2) {
    const std::size_t open = at == 0 ? text.npos : text.rfind('"', at - 1);
    if (open == text.npos || !is_secret_name(std::string_view(text).substr(open + 1, at - open - 1)))
      continue;
    std::size_t from = text.find_first_not_of(" \t\r\n", at + 2);
    if (from == text.npos) return;
    std::size_t to = text.find_first_of(",}] \r\n", from);
    if (text[from] == '"') {
      ++from;
      for (to = from; to < text.size() && text[to] != '"'; ++to)
        if (text[to] == '\\') ++to;
    } else if (text[from] == '{' || text[from] == '[') {
      continue;  // its members are looked at themselves
    }
    to = std::min(to, text.size());
    text.replace(from, to - from, kHidden);
  }
}

void hide_jwts(std::string& text) {
  for (std::size_t at = 0; (at = text.find("eyJ", at)) != text.npos; at += kHidden.size()) {
    std::size_t to = at;
    while (to < text.size() && (is_word(text[to]) || text[to] == '.')) ++to;
    if (to - at >= kShortJwt) text.replace(at, to - at, kHidden);
  }
}

}  // namespace

void Mask::learn(const Seen& seen) {
  const auto from = [&](const std::string& text) {
    each_secret_field(text, [&](std::size_t begin, std::size_t end) {
      const std::string value = text.substr(begin, end - begin);
      // Without its scheme and its attributes too: "Bearer x", "sid=x; Path=/".
      for (std::size_t word = 0; word < value.size();) {
        const std::size_t next = std::min(value.find_first_of(" ;,", word), value.size());
        const std::string one = value.substr(word, next - word);
        const std::size_t equals = one.find('=');
        const std::string held = equals + 1 < one.size() && equals != one.npos ? one.substr(equals + 1) : one;
        if (held.size() >= 2 * kShortest) secrets_.push_back(held);
        word = next + 1;
      }
    });
  };
  from(seen.request);
  from(seen.reply);
}

std::string Mask::message(std::string text) const {
  hide_fields(text);
  text = this->text(std::move(text));
  for (std::size_t at = 0; (at = text.find("\r\n", at)) != text.npos;) text.erase(at, 1);
  return text;
}

std::string Mask::text(std::string text) const {
  for (const std::string& secret : secrets_) {
    hide(text, secret);
    if (const std::string other = encoded(secret); other != secret) hide(text, other);
  }
  hide_jwts(text);
  hide_members(text);
  hide_parameters(text);
  return text;
}

}  // namespace prove
