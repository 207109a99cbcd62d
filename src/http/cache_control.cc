#include "http/cache_control.h"

#include <algorithm>

#include "http/chars.h"

namespace http {

namespace {

constexpr std::uint64_t kMaxDelta = std::uint64_t{1} << 31;  // RFC 9111 §1.2.2: what is beyond counts as this

std::string_view unquote(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') return text.substr(1, text.size() - 2);
  return text;
}

// Delta-seconds, quoted or not; 0 for what is no number.
std::uint32_t seconds_of(std::string_view text) {
  text = unquote(text);
  if (text.empty() || !std::all_of(text.begin(), text.end(), [](char c) { return is(kDigitChar, c); }))
    return 0;
  std::uint64_t n = 0;
  if (!parse_decimal(text, n)) n = kMaxDelta;  // digits only, so it is out of range
  return static_cast<std::uint32_t>(std::min(n, kMaxDelta));
}

void keep_smallest(std::optional<std::uint32_t>& slot, std::string_view text) {
  const std::uint32_t n = seconds_of(text);
  slot = slot ? std::min(*slot, n) : n;
}

// A token, or a quoted string that ends where the text does.
bool is_argument(std::string_view text) {
  if (!text.starts_with('"')) return is_token(text);
  std::size_t at = 1;
  while (at < text.size() && text[at] != '"') at += text[at] == '\\' ? 2 : 1;
  return at + 1 == text.size();
}

// `directive` or `directive="a, b"`. A list once, then bare, speaks of everything: the list is dropped.
void keep_fields(bool& seen, std::string_view& fields, std::string_view argument) {
  const std::string_view list = unquote(argument);
  if (!seen)
    fields = list;
  else if (list != fields)
    fields = {};
  seen = true;
}

}  // namespace

void CacheControl::add(std::string_view value) {
  present = true;
  for (std::string_view rest = value, item; next_element(rest, item);) {
    const std::size_t equals = std::min(item.find('='), item.size());
    const std::string_view name = trim_ows(item.substr(0, equals));
    const bool bare = equals == item.size();
    const std::string_view argument = bare ? std::string_view() : trim_ows(item.substr(equals + 1));
    if (!is_token(name) || (!bare && !is_argument(argument))) malformed = true;
    const auto named = [name](std::string_view directive) { return iequals(name, directive); };

    if (named("max-age"))
      keep_smallest(max_age, argument);
    else if (named("s-maxage"))
      keep_smallest(s_maxage, argument);
    else if (named("no-store"))
      no_store = true;
    else if (named("no-cache"))
      keep_fields(no_cache, no_cache_fields, argument);
    else if (named("private"))
      keep_fields(is_private, private_fields, argument);
    else if (named("public"))
      is_public = true;
    else if (named("must-revalidate"))
      must_revalidate = true;
    else if (named("proxy-revalidate"))
      proxy_revalidate = true;
    else if (named("must-understand"))
      must_understand = true;
    else if (named("no-transform"))
      no_transform = true;
    else if (named("only-if-cached"))
      only_if_cached = true;
    else if (named("immutable"))
      immutable = true;
    else if (named("stale-while-revalidate"))
      keep_smallest(stale_while_revalidate, argument);
    else if (named("stale-if-error"))
      keep_smallest(stale_if_error, argument);
    else if (named("min-fresh"))
      min_fresh = std::max(min_fresh.value_or(0), bare ? 0 : seconds_of(argument));
    else if (named("max-stale") && bare)
      max_stale_any = true;
    else if (named("max-stale"))
      keep_smallest(max_stale, argument);
  }
}

std::string as_private(std::string_view value) {
  std::string out = "private";
  for (std::string_view item; next_element(value, item);) {
    const std::string_view name = trim_ows(item.substr(0, item.find('=')));
    const auto named = [name](std::string_view directive) { return iequals(name, directive); };
    if (!named("public") && !named("private") && !named("s-maxage")) out.append(", ").append(item);
  }
  return out;
}

CacheControl cache_control_of(const FieldList& fields) {
  CacheControl out;
  if (fields.has(FieldId::kCacheControl)) {
    for (const Field& f : fields)
      if (f.id == FieldId::kCacheControl) out.add(f.value);
  } else if (fields.has(FieldId::kPragma)) {
    for (const Field& f : fields)
      if (f.id == FieldId::kPragma && list_has(f.value, "no-cache")) out.no_cache = true;
  }
  return out;
}

}  // namespace http
