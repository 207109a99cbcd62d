// How a field name is found: a perfect hash made at compile time. Private to the parsers of this room, which
// have it inline; everybody else calls field_id.
//
// Owner: nobody; constants. Thread: any. Failure: none.
#pragma once

#include <array>
#include <cstring>

#include "http/chars.h"
#include "http/field.h"

namespace http::detail {

inline constexpr std::size_t kFieldCount = static_cast<std::size_t>(FieldId::kCount);

// In the order of FieldId.
inline constexpr std::array<std::string_view, kFieldCount> kFieldNames = {"",
                                                                          "Host",
                                                                          "Connection",
                                                                          "Content-Length",
                                                                          "Transfer-Encoding",
                                                                          "Authorization",
                                                                          "Cookie",
                                                                          "Range",
                                                                          "If-Range",
                                                                          "If-Match",
                                                                          "If-None-Match",
                                                                          "If-Modified-Since",
                                                                          "If-Unmodified-Since",
                                                                          "Expect",
                                                                          "Upgrade",
                                                                          "TE",
                                                                          "Trailer",
                                                                          "Keep-Alive",
                                                                          "Proxy-Authenticate",
                                                                          "Proxy-Authorization",
                                                                          "Proxy-Connection",
                                                                          "Cache-Control",
                                                                          "Pragma",
                                                                          "Age",
                                                                          "Date",
                                                                          "ETag",
                                                                          "Last-Modified",
                                                                          "Expires",
                                                                          "Vary",
                                                                          "Set-Cookie",
                                                                          "Content-Type",
                                                                          "Content-Range",
                                                                          "Content-Encoding",
                                                                          "Accept-Ranges",
                                                                          "Accept-Encoding",
                                                                          "X-Forwarded-For",
                                                                          "X-Forwarded-Proto",
                                                                          "X-Forwarded-Host",
                                                                          "Forwarded",
                                                                          "X-Request-Id",
                                                                          "Via",
                                                                          "Server",
                                                                          "Cache-Status",
                                                                          "Location",
                                                                          "Allow",
                                                                          "Retry-After",
                                                                          "WWW-Authenticate",
                                                                          "traceparent",
                                                                          "User-Agent",
                                                                          "Origin",
                                                                          "Referer",
                                                                          "Sec-Fetch-Site",
                                                                          "Max-Forwards",
                                                                          "Accept",
                                                                          "Accept-Language"};
static_assert(!kFieldNames.back().empty(), "a FieldId has no name");

inline constexpr std::size_t kLongestField = 24;
inline constexpr std::size_t kFieldSlots = 256;

// A perfect hash: length, first and last letter tell the names apart, and a multiplier found at compile time
// gives each a slot of its own.
constexpr std::size_t slot_of(std::size_t size, char first, char last, std::uint32_t multiplier) {
  const auto letter = [](char c) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(c) | 0x20u);
  };
  const std::uint32_t key = static_cast<std::uint32_t>(size) | letter(first) << 8 | letter(last) << 16;
  return (key * multiplier) >> 24;
}

struct FieldTable {
  std::uint32_t multiplier = 0;
  std::array<std::uint8_t, kFieldSlots> ids{};
  std::array<std::uint8_t, kFieldCount> sizes{};
  std::array<std::array<char, kLongestField>, kFieldCount> lowered{};
};

consteval FieldTable make_field_table() {
  FieldTable t;
  for (std::uint32_t multiplier = 0x9e3779b1;; multiplier += 0x61c8864e) {
    t.ids = {};
    bool clash = false;
    for (std::size_t id = 1; id < kFieldCount && !clash; ++id) {
      const std::string_view name = kFieldNames[id];
      std::uint8_t& slot = t.ids[slot_of(name.size(), name.front(), name.back(), multiplier)];
      clash = slot != 0;
      slot = static_cast<std::uint8_t>(id);
    }
    if (clash) continue;
    t.multiplier = multiplier;
    break;
  }
  for (std::size_t id = 1; id < kFieldCount; ++id) {
    t.sizes[id] = static_cast<std::uint8_t>(kFieldNames[id].size());
    for (std::size_t i = 0; i < kFieldNames[id].size(); ++i) t.lowered[id][i] = lower(kFieldNames[id][i]);
  }
  return t;
}

inline constexpr FieldTable kFieldTable = make_field_table();

template <class Word>
Word load(const char* p) {
  Word w;
  std::memcpy(&w, p, sizeof w);
  return w;
}

// Whether `name` is `lowered` in any case, word by word with the last word overlapping. Setting bit 5 makes
// letters small and leaves digits and the hyphen; what it turns into one of those is a control, which no
// name holds (callers of field_id with unchecked text lose nothing: they get a wrong id for a wrong name).
template <class Word>
bool same(const char* name, const char* lowered, std::size_t size) {
  constexpr Word kSmall = static_cast<Word>(0x2020202020202020ULL);
  std::size_t i = 0;
  for (; i + sizeof(Word) < size; i += sizeof(Word))
    if ((load<Word>(name + i) | kSmall) != load<Word>(lowered + i)) return false;
  i = size - sizeof(Word);
  return static_cast<Word>(load<Word>(name + i) | kSmall) == load<Word>(lowered + i);
}

inline FieldId find_field_id(std::string_view name) {
  if (name.size() < 2) return FieldId::kOther;
  const std::uint8_t id =
      kFieldTable.ids[slot_of(name.size(), name.front(), name.back(), kFieldTable.multiplier)];
  if (kFieldTable.sizes[id] != name.size()) return FieldId::kOther;
  const char* lowered = kFieldTable.lowered[id].data();
  const bool equal = name.size() >= 8   ? same<std::uint64_t>(name.data(), lowered, name.size())
                     : name.size() >= 4 ? same<std::uint32_t>(name.data(), lowered, name.size())
                                        : same<std::uint16_t>(name.data(), lowered, name.size());
  return equal ? static_cast<FieldId>(id) : FieldId::kOther;
}

}  // namespace http::detail
