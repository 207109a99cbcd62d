#include "prove/wire/mask.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/sabotage.h"
#include "prove/wire/secrets.h"

namespace prove {
namespace {

constexpr std::string_view kHidden = "…";
constexpr std::size_t kShortest = 4;       // what is shorter would be found everywhere
constexpr std::size_t kWorthLearning = 8;  // of what is only guessed to be a secret
constexpr std::size_t kShortJwt = 16;      // characters behind the first

struct Place {
  std::size_t from, to;
};
using Places = std::vector<Place>;

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// ---- where values stand whose names sound secret

// Of fields of heads: those of interim replies too, and with bare line feeds. A line of a body that looks
// like one is taken for one.
void add_fields(std::string_view text, Places& places) {
  for (std::size_t line = 0; line < text.size();) {
    const std::size_t end = std::min(text.find('\n', line), text.size());
    std::size_t to = end;
    if (to > line && text[to - 1] == '\r') --to;
    std::size_t colon = line;
    while (colon < to && (is_word(text[colon]) || text[colon] == '.')) ++colon;
    if (colon < to && text[colon] == ':' && sounds_secret(text.substr(line, colon - line))) {
      std::size_t from = colon + 1;
      while (from < to && is_blank(text[from])) ++from;
      places.push_back({from, to});
    }
    line = end + 1;
  }
}

// name=value of a query, a form or a list of cookies; `user[password]` and its like are names, too.
void add_parameters(std::string_view text, Places& places) {
  const auto names = [](char c) { return is_word(c) || c == '[' || c == ']' || c == '%' || c == '.'; };
  for (std::size_t at = 0; (at = text.find('=', at)) != text.npos; ++at) {
    std::size_t from = at;
    while (from > 0 && names(text[from - 1])) --from;
    if (from == at || !sounds_secret(text.substr(from, at - from))) continue;
    std::size_t to = at + 1;
    for (; to < text.size(); ++to) {
      const char c = text[to];
      if (c == '&' || c == ';' || c == '"' || c == '<' || is_blank(c)) break;
      if (c == ',' && to + 1 < text.size() && is_blank(text[to + 1])) break;
    }
    places.push_back({at + 1, to});
  }
}

std::size_t end_of_string(std::string_view text, std::size_t from) {
  std::size_t to = from;
  for (; to < text.size() && text[to] != '"'; ++to)
    if (text[to] == '\\') ++to;
  return std::min(to, text.size());
}

// "name": value of JSON; it may be cut off. Of a list all, of an object its members, by their own names.
void add_members(std::string_view text, Places& places) {
  for (std::size_t close = 0; (close = text.find('"', close + 1)) != text.npos;) {
    std::size_t colon = close + 1;
    while (colon < text.size() && is_blank(text[colon])) ++colon;
    if (colon == text.size() || text[colon] != ':') continue;
    const std::size_t open = close == 0 ? text.npos : text.rfind('"', close - 1);
    if (open == text.npos || !sounds_secret(text.substr(open + 1, close - open - 1))) continue;
    std::size_t from = colon + 1;
    while (from < text.size() && is_blank(text[from])) ++from;
    if (from == text.size() || text[from] == '{') continue;
    if (text[from] == '"')
      places.push_back({from + 1, end_of_string(text, from + 1)});
    else if (text[from] == '[')
      places.push_back({from + 1, std::min(text.find(']', from), text.size())});
    else
      places.push_back({from, std::min(text.find_first_of(",}] \r\n", from), text.size())});
  }
}

// <Name>value</Name>, without attributes, as object stores and token services write it.
void add_elements(std::string_view text, Places& places) {
  for (std::size_t open = 0; (open = text.find('<', open)) != text.npos; ++open) {
    std::size_t end = open + 1;
    while (end < text.size() && (is_word(text[end]) || text[end] == ':')) ++end;
    if (end == open + 1 || end == text.size() || text[end] != '>') continue;
    if (!sounds_secret(text.substr(open + 1, end - open - 1))) continue;
    places.push_back({end + 1, std::min(text.find('<', end), text.size())});
  }
}

// The contents of a part of multipart/form-data (RFC 7578) whose name sounds secret.
void add_parts(std::string_view text, Places& places) {
  constexpr std::string_view kPart = "form-data; name=\"", kBlank = "\r\n\r\n", kEnd = "\r\n--";
  for (std::size_t at = 0; (at = text.find(kPart, at)) != text.npos;) {
    at += kPart.size();
    const std::size_t quote = text.find('"', at);
    const std::size_t blank = text.find(kBlank, at);
    if (quote == text.npos || blank == text.npos) return;
    if (!sounds_secret(text.substr(at, quote - at))) continue;
    const std::size_t from = blank + kBlank.size();
    places.push_back({from, std::min(text.find(kEnd, from), text.size())});
    at = from;
  }
}

Places places_of(std::string_view text, bool fields) {
  Places places;
  if (fields) add_fields(text, places);
  add_parameters(text, places);
  add_members(text, places);
  add_elements(text, places);
  add_parts(text, places);
  return places;
}

// ---- where a secret stands, however it is written

std::optional<char> hex(std::string_view digits) {
  unsigned value = 0;
  for (const char c : digits) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return std::nullopt;
    value = value * 16 + static_cast<unsigned>(digit);
  }
  return value < 256 ? std::optional(static_cast<char>(value)) : std::nullopt;
}

// How many bytes of `text` stand for this character: itself, percent-encoded, or escaped as in JSON; 0: none.
std::size_t taken_by(std::string_view text, char wanted) {
  if (text.starts_with(wanted)) return 1;
  if (text.starts_with('%') && text.size() >= 3 && hex(text.substr(1, 2)) == wanted) return 3;
  if (text.starts_with("\\u") && text.size() >= 6 && hex(text.substr(2, 4)) == wanted) return 6;
  return text.size() >= 2 && text[0] == '\\' && text[1] == wanted ? 2 : 0;
}

// The bytes from `at` on that are the secret, or its beginning where the text ends with it; 0: none.
std::size_t match(std::string_view text, std::size_t at, std::string_view secret) {
  const std::size_t from = at;
  std::size_t read = 0;
  for (; read < secret.size() && at < text.size(); ++read) {
    const std::size_t step = taken_by(text.substr(at), secret[read]);
    if (step == 0) return 0;
    at += step;
  }
  return read == secret.size() || read >= kShortest ? at - from : 0;
}

void hide(std::string& text, std::string_view secret) {
  for (std::size_t at = 0; at < text.size(); ++at)
    if (const std::size_t length = match(text, at, secret); length > 0) {
      text.replace(at, length, kHidden);
      at += kHidden.size() - 1;
    }
}

void hide_jwts(std::string& text) {
  for (std::size_t at = 0; (at = text.find("eyJ", at)) != text.npos; at += kHidden.size()) {
    std::size_t to = at;
    while (to < text.size() && (is_word(text[to]) || text[to] == '.')) ++to;
    if (to - at >= kShortJwt) text.replace(at, to - at, kHidden);
  }
}

// From the last to the first, so that places stay where they are; what lies within another goes with it.
void hide_places(std::string& text, Places places) {
  std::ranges::sort(places, {}, [](const Place& p) { return std::pair(p.from, p.to); });
  Places apart;
  for (const Place& place : places) {
    if (!apart.empty() && place.from <= apart.back().to)
      apart.back().to = std::max(apart.back().to, place.to);
    else
      apart.push_back(place);
  }
  for (auto place = apart.rbegin(); place != apart.rend(); ++place)
    if (place->to > place->from) text.replace(place->from, place->to - place->from, kHidden);
}

// RFC 7617: "user:password" in base64; nothing where it is none.
std::string password_of(std::string_view credentials) {
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : credentials) {
    const int digit = c >= 'A' && c <= 'Z'   ? c - 'A'
                      : c >= 'a' && c <= 'z' ? c - 'a' + 26
                      : c >= '0' && c <= '9' ? c - '0' + 52
                      : c == '+' || c == '-' ? 62
                      : c == '/' || c == '_' ? 63
                                             : -1;
    if (digit < 0) break;
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> count & 0xff);
  }
  const std::size_t colon = out.find(':');
  return colon == out.npos ? std::string() : out.substr(colon + 1);
}

