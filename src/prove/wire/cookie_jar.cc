#include "prove/wire/cookie_jar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <optional>
#include <utility>

namespace prove {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  return out;
}

// Takes what stands before the next `;`.
std::string_view next_part(std::string_view& rest) {
  const std::size_t end = std::min(rest.find(';'), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

bool is_address(std::string_view host) {
  return host.contains(':') || host.find_first_not_of("0123456789.") == host.npos;
}

// RFC 6265, 5.1.3.
bool domain_matches(std::string_view host, std::string_view domain) {
  if (host == domain) return true;
  return host.ends_with(domain) && host[host.size() - domain.size() - 1] == '.' && !is_address(host);
}

// RFC 6265, 5.1.4.
bool path_matches(std::string_view path, std::string_view of_cookie) {
  if (!path.starts_with(of_cookie)) return false;
  return path.size() == of_cookie.size() || of_cookie.ends_with('/') || path[of_cookie.size()] == '/';
}

std::string default_path(std::string_view path) {
  const std::size_t last = path.rfind('/');
  return !path.starts_with('/') || last == 0 ? "/" : std::string(path.substr(0, last));
}

std::string_view without_query(std::string_view path) {
  return path.substr(0, path.find('?'));
}

std::optional<std::int64_t> number(std::string_view digits) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || digits.empty()) return std::nullopt;
  return value;
}

std::int64_t seconds(base::Wall now) {
  return std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
}

// The number at the front of a token of a date, of so many digits, with none behind it.
std::optional<std::int64_t> digits_of(std::string_view token, std::size_t least, std::size_t most) {
  const std::size_t n = std::min(token.find_first_not_of("0123456789"), token.size());
  if (n < least || n > most) return std::nullopt;
  return number(token.substr(0, n));
}

struct Date {
  std::optional<std::array<std::int64_t, 3>> time;
  std::optional<std::int64_t> day, month, year;

  void take(std::string_view token) {
    const auto taken = [](auto& part, const auto& read) {
      if (part || !read) return false;
      part = read;
      return true;
    };
    if (taken(time, time_of(token)) || taken(day, digits_of(token, 1, 2)) || taken(month, month_of(token)))
      return;
    if (!year) year = digits_of(token, 2, 4);
  }

  static std::optional<std::array<std::int64_t, 3>> time_of(std::string_view token) {
    std::array<std::int64_t, 3> out{};
    for (std::size_t i = 0; i < 3; ++i) {
      const std::size_t end = i < 2 ? token.find(':') : token.size();
      if (end == token.npos) return std::nullopt;
      const auto value = digits_of(token.substr(0, end), 1, 2);
      if (!value) return std::nullopt;
      out[i] = *value;
      token.remove_prefix(std::min(end + 1, token.size()));
    }
    return out;
  }
  static std::optional<std::int64_t> month_of(std::string_view token) {
    constexpr std::string_view kMonths = "janfebmaraprmayjunjulaugsepoctnovdec";
    if (token.size() < 3) return std::nullopt;
    const std::size_t at = kMonths.find(lower(token.substr(0, 3)));
    if (at == kMonths.npos || at % 3 != 0) return std::nullopt;
    return static_cast<std::int64_t>(at / 3 + 1);
  }
};

}  // namespace

std::int64_t cookie_date(std::string_view text) {
  const auto delimits = [](char c) {
    return !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == ':');
  };
  Date date;
  for (std::size_t from = 0; from < text.size();) {
    std::size_t to = from;
    while (to < text.size() && !delimits(text[to])) ++to;
    if (to > from) date.take(text.substr(from, to - from));
    from = to + 1;
  }
  if (!date.time || !date.day || !date.month || !date.year) return INT64_MIN;
  std::int64_t year = *date.year;
  if (year >= 70 && year <= 99) year += 1900;
  if (year >= 0 && year <= 69) year += 2000;
  const auto [hour, minute, second] = *date.time;
  const std::chrono::year_month_day day(std::chrono::year(static_cast<int>(year)),
                                        std::chrono::month(static_cast<unsigned>(*date.month)),
                                        std::chrono::day(static_cast<unsigned>(*date.day)));
  if (!day.ok() || year < 1601 || hour > 23 || minute > 59 || second > 59) return INT64_MIN;
  return std::int64_t{std::chrono::sys_days(day).time_since_epoch().count()} * 86'400 + hour * 3'600 +
         minute * 60 + second;
}

