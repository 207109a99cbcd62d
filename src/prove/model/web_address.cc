#include "prove/model/web_address.h"

#include <algorithm>

namespace prove {

config::Parsed<WebAddress> WebAddressText::parse(std::string_view text) {
  const std::size_t scheme = text.find("://");
  const std::size_t rest = scheme == text.npos ? text.npos : text.find_first_of("/?#", scheme + 3);
  auto origin = config::UrlText::parse(text.substr(0, rest));
  if (!origin) return std::unexpected(origin.error());
  WebAddress address{.origin = *std::move(origin)};
  if (rest == text.npos) return address;
  const std::string_view path = text.substr(rest);
  const bool plain = std::ranges::all_of(path, [](char c) { return c > ' ' && c < 0x7f && c != '#'; });
  if (path[0] != '/' || !plain)
    return std::unexpected("has a path with a character that must be percent-encoded");
  address.path = path;
  return address;
}

}  // namespace prove