void sort_out(std::vector<std::string>& secrets) {
  std::erase_if(secrets, [](const std::string& s) { return s.size() < kShortest; });
  std::ranges::sort(secrets, [](const std::string& a, const std::string& b) {
    return std::pair(b.size(), std::string_view(a)) < std::pair(a.size(), std::string_view(b));
  });
  const auto twice = std::ranges::unique(secrets);
  secrets.erase(twice.begin(), twice.end());
}

}  // namespace

Mask::Mask(std::vector<std::string> secrets) : secrets_(std::move(secrets)) {
  sort_out(secrets_);
}

void Mask::learn(const Seen& seen) {
  const auto keep = [&](std::string_view one) {
    if (one.size() >= kWorthLearning) secrets_.emplace_back(one);
  };
  for (const std::string_view text : {std::string_view(seen.request), std::string_view(seen.reply)})
    for (const Place& place : places_of(text, true)) {
      const std::string_view value = text.substr(place.from, place.to - place.from);
      // Without its scheme and its attributes too: "Bearer x", "sid=x; Path=/".
      bool basic = false;
      for (std::size_t word = 0; word < value.size();) {
        const std::size_t next = std::min(value.find_first_of(" ;,\"", word), value.size());
        const std::string_view one = value.substr(word, next - word);
        keep(one);
        // A password is no guess, whatever its length.
        if (basic) secrets_.push_back(password_of(one));
        basic = one == "Basic" || one == "basic";
        if (const std::size_t equals = one.find('='); equals != one.npos) keep(one.substr(equals + 1));
        word = next + 1;
      }
    }
  sort_out(secrets_);
}

std::string Mask::message(std::string text) const {
  if (sabotage::on("prove-shows-secrets")) return text;
  Places fields;
  add_fields(text, fields);
  hide_places(text, std::move(fields));
  text = this->text(std::move(text));
  for (std::size_t at = 0; (at = text.find("\r\n", at)) != text.npos;) text.erase(at, 1);
  return text;
}

std::string Mask::text(std::string text) const {
  hide_places(text, places_of(text, false));
  for (const std::string& secret : secrets_) hide(text, secret);
  hide_jwts(text);
  return text;
}

}  // namespace prove
