#include "gateway/router.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <set>
#include <stdexcept>

namespace gateway {

namespace {

constexpr std::uint64_t kSeed = 0x9e3779b97f4a7c15;
constexpr std::uint64_t kMultiplier = 0xa0761d6478bd642f;

struct Segment {
  std::size_t length;
  std::uint64_t hash;
};

std::uint64_t mix(std::uint64_t hash, std::uint64_t word) {
  const auto product = static_cast<unsigned __int128>(hash ^ word) * kMultiplier;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

template <class Word>
std::uint64_t load(const char* p) {
  Word word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

// Fewer than eight bytes as a word with zeros above, without reading past them.
std::uint64_t load_short(const char* p, std::size_t n) {
  if (n >= 4) return load<std::uint32_t>(p) | load<std::uint32_t>(p + n - 4) << (8 * (n - 4));
  if (n == 0) return 0;
  return load<std::uint8_t>(p) | load<std::uint8_t>(p + n / 2) << (8 * (n / 2)) |
         load<std::uint8_t>(p + n - 1) << (8 * (n - 1));
}

// The high bit of the first byte that is '/' (and perhaps of later ones).
std::uint64_t slashes_in(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  const std::uint64_t x = word ^ ('/' * kOnes);
  return (x - kOnes) & ~x & (kOnes << 7);
}

// The segment at the front of `rest`, which ends at a slash or with it: its length and its hash in one pass,
// eight bytes at a time. The hash is not keyed: the table holds the operator's prefixes, not strangers'
// paths, and a node's text is compared anyway.
Segment front_segment(std::string_view rest, std::uint64_t seed) {
  const char* const p = rest.data();
  std::size_t at = 0;
  std::uint64_t word;
  for (;; at += 8) {
    const std::size_t left = rest.size() - at;
    word = left >= 8 ? load<std::uint64_t>(p + at) : load_short(p + at, left);
    if (const std::uint64_t slashes = slashes_in(word)) {
      const int bits = std::countr_zero(slashes) & ~7;
      word &= (std::uint64_t{1} << bits) - 1;
      return {at + static_cast<std::size_t>(bits) / 8, mix(seed, word)};
    }
    if (left < 8) return {rest.size(), mix(seed, word)};
    seed = mix(seed, word);
  }
}

std::string normalized(std::string_view prefix) {
  if (!prefix.starts_with('/'))
    throw std::invalid_argument("route prefix '" + std::string(prefix) + "' does not begin with '/'");
  std::string out;
  for (const char c : prefix)
    if (c != '/' || !out.ends_with('/')) out += c;
  if (out.ends_with('/')) out.pop_back();
  return out;  // "" for the root
}

}  // namespace

Router::Router(std::span<const std::string> prefixes) {
  std::set<std::string> inner;  // every prefix and what it stands on
  for (const std::string& prefix : prefixes)
    for (std::string path = normalized(prefix); !path.empty(); path.resize(path.rfind('/')))
      inner.insert(path);
  nodes_.resize(std::bit_ceil(inner.size() * 2 + 1));
  mask_ = nodes_.size() - 1;

  for (std::size_t i = 0; i < prefixes.size(); ++i) {
    std::uint32_t* route = add(normalized(prefixes[i]));
    if (*route != kNone)
      throw std::invalid_argument("route prefix '" + prefixes[i] + "' is there twice, also as '" +
                                  prefixes[*route] + "'");
    *route = static_cast<std::uint32_t>(i);
  }
}

std::uint32_t* Router::add(std::string_view prefix) {
  std::uint32_t* route = &root_route_;
  std::uint32_t parent = kRoot;
  std::uint64_t seed = kSeed;
  while (!prefix.empty()) {
    prefix.remove_prefix(1);
    const Segment segment = front_segment(prefix, seed);
    const std::string_view text = prefix.substr(0, segment.length);
    std::uint32_t at = find(parent, text, segment.hash);
    if (at == kNone) {
      at = static_cast<std::uint32_t>(segment.hash & mask_);
      while (nodes_[at].length != 0) at = static_cast<std::uint32_t>((at + 1) & mask_);
      nodes_[at] = {.hash = segment.hash,
                    .parent = parent,
                    .segment = static_cast<std::uint32_t>(text_.size()),
                    .length = static_cast<std::uint32_t>(text.size())};
      text_ += text;
      longest_ = std::max(longest_, text.size());
      if (parent != kRoot) nodes_[parent].has_children = true;
    }
    route = &nodes_[at].route;
    parent = at;
    seed = segment.hash;
    prefix.remove_prefix(segment.length);
  }
  return route;
}

std::uint32_t Router::find(std::uint32_t parent, std::string_view segment, std::uint64_t hash) const {
  for (std::uint64_t at = hash & mask_; nodes_[at].length != 0; at = (at + 1) & mask_) {
    const Node& node = nodes_[at];
    if (node.hash == hash && node.parent == parent && node.length == segment.size() &&
        std::memcmp(text_.data() + node.segment, segment.data(), segment.size()) == 0)
      return static_cast<std::uint32_t>(at);
  }
  return kNone;
}

std::optional<Match> Router::match(std::string_view path) const {
  if (!path.starts_with('/')) return std::nullopt;
  std::optional<Match> best;
  if (root_route_ != kNone) best = Match{root_route_, 0, 0};

  std::uint32_t parent = kRoot;
  std::uint64_t seed = kSeed;
  std::uint32_t depth = 0;
  for (std::size_t at = 1; at < path.size(); ++at) {
    // A segment longer than any configured one is not read to its end.
    const Segment segment = front_segment(path.substr(at, longest_ + 1), seed);
    const std::uint32_t node = find(parent, path.substr(at, segment.length), segment.hash);
    if (node == kNone) break;
    at += segment.length;
    ++depth;
    if (nodes_[node].route != kNone) best = Match{nodes_[node].route, static_cast<std::uint32_t>(at), depth};
    if (!nodes_[node].has_children) break;
    parent = node;
    seed = segment.hash;
  }
  return best;
}

std::string_view rest_of(std::string_view path, const Match& match) {
  std::size_t at = 0;
  for (std::uint32_t i = 0; i < match.segments; ++i) {
    at = path.find_first_not_of('/', at);
    at = std::min(path.find('/', at), path.size());
  }
  return path.substr(at);
}

}  // namespace gateway
