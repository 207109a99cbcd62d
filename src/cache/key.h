// The cache key: what an origin is asked for, encoded so that two different questions never look alike.
//
// Owner:    the caller of make_key owns the bytes (scratch on the stack or in the connection); an Entry keeps
//           a copy of its own.
// Thread:   any; plain values.
// Failure:  nullopt when the scratch is too small or a part too long; the request then bypasses the cache.
//
// Layout: a fixed head of 24 bytes (origin, the lengths, how it is rendered, whether there is a query), then
// host, fields, path and query. The lengths make it injective whatever the parts contain. The bytes are the
// same in every process on little-endian machines, the only ones this is built for. The hash is not: it is
// keyed (base::siphash), as strangers choose paths, but no bucket.
//
// The same without what the client had to tell is a Resource: all that a write to that path and query makes
// old, whoever asked for it by which host.
//
// RFC 9111 §2: the primary key is method and target URI. The method is GET always (HEAD is answered
// from a GET's entry). Path and query are those the *origin* gets, after the prefix, a token in the query and
// whatever the origin ignores have been taken off: what differs only in these shares one entry.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/siphash.h"

namespace cache {

// Who answers: config::AnswerId. Two configurations share an id only when they would give the same object for
// the same path (same kind, endpoint, bucket, prefix, credentials), also across reloads and restarts: that is
// what keeps the cache valid, and one tenant's entries from another. Zero is nobody's.
struct OriginId {
  std::uint64_t high = 0, low = 0;
};

// What a write makes old, as a keyed hash. Two that collide cost a fetch, no more.
using Resource = std::uint64_t;

// Key bytes with their hash, computed once a request.
struct KeyView {
  KeyView() = default;
  explicit KeyView(std::string_view key) : bytes(key), hash(base::siphash(key)) {}
  KeyView(std::string_view key, std::uint64_t known_hash) : bytes(key), hash(known_hash) {}

  std::string_view bytes;
  std::uint64_t hash = 0;

  friend bool operator==(const KeyView& a, const KeyView& b) {
    return a.hash == b.hash && a.bytes == b.bytes;
  }
};

struct KeyParts {
  OriginId origin{};
  std::string_view path = {};   // as the origin gets it
  std::string_view query = {};  // likewise, without '?'
  bool has_query = false;       // "/a?" is not "/a"
  // What an http origin is told of the host, since that may stand in its answer: the client's Host, and of a
  // trusted proxy what it tells of host and scheme, too. Letters are folded to lower case. Empty for origins
  // that are told nothing.
  std::string_view host = {};
  // The fields of this request that the origin is told although they change its answer (forward_fields),
  // rendered.
  std::string_view fields = {};
  // Routes that lead to one origin may render its replies in several ways; each is kept by itself.
  std::uint8_t rendering = 0;
};

std::size_t key_size(const KeyParts& parts);

// No allocation; the view points into `scratch`.
std::optional<KeyView> make_key(const KeyParts& parts, std::span<char> scratch);

// Of the origin, path and query; the rest of the parts does not count.
Resource resource_of(const KeyParts& parts);
// The same of a key that make_key() made.
Resource resource_of(std::string_view key);

}  // namespace cache
