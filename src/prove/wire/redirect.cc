#include "prove/wire/redirect.h"

#include <algorithm>
#include <optional>

#include "prove/model/template.h"
#include "prove/wire/nocase.h"
#include "prove/wire/secrets.h"

namespace prove {
namespace {

// RFC 3986, 5.2.4.
std::string without_dots(std::string_view path) {
  std::string out;
  while (!path.empty()) {  // one segment with the slash in front of it
    const std::size_t end = std::min(path.find('/', 1), path.size());
    const std::string_view segment = path.substr(0, end);
    const bool last = end == path.size();
    if (segment == "/..") out.erase(std::min(out.rfind('/'), out.size()));
    if (segment != "/.." && segment != "/.")
      out += segment;
    else if (last)
      out += '/';
    path.remove_prefix(end);
  }
  return out;
}

// RFC 3986, 5.2.2, of a reference without scheme and authority; `base` begins with '/'.
std::string resolved(std::string_view reference, std::string_view base) {
  const std::string_view base_path = base.substr(0, base.find('?'));
  if (reference.empty()) return std::string(base);
  if (reference.starts_with('?')) return std::string(base_path) + std::string(reference);
  const std::size_t query = std::min(reference.find('?'), reference.size());
  std::string path(reference.substr(0, query));
  if (!path.starts_with('/')) path.insert(0, base_path.substr(0, base_path.rfind('/') + 1));
  return without_dots(path) + std::string(reference.substr(query));
}

struct Authority {
  std::string_view host;
  std::uint64_t port = 0;
};
std::optional<Authority> authority_of(std::string_view text, bool tls) {
  if (text.empty() || text.contains('@')) return std::nullopt;
  const std::size_t bracket = text.starts_with('[') ? text.find(']') : 0;
  if (bracket == text.npos) return std::nullopt;
  const std::size_t colon = text.find(':', bracket);
  Authority out{.host = text.substr(0, colon), .port = tls ? 443u : 80u};
  if (bracket > 0) out.host = text.substr(1, bracket - 1);
  if (colon == text.npos || colon + 1 == text.size()) return out;
  out.port = 0;
  for (const char c : text.substr(colon + 1)) {
    if (c < '0' || c > '9' || out.port > 65'535) return std::nullopt;
    out.port = out.port * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return out;
}

std::string_view next_line(std::string_view& head) {
  const std::size_t end = std::min(head.find("\r\n"), head.size());
  const std::string_view line = head.substr(0, end);
  head.remove_prefix(std::min(end + 2, head.size()));
  return line;
}

}  // namespace

bool redirects(std::uint16_t status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

Hop hop_to(std::string_view location, const std::vector<Target>& targets, std::size_t target,
           std::string_view path) {
  Hop out{.target = target};
  std::string_view rest = location.substr(0, location.find('#'));
  if (!fits_target(rest)) return {.why = "its Location is no URL"};
  bool tls = targets[target].url.tls;
  const bool http = begins_nocase(rest, "http://"), https = begins_nocase(rest, "https://");
  if (!http && !https && !rest.starts_with("//")) {
    const std::size_t colon = rest.find(':');
    if (colon != rest.npos && colon < rest.find_first_of("/?"))
      return {.why = "its Location is of another scheme than http and https"};
    out.path = resolved(rest, path);
    return out;
  }
  if (http || https) tls = https;
  rest.remove_prefix(rest.find("//") + 2);
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  const auto authority = authority_of(rest.substr(0, end), tls);
  if (!authority) return {.why = "its Location is no URL"};
  rest.remove_prefix(end);
  out.path = rest.starts_with('/') ? resolved(rest, path) : "/" + std::string(rest);
  const auto is = [&](const Target& t) {
    return t.url.tls == tls && t.url.port == authority->port && same_nocase(t.url.host, authority->host);
  };
  if (is(targets[target])) return out;
  const auto found = std::ranges::find_if(targets, is);
  if (found == targets.end()) return {.why = "it leads to no target of the campaign"};
  out.target = static_cast<std::size_t>(found - targets.begin());
  return out;
}

std::string_view path_of(const Wire& wire) {
  const std::string_view line = wire.bytes.substr(0, wire.bytes.find("\r\n"));
  const std::size_t from = line.find(' ') + 1;
  return line.substr(from, line.rfind(' ') - from);
}

Wire follow(const Wire& wire, const Hop& hop, const Again& again, std::string& buffer) {
  std::string_view head = wire.bytes.substr(0, wire.head - 2);
  const std::string_view line = next_line(head);
  const std::string_view method = line.substr(0, line.find(' '));
  const bool whole = again.status == 307 || again.status == 308;
  buffer = whole || method == "HEAD" ? method : "GET";
  buffer.append(" ").append(hop.path).append(" HTTP/1.1\r\n");
  if (again.elsewhere) buffer.append("Host: ").append(again.to->url.authority()).append("\r\n");
  while (!head.empty()) {
    const std::string_view field = next_line(head);
    const std::string_view name = field.substr(0, field.find(':'));
    if (!whole && begins_nocase(name, "content-")) continue;
    if (again.elsewhere && (same_nocase(name, "host") || sounds_secret(name))) continue;
    if (again.drop_cookies && same_nocase(name, "cookie")) continue;
    buffer.append(field).append("\r\n");
  }
  buffer += "\r\n";
  const std::size_t size = buffer.size();
  if (whole) buffer += wire.bytes.substr(wire.head);
  return {.bytes = buffer, .generated = whole ? wire.generated : 0, .head = size};
}

Wire with_field(const Wire& wire, std::string_view line, std::string& buffer) {
  if (wire.bytes.data() != buffer.data()) buffer = wire.bytes;
  buffer.insert(wire.head - 2, line);
  return {.bytes = buffer, .generated = wire.generated, .head = wire.head + line.size()};
}

}  // namespace prove
