// The field lines of a head, for requests and replies alike. Private to the parsers of this room.
//
// Owner:    parse_request and parse_response. Thread: theirs.
// Standard: RFC 9112 §5, without what it allows a recipient to repair (obs-fold, bare CR or LF): here these
//           are refused. White space between a name and its colon is refused in a request and removed from a
//           reply, as §5.1 has it.
#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>

#include "http/field.h"
#include "http/field_table.h"
#include "http/scan.h"

namespace http::detail {

enum class Lines : std::uint8_t { kDone, kMore, kMalformed, kTooMany };

struct LinesEnd {
  Lines what;
  const char* next = nullptr;  // behind the empty line, when done
  std::string_view why = {};   // when malformed
};

enum class BeforeColon : bool { kRefused, kRemoved };  // white space, there

// Reads field lines from the start of one to the empty line.
//
// Each line is cut first and split after: where the next line begins depends on nothing but the bytes up to
// the CR, so the processor runs ahead into it while this one's name is still being looked up.
template <BeforeColon kSpace = BeforeColon::kRefused>
inline LinesEnd read_field_lines(const char* p, const scan::Text& text, std::size_t limit,
                                 FieldList& fields) {
  const auto malformed = [](std::string_view why) { return LinesEnd{Lines::kMalformed, nullptr, why}; };
  for (;;) {
    const char* const line = p;
    p = scan::run<kValueChar>(p, text);
    const char* const line_end = p;
    const char* const name_end = scan::run<kTokenChar>(line, text);
    if (name_end == line) {
      if (text.end - p < 2 && (p == text.end || *p == '\r') && p == line) return {Lines::kMore};
      if (p == line && p[0] == '\r' && p[1] == '\n') return {Lines::kDone, p + 2};
      return malformed("an empty field name, a folded line or a bare CR or LF in the head");
    }
    const char* colon = name_end;
    if constexpr (kSpace == BeforeColon::kRemoved)
      while (colon != text.end && (*colon == ' ' || *colon == '\t')) ++colon;
    if (colon == text.end) return {Lines::kMore};
    if (*colon != ':') return malformed("a field name is not a token followed by a colon");
    if (line_end == text.end) return {Lines::kMore};
    if (*line_end != '\r') return malformed("a control character or bare LF in a field value");
    if (text.end - line_end < 2) return {Lines::kMore};
    if (line_end[1] != '\n') return malformed("a bare CR in the head");
    p = line_end + 2;

    const char* value = colon + 1;
    while (*value == ' ' || *value == '\t') ++value;  // stops at the CR at the latest
    const char* value_end = line_end;
    while (value_end != value && (value_end[-1] == ' ' || value_end[-1] == '\t')) --value_end;
    const std::string_view name(line, static_cast<std::size_t>(name_end - line));
    if (fields.size() >= limit) return {Lines::kTooMany};
    fields.push(name, {value, static_cast<std::size_t>(value_end - value)}, find_field_id(name));
  }
}

// Whether a value read by read_field_lines has a tab behind it. Parsers differ in taking that for white
// space, so the fields that decide where a body ends may not have it. (Behind a value there is at least its
// CR.)
inline bool tab_follows(std::string_view value) {
  const char* p = value.end();
  while (*p == ' ') ++p;
  return *p == '\t';
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
