#include "cache/key.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "http/chars.h"

namespace cache {

namespace {

struct Head {
  OriginId origin;
  std::uint32_t path_size;
  std::uint16_t host_size;
  std::uint8_t method_class;
  std::uint8_t has_query;
};
static_assert(sizeof(Head) == 24, "no padding: every byte of a key is written");

char* append(char* to, std::string_view text) {
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

}  // namespace

std::size_t key_size(const KeyParts& parts) {
  return sizeof(Head) + parts.host.size() + parts.path.size() + (parts.has_query ? parts.query.size() : 0);
}

std::optional<KeyView> make_key(const KeyParts& parts, std::span<char> scratch) {
  const std::size_t size = key_size(parts);
  // A key is as long as a target at the most; so the sizes of its parts fit where they stand.
  if (size > std::min<std::size_t>(scratch.size(), std::numeric_limits<std::uint16_t>::max()))
    return std::nullopt;

  const Head head{parts.origin, static_cast<std::uint32_t>(parts.path.size()),
                  static_cast<std::uint16_t>(parts.host.size()), 'G', parts.has_query};
  char* p = scratch.data();
  std::memcpy(p, &head, sizeof head);
  p += sizeof head;
  for (const char c : parts.host) *p++ = http::lower(c);
  p = append(p, parts.path);
  if (parts.has_query) append(p, parts.query);
  return KeyView(std::string_view(scratch.data(), size));
}

}  // namespace cache
