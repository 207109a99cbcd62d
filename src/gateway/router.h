// Which route serves a path: the longest configured prefix that ends at a segment boundary.
//
// Owner:    gateway::Snapshot; built once, at start and at every reload.
// Thread:   immutable after construction, so any.
// Lifetime: keeps a copy of the prefixes; a Match is plain numbers.
// Failure:  the constructor throws std::invalid_argument (a prefix that does not begin with '/', two that are
//           the same); match() does not fail and does not allocate.
//
// "/photos" and "/photos/" are one prefix: both match /photos, /photos/ and /photos/x, never /photosx.
// "/" matches everything.
//
// The prefixes form a tree of segments, kept in one hash table: a node is found by its parent and its
// segment. match() walks the path once, hashing a segment while it looks for its end, and stops at the first
// segment that no prefix has. So its cost follows the depth of what matches, not the number of routes nor the
// length of a hostile path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gateway {

struct Match {
  std::uint32_t route = 0;     // index into the prefixes as given to the constructor
  std::uint32_t length = 0;    // bytes of the collapsed path that the prefix covers, without a trailing slash
  std::uint32_t segments = 0;  // the same in segments, for rest_of()

  friend bool operator==(const Match&, const Match&) = default;
};

class Router {
 public:
  explicit Router(std::span<const std::string> prefixes);  // decoded, as in the configuration

  // path: decoded and collapsed (http::Target::collapsed). What is left for the origin is
  // path.substr(match.length): empty, or beginning with '/'.
  std::optional<Match> match(std::string_view path) const;

 private:
  struct Node {
    std::uint64_t hash = 0;  // of parent and segment
    std::uint32_t parent = 0;
    std::uint32_t segment = 0;    // where the segment's text begins in text_
    std::uint32_t length = 0;     // of the segment; 0: an empty slot
    std::uint32_t route = kNone;  // kNone: only on the way to a longer prefix
    bool has_children = false;
  };
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};
  static constexpr std::uint32_t kRoot = ~std::uint32_t{0};

  std::uint32_t* add(std::string_view prefix);  // the place of its route
  std::uint32_t find(std::uint32_t parent, std::string_view segment, std::uint64_t hash) const;

  std::vector<Node> nodes_;  // open addressing, a power of two, at most half full
  std::string text_;         // the segments, one after the other
  std::uint64_t mask_ = 0;
  std::uint32_t root_route_ = kNone;
  std::size_t longest_ = 0;  // segment
};

// What is left of a path that still has its double slashes (http::Target::path) behind a match on the
// collapsed one: "//photos//x" behind one segment is "//x".
std::string_view rest_of(std::string_view path, const Match& match);

}  // namespace gateway
