#include "http/response_head.h"

#include <algorithm>

#include "http/chars.h"
#include "http/field_lines.h"

namespace http {

namespace {

using base::Code;

std::unexpected<base::Error> refuse(std::string_view why) {
  return base::fail(Code::kOriginBadReply, why);
}

// "HTTP/1.1 200 ", as far as it is there; null when more is needed. Some servers leave out the space when the
// reason phrase is empty, which nobody can misread.
base::Result<const char*> read_status(const char* p, const char* end, ResponseHead& out) {
  constexpr std::string_view kShape = "HTTP/1.d ddd";
  const std::size_t n = std::min(kShape.size(), static_cast<std::size_t>(end - p));
  for (std::size_t i = 0; i < n; ++i)
    if (kShape[i] == 'd' ? !is(kDigitChar, p[i]) : p[i] != kShape[i])
      return refuse("the origin's reply does not begin with a status line of HTTP/1");
  if (n < kShape.size()) return nullptr;
  out.minor = p[7] == '0' ? 0 : 1;
  out.status = static_cast<std::uint16_t>((p[9] - '0') * 100 + (p[10] - '0') * 10 + (p[11] - '0'));
  if (out.status < 100) return refuse("the origin's status is below 100");
  return p + kShape.size();
}

base::Result<> read_length(ResponseHead& out) {
  for (const Field& f : out.fields) {
    if (f.id != FieldId::kContentLength) continue;
    bool any = false;
    for (std::string_view rest = f.value, item; next_element(rest, item); any = true) {
      std::uint64_t length = 0;
      if (!parse_decimal(item, length)) return refuse("the origin's Content-Length is not a number");
      if (out.has_content_length && length != out.content_length)
        return refuse("the origin sent two different Content-Lengths");
      out.has_content_length = true;
      out.content_length = length;
    }
    if (!any || detail::tab_follows(f.value))
      return refuse("the origin's Content-Length is empty or malformed");
  }
  return {};
}

// RFC 9112 §6.3, in its order.
base::Result<> decide_framing(Method request_method, ResponseHead& out) {
  if (auto ok = read_length(out); !ok) return ok;
  const Field* coding = out.find(FieldId::kTransferEncoding);
  if (coding != nullptr) {
    if (out.has_content_length) return refuse("the origin sent Content-Length with Transfer-Encoding");
    if (out.minor == 0) return refuse("the origin sent Transfer-Encoding in an HTTP/1.0 reply");
    if (out.fields.repeated(FieldId::kTransferEncoding) || !iequals(coding->value, "chunked") ||
        detail::tab_follows(coding->value))
      return refuse("the origin sent a Transfer-Encoding other than chunked");
  }
  const bool bodiless =
      request_method == Method::kHead || out.status < 200 || out.status == 204 || out.status == 304;
  if (bodiless)
    out.framing = Framing::kNone;
  else if (coding != nullptr)
    out.framing = Framing::kChunked;
  else if (out.has_content_length)
    out.framing = Framing::kLength;
  else
    out.framing = Framing::kUntilClose;
  return {};
}

void read_connection(ResponseHead& out) {
  bool close = false;
  bool keep = out.minor != 0;
  for (const Field& f : out.fields) {
    if (f.id != FieldId::kConnection) continue;
    close = close || list_has(f.value, "close");
    keep = keep || list_has(f.value, "keep-alive");
  }
  out.keep_alive = keep && !close && out.framing != Framing::kUntilClose && out.status != 101;
}

}  // namespace

base::Result<std::size_t> parse_response(std::string_view buffer, Method request_method,
                                         const HeadLimits& limits, ResponseHead& out, std::size_t* seen) {
  if (!detail::worth_reading(buffer, limits.head, limits.head, seen)) return 0;
  const char* const begin = buffer.data();
  const char* const end = begin + std::min(buffer.size(), limits.head);
  const scan::Text text{begin, end};
  const auto more = [&]() -> base::Result<std::size_t> {
    if (buffer.size() >= limits.head) return refuse("the head of the origin's reply is too long");
    return 0;
  };

  const auto status_end = read_status(begin, end, out);
  if (!status_end) return std::unexpected(status_end.error());
  const char* p = *status_end;
  if (p == nullptr || p == end) return more();
  if (*p != ' ' && *p != '\r') return refuse("the origin's status is not three digits");
  if (*p == ' ') ++p;
  const char* const reason = p;
  p = scan::run<kValueChar>(p, text);
  out.reason = {reason, static_cast<std::size_t>(p - reason)};
  if (end - p < 2)
    return p != end && *p != '\r' ? refuse("a control character in the origin's status line") : more();
  if (p[0] != '\r' || p[1] != '\n')
    return refuse("a bare CR, bare LF or control in the origin's status line");

  out.fields.clear();
  const detail::LinesEnd lines =
      detail::read_field_lines<detail::BeforeColon::kRemoved>(p + 2, text, limits.fields, out.fields);
  switch (lines.what) {
    case detail::Lines::kMore:
      return more();
    case detail::Lines::kMalformed:
      return refuse(lines.why);
    case detail::Lines::kTooMany:
      return refuse("too many header fields in the origin's reply");
    case detail::Lines::kDone:
      break;
  }
  out.has_content_length = false;
  out.content_length = 0;
  if (const auto ok = decide_framing(request_method, out); !ok) return std::unexpected(ok.error());
  read_connection(out);
  if (seen != nullptr) *seen = 0;
  return static_cast<std::size_t>(lines.next - begin);
}

}  // namespace http
