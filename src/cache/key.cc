#include "cache/key.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>

#include "http/chars.h"

namespace cache {

namespace {

struct Head {
  OriginId origin;
  std::uint16_t path_size;
  std::uint16_t fields_size;
  std::uint16_t host_size;
  std::uint8_t rendering;
  std::uint8_t has_query;
};
static_assert(sizeof(Head) == 24, "no padding: every byte of a key is written");

char* append(char* to, std::string_view text) {
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

Resource hash_of(Head head, std::string_view path_and_query) {
  head.fields_size = head.host_size = head.rendering = 0;
  std::string text(sizeof head, '\0');
  std::memcpy(text.data(), &head, sizeof head);
  return base::siphash(text.append(path_and_query));
}

}  // namespace

std::size_t key_size(const KeyParts& parts) {
  return sizeof(Head) + parts.host.size() + parts.fields.size() + parts.path.size() +
         (parts.has_query ? parts.query.size() : 0);
}

std::optional<KeyView> make_key(const KeyParts& parts, std::span<char> scratch) {
  const std::size_t size = key_size(parts);
  // A key is as long as a target at the most; so the sizes of its parts fit where they stand.
  if (size > std::min<std::size_t>(scratch.size(), std::numeric_limits<std::uint16_t>::max()))
    return std::nullopt;

  const Head head{parts.origin,
                  static_cast<std::uint16_t>(parts.path.size()),
                  static_cast<std::uint16_t>(parts.fields.size()),
                  static_cast<std::uint16_t>(parts.host.size()),
                  parts.rendering,
                  parts.has_query};
  char* p = scratch.data();
  std::memcpy(p, &head, sizeof head);
  p += sizeof head;
  for (const char c : parts.host) *p++ = http::lower(c);
  p = append(p, parts.fields);
  p = append(p, parts.path);
  if (parts.has_query) append(p, parts.query);
  return KeyView(std::string_view(scratch.data(), size));
}

Resource resource_of(const KeyParts& parts) {
  const Head head{.origin = parts.origin,
                  .path_size = static_cast<std::uint16_t>(parts.path.size()),
                  .fields_size = 0,
                  .host_size = 0,
                  .rendering = 0,
                  .has_query = parts.has_query};
  std::string text(parts.path);
  if (parts.has_query) text.append(parts.query);
  return hash_of(head, text);
}

Resource resource_of(std::string_view key) {
  Head head;
  if (key.size() < sizeof head) return 0;
  std::memcpy(&head, key.data(), sizeof head);
  return hash_of(head, key.substr(sizeof head + head.host_size + head.fields_size));
}

}  // namespace cache
