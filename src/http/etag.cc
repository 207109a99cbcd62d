#include "http/etag.h"

#include "http/chars.h"

namespace http {

namespace {

// etagc: %x21 / %x23-7E / obs-text. A backslash is a character like any other.
bool is_etag_char(char c) {
  return is(kValueChar, c) && c != '"' && c != ' ' && c != '\t';
}

// Takes one tag off the front.
std::optional<Etag> take_etag(std::string_view& rest) {
  Etag tag;
  if (rest.starts_with("W/")) {
    tag.weak = true;
    rest.remove_prefix(2);
  }
  if (!rest.starts_with('"')) return std::nullopt;
  std::size_t end = 1;
  while (end < rest.size() && is_etag_char(rest[end])) ++end;
  if (end == rest.size() || rest[end] != '"') return std::nullopt;
  tag.opaque = rest.substr(0, end + 1);
  rest.remove_prefix(end + 1);
  return tag;
}

}  // namespace

std::optional<Etag> parse_etag(std::string_view text) {
  const auto tag = take_etag(text);
  return text.empty() ? tag : std::nullopt;
}

bool etags_equal_strong(std::string_view a, std::string_view b) {
  const auto x = parse_etag(a);
  const auto y = parse_etag(b);
  return x && y && !x->weak && !y->weak && x->opaque == y->opaque;
}

bool etags_equal_weak(std::string_view a, std::string_view b) {
  const auto x = parse_etag(a);
  const auto y = parse_etag(b);
  return x && y && x->opaque == y->opaque;
}

bool etag_list_matches(std::string_view list, std::string_view current, EtagComparison how) {
  std::string_view rest = trim_ows(list);
  if (rest == "*") return true;
  const auto wanted = parse_etag(current);
  if (!wanted || (how == EtagComparison::kStrong && wanted->weak)) return false;
  for (;;) {
    while (!rest.empty() && (rest.front() == ',' || rest.front() == ' ' || rest.front() == '\t'))
      rest.remove_prefix(1);
    const auto tag = take_etag(rest);
    if (!tag) return false;
    if (tag->opaque == wanted->opaque && (how == EtagComparison::kWeak || !tag->weak)) return true;
    rest = trim_ows(rest);
    if (!rest.starts_with(',')) return false;
  }
}

}  // namespace http
