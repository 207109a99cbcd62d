// The field lines of a head, for requests and replies alike. Private to the parsers of this room.
//
// Owner:    parse_request and parse_response. Thread: theirs.
// Standard: RFC 9112 §5, without what it allows a recipient to repair (obs-fold, bare CR or LF, white space
//           around names): here these are refused.
#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>

#include "http/field.h"
#include "http/scan.h"

namespace http::detail {

enum class Lines : std::uint8_t { kDone, kMore, kMalformed, kTooMany };

struct LinesEnd {
  Lines what;
  const char* next = nullptr;  // behind the empty line, when done
  std::string_view why = {};   // when malformed
};

// Reads field lines from the start of one to the empty line.
inline LinesEnd read_field_lines(const char* p, const char* end, std::size_t limit, FieldList& fields) {
  constexpr auto more = LinesEnd{Lines::kMore};
  const auto malformed = [](std::string_view why) { return LinesEnd{Lines::kMalformed, nullptr, why}; };
  for (;;) {
    if (p == end) return more;
    if (*p == '\r') {
      if (++p == end) return more;
      if (*p != '\n') return malformed("a bare CR in the head");
      return {Lines::kDone, p + 1};
    }
    const char* const name = p;
    p = scan::Scan::token(p, end);
    if (p == end) return more;
    if (*p != ':' || p == name) {
      if (*p == '\n') return malformed("a line of the head ends without CR");
      if (p == name && (*p == ' ' || *p == '\t')) return malformed("a folded line in the head");
      return malformed("a field name is not a token followed by a colon");
    }
    const std::string_view name_text(name, static_cast<std::size_t>(p - name));
    do {
      if (++p == end) return more;
    } while (*p == ' ' || *p == '\t');
    const char* const value = p;
    p = scan::Scan::value(p, end);
    if (p == end) return more;
    if (*p != '\r') return malformed("a control character or bare LF in a field value");
    const char* last = p;
    while (last != value && (last[-1] == ' ' || last[-1] == '\t')) --last;
    if (++p == end) return more;
    if (*p++ != '\n') return malformed("a bare CR in the head");
    if (fields.size() >= limit ||
        !fields.push(name_text, {value, static_cast<std::size_t>(last - value)}, field_id(name_text)))
      return {Lines::kTooMany};
  }
}

// Whether a head that was incomplete before may be complete or refusable now; remembers the bytes it has
// seen. A head is read again only when another line has ended, or when it has grown past the size of a target
// or of a head, so that one sent byte by byte is not parsed once per byte.
inline bool worth_reading(std::string_view buffer, std::size_t target_limit, std::size_t head_limit,
                          std::size_t* seen) {
  if (seen == nullptr) return true;
  const std::size_t before = *seen;
  *seen = buffer.size();
  if (before == 0 || buffer.size() < before) return true;
  const auto crosses = [&](std::size_t limit) { return before < limit && buffer.size() >= limit; };
  return crosses(target_limit) || crosses(head_limit) ||
         std::memchr(buffer.data() + before, '\n', buffer.size() - before) != nullptr;
}

}  // namespace http::detail