void CookieJar::take(std::string_view set_cookie, const CookiePlace& place, base::Wall now) {
  const std::string_view pair = next_part(set_cookie);
  const std::size_t equals = pair.find('=');
  if (equals == pair.npos) return;
  Cookie cookie;
  cookie.name = trimmed(pair.substr(0, equals));
  cookie.value = trimmed(pair.substr(equals + 1));
  if (cookie.name.empty() || cookie.name.size() + cookie.value.size() > kMostBytes) return;
  cookie.domain = place.host;
  bool has_age = false;
  while (!set_cookie.empty()) {
    const std::string_view part = next_part(set_cookie);
    const std::size_t at = std::min(part.find('='), part.size());
    const std::string name = lower(trimmed(part.substr(0, at)));
    const std::string_view value = trimmed(part.substr(std::min(at + 1, part.size())));
    if (name == "secure") {
      cookie.secure = true;
    } else if (name == "path") {
      cookie.path = value.starts_with('/') ? value : "";
    } else if (name == "domain" && !value.empty()) {
      cookie.domain = lower(value.substr(value.starts_with('.') ? 1 : 0));
      cookie.host_only = false;
    } else if (name == "max-age") {
      const auto age = number(value);
      if (!age) continue;
      has_age = true;
      cookie.expires = *age <= 0 ? INT64_MIN : seconds(now) + std::min<std::int64_t>(*age, 1LL << 40);
    } else if (name == "expires" && !has_age) {
      if (const std::int64_t date = cookie_date(value); date != INT64_MIN) cookie.expires = date;
    }
  }
  if (!cookie.host_only && !domain_matches(place.host, cookie.domain)) return;
  if (cookie.domain == place.host && is_address(place.host)) cookie.host_only = true;
  if (!cookie.host_only && cookie.domain != place.host && !cookie.domain.contains('.')) return;
  if (cookie.secure && !place.secure) return;
  if (cookie.path.empty()) cookie.path = default_path(without_query(place.path));

  const auto known = std::ranges::find_if(cookies_, [&](const Cookie& c) {
    return c.name == cookie.name && c.domain == cookie.domain && c.path == cookie.path;
  });
  if (cookie.expires <= seconds(now)) {
    if (known != cookies_.end()) cookies_.erase(known);
  } else if (known != cookies_.end()) {
    *known = std::move(cookie);  // in its old place, as the RFC keeps its creation time
  } else {
    if (cookies_.size() == kMost) cookies_.erase(cookies_.begin());
    cookies_.push_back(std::move(cookie));
  }
}

bool CookieJar::Cookie::goes_to(const CookiePlace& place) const {
  if (secure && !place.secure) return false;
  return (host_only ? place.host == domain : domain_matches(place.host, domain)) &&
         path_matches(without_query(place.path), path);
}

// Longer paths first, and of one length the older one: RFC 6265, 5.4.
void CookieJar::append_to(std::string& out, const CookiePlace& place, base::Wall now) {
  std::erase_if(cookies_, [&](const Cookie& c) { return c.expires <= seconds(now); });
  std::vector<const Cookie*> sent;
  sent.reserve(cookies_.size());
  for (const Cookie& cookie : cookies_)
    if (cookie.goes_to(place)) sent.push_back(&cookie);
  if (sent.empty()) return;
  std::ranges::sort(sent, [](const Cookie* a, const Cookie* b) {
    return a->path.size() != b->path.size() ? a->path.size() > b->path.size() : a < b;
  });
  std::string_view before = "Cookie: ";
  for (const Cookie* cookie : sent)
    out.append(std::exchange(before, "; ")).append(cookie->name).append("=").append(cookie->value);
  out += "\r\n";
}

void CookieJar::append_values_to(std::vector<std::string>& out) const {
  for (const Cookie& cookie : cookies_) out.push_back(cookie.value);
}

}  // namespace prove
