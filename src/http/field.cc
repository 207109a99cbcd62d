#include "http/field.h"

#include <array>
#include <cstring>

#include "http/chars.h"

namespace http {

namespace {

constexpr std::size_t kCount = static_cast<std::size_t>(FieldId::kCount);

// In the order of FieldId.
constexpr std::array<std::string_view, kCount> kNames = {"",
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
                                                         "traceparent"};
static_assert(!kNames.back().empty(), "a FieldId has no name");

constexpr std::size_t kLongest = 24;
constexpr std::size_t kSlots = 256;

// A perfect hash: length, first and last letter tell the names apart, and a multiplier found at compile time
// gives each a slot of its own.
constexpr std::size_t slot_of(std::size_t size, char first, char last, std::uint32_t multiplier) {
  const auto letter = [](char c) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(c) | 0x20u);
  };
  const std::uint32_t key = static_cast<std::uint32_t>(size) | letter(first) << 8 | letter(last) << 16;
  return (key * multiplier) >> 24;
}

struct Table {
  std::uint32_t multiplier = 0;
  std::array<std::uint8_t, kSlots> ids{};
  std::array<std::uint8_t, kCount> sizes{};
  std::array<std::array<char, kLongest>, kCount> lowered{};
};

consteval Table make_table() {
  Table t;
  for (std::uint32_t multiplier = 0x9e3779b1;; multiplier += 0x61c8864e) {
    t.ids = {};
    bool clash = false;
    for (std::size_t id = 1; id < kCount && !clash; ++id) {
      const std::string_view name = kNames[id];
      std::uint8_t& slot = t.ids[slot_of(name.size(), name.front(), name.back(), multiplier)];
      clash = slot != 0;
      slot = static_cast<std::uint8_t>(id);
    }
    if (clash) continue;
    t.multiplier = multiplier;
    break;
  }
  for (std::size_t id = 1; id < kCount; ++id) {
    t.sizes[id] = static_cast<std::uint8_t>(kNames[id].size());
    for (std::size_t i = 0; i < kNames[id].size(); ++i) t.lowered[id][i] = lower(kNames[id][i]);
  }
  return t;
}

constexpr Table kTable = make_table();

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

}  // namespace

FieldId field_id(std::string_view name) {
  if (name.size() < 2) return FieldId::kOther;
  const std::uint8_t id = kTable.ids[slot_of(name.size(), name.front(), name.back(), kTable.multiplier)];
  if (kTable.sizes[id] != name.size()) return FieldId::kOther;
  const char* lowered = kTable.lowered[id].data();
  const bool equal = name.size() >= 8   ? same<std::uint64_t>(name.data(), lowered, name.size())
                     : name.size() >= 4 ? same<std::uint32_t>(name.data(), lowered, name.size())
                                        : same<std::uint16_t>(name.data(), lowered, name.size());
  return equal ? static_cast<FieldId>(id) : FieldId::kOther;
}

std::string_view field_name(FieldId id) {
  return kNames[static_cast<std::size_t>(id)];
}

const Field* FieldList::find(std::string_view name) const {
  for (const Field& f : *this)
    if (iequals(f.name, name)) return &f;
  return nullptr;
}

}  // namespace http
