// Parses the head of an HTTP/1.1 request: strictly, in one pass, without allocation.
//
// Owner:    the connection, which reuses one RequestHead for all its requests.
// Thread:   the worker of that connection.
// Lifetime: every view points into the buffer given to parse_request.
// Standard: RFC 9112 §2.2, §3, §5, §6, §9.3; RFC 9110 §7.2, §10.1.1.
//
// Usage:
//   std::size_t seen = 0;                                     // per head; 0 again for the next one
//   auto used = parse_request(buffer, limits, head, &seen);   // bytes of the head, 0: read on
//
// Failures: whatever two parsers might read differently is refused, not repaired: bare CR or LF, folded
// lines, space before the colon, Content-Length with Transfer-Encoding or more than one of either, any coding
// but `chunked`, no Host or two. After a failure the connection cannot be reused: nobody knows where the next
// request begins. Codes: kBadRequest, kTargetTooLong, kHeadTooLarge, kMethodUnknown, kVersionUnsupported,
// kExpectationFailed.
#pragma once

#include "base/error.h"
#include "http/field.h"

namespace http {

enum class Method : std::uint8_t {
  kGet,
  kHead,
  kPost,
  kPut,
  kDelete,
  kPatch,
  kOptions,
  kTrace,    // parsed, never forwarded: the gateway answers 405
  kConnect,  // never leaves the parser: 501
  kOther     // any other token (QUERY, PROPFIND, …): unsafe as far as we know, forwarded by its text
};

// RFC 9110 §9.2.1 and §9.2.2, for the methods the gateway knows; kOther is neither.
constexpr bool is_safe(Method m) {
  return m == Method::kGet || m == Method::kHead || m == Method::kOptions || m == Method::kTrace;
}
constexpr bool is_idempotent(Method m) {
  return is_safe(m) || m == Method::kPut || m == Method::kDelete;
}

constexpr std::size_t kLongestMethod = 32;  // 501 beyond it
// What is said to be allowed where anything is.
inline constexpr std::string_view kUsualMethods = "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS";
// The number of a method's name, which is what it is in capitals only.
Method method_of(std::string_view text);
std::string_view text_of(Method method);  // "" of those that are never asked for

// How the end of a body is known.
enum class Framing : std::uint8_t { kNone, kLength, kChunked, kUntilClose };

struct HeadLimits {
  std::size_t head = 16 << 10;   // bytes of the whole head: 431
  std::size_t target = 8 << 10;  // bytes of the request target: 414
  std::size_t fields = 100;      // 431
};

struct RequestHead {
  Method method = Method::kGet;
  std::uint8_t minor = 1;            // of HTTP/1.x; versions above 1.1 are 1
  Framing framing = Framing::kNone;  // kNone, kLength or kChunked
  bool keep_alive = true;            // the client would go on after this request
  bool expect_continue = false;
  bool upgrade = false;  // Connection nominates Upgrade, and there is one
  std::uint64_t content_length = 0;
  std::string_view method_text;
  std::string_view target;
  std::string_view host;  // the authority in force: that of an absolute-form target, else Host; may be empty
  FieldList fields;

  bool has_body() const { return framing == Framing::kChunked || content_length != 0; }
  const Field* find(FieldId id) const { return fields.find(id); }
  std::string_view value(FieldId id) const { return fields.value(id); }
};

// Bytes consumed with the empty line that ends the head, 0 when more is needed, or the refusal. `seen`
// remembers between calls for one growing buffer how much was looked at, so that a client that sends single
// bytes does not have the whole head parsed for each of them.
base::Result<std::size_t> parse_request(std::string_view buffer, const HeadLimits& limits, RequestHead& out,
                                        std::size_t* seen = nullptr);

// Whether this is a `Host` value: reg-name, IPv4 or [IPv6], with an optional port (RFC 9110 §7.2). May be
// empty.
bool is_host(std::string_view value);

}  // namespace http
