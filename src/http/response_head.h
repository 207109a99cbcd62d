// Parses the head of an origin's reply, and decides how its body ends.
//
// Owner:    the origin connection.
// Thread:   its worker.
// Lifetime: every view points into the buffer given to parse_response.
// Standard: RFC 9112 §4, §5, §6.3; RFC 9110 §15.
//
// Interim replies (1xx, 101 among them) come out as heads of their own: the caller parses on behind them.
//
// Failures: always kOriginBadReply. As strict as for requests wherever two readers could differ about where
// the body ends; tolerant of an empty reason phrase, of white space in front of a colon, and of
// Content-Length repeated with one and the same value, which is common and unambiguous.
#pragma once

#include "base/error.h"
#include "http/head.h"

namespace http {

struct ResponseHead {
  std::uint16_t status = 0;  // 100 to 999
  std::uint8_t minor = 1;
  Framing framing = Framing::kNone;
  bool keep_alive = true;  // the connection can carry another request once the body was read
  std::uint64_t content_length =
      0;  // for kLength; for HEAD and 304 what the field said, if has_content_length
  bool has_content_length = false;
  std::string_view reason;
  FieldList fields;

  const Field* find(FieldId id) const { return fields.find(id); }
  std::string_view value(FieldId id) const { return fields.value(id); }
};

// Bytes consumed, 0 when more is needed, or the failure; `seen` as for parse_request.
base::Result<std::size_t> parse_response(std::string_view buffer, Method request_method,
                                         const HeadLimits& limits, ResponseHead& out,
                                         std::size_t* seen = nullptr);

}  // namespace http
