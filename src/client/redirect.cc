#include "client/redirect.h"

#include <algorithm>
#include <string>

#include "config/address.h"
#include "http/chars.h"

namespace client {

namespace {

bool starts_with_nocase(std::string_view text, std::string_view prefix) {
  return http::iequals(text.substr(0, prefix.size()), prefix);
}

// RFC 3986 section 5.2.4, of a path that begins with a slash.
std::string without_dot_segments(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/', 1), path.size());
    const std::string_view segment = path.substr(1, end - 1);
    const bool last = end == path.size();
    if (segment == ".." && !out.empty()) out.erase(out.rfind('/'));
    if (segment == "." || segment == "..") {
      if (last) out += '/';
    } else {
      out += path.substr(0, end);
    }
    path.remove_prefix(end);
  }
  return out;
}

}  // namespace

bool same_origin(const config::Url& a, const config::Url& b) {
  return a.tls == b.tls && a.host == b.host && a.port == b.port;
}

std::optional<config::Url> resolve_reference(const config::Url& base, std::string_view location) {
  location = location.substr(0, location.find('#'));
  const auto visible = [](char c) { return c > ' ' && c < 0x7f && c != '\\'; };
  if (!std::ranges::all_of(location, visible)) return std::nullopt;

  config::Url to = base;
  std::string_view rest = location;
  const bool with_scheme = starts_with_nocase(rest, "http://") || starts_with_nocase(rest, "https://");
  if (with_scheme || rest.starts_with("//")) {
    const std::size_t authority = rest.find("//") + 2;
    const std::size_t end = std::min(rest.find_first_of("/?", authority), rest.size());
    const bool tls = with_scheme ? starts_with_nocase(rest, "https:") : base.tls;
    const auto parsed = config::UrlText::parse((tls ? "https://" : "http://") +
                                               std::string(rest.substr(authority, end - authority)));
    if (!parsed) return std::nullopt;
    to = *parsed;
    rest.remove_prefix(end);
    if (!rest.starts_with('/')) {
      to.path = "/" + std::string(rest);
      return to;
    }
  } else if (rest.substr(0, rest.find_first_of("/?")).contains(':')) {
    return std::nullopt;  // another scheme
  }
  if (rest.empty()) return to;

  const std::string_view base_path = std::string_view(base.path).substr(0, base.path.find('?'));
  const std::size_t mark = std::min(rest.find('?'), rest.size());
  std::string path(rest.substr(0, mark));
  if (path.empty()) {
    path = base_path.empty() ? "/" : base_path;
  } else if (!path.starts_with('/')) {
    const std::size_t folder = base_path.rfind('/');
    path = (folder == std::string_view::npos ? "/" : std::string(base_path.substr(0, folder + 1))) + path;
  }
  to.path = without_dot_segments(path);
  to.path += rest.substr(mark);
  return to;
}

}  // namespace client
