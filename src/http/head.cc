#include "http/head.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "http/chars.h"
#include "http/field_lines.h"

namespace http {

namespace {

using base::Code;
using base::fail;

// The method and the space behind it; null when more is needed.
base::Result<const char*> read_method(const char* p, const scan::Text& text, RequestHead& out) {
  if (text.end - p >= 4 && std::memcmp(p, "GET ", 4) == 0) {  // nearly always
    out.method = Method::kGet;
    out.method_text = {p, 3};
    return p + 4;
  }
  const char* const end = scan::run<kTokenChar>(p, text);
  out.method_text = {p, static_cast<std::size_t>(end - p)};
  if (out.method_text.size() > kLongestMethod)
    return fail(Code::kMethodUnknown, "the method's name is too long");
  if (end == text.end) return nullptr;
  if (*end != ' ' || end == p) return fail(Code::kBadRequest, "the request does not begin with a method");
  out.method = method_of(out.method_text);
  if (out.method_text == "PRI") return fail(Code::kVersionUnsupported, "HTTP/2 is not spoken here");
  if (out.method == Method::kConnect) return fail(Code::kMethodUnknown, "this gateway makes no tunnels");
  return end + 1;
}

// "HTTP/1.1\r\n", as far as it is there. Any other byte fails at once.
base::Result<const char*> read_version(const char* p, const char* end, std::uint8_t& minor) {
  constexpr std::string_view kUsual = "HTTP/1.1\r\n";
  if (static_cast<std::size_t>(end - p) >= kUsual.size() &&
      std::memcmp(p, kUsual.data(), kUsual.size()) == 0) {
    minor = 1;
    return p + kUsual.size();
  }
  constexpr std::string_view kShape = "HTTP/d.d\r\n";
  const std::size_t n = std::min(kShape.size(), static_cast<std::size_t>(end - p));
  for (std::size_t i = 0; i < n; ++i) {
    const bool fits = kShape[i] == 'd' ? is(kDigitChar, p[i]) : p[i] == kShape[i];
    if (fits) continue;
    if (i == 8 && p[i] == '\n') return fail(Code::kBadRequest, "the request line ends without CR");
    return fail(Code::kBadRequest, "the request line does not end in a version of HTTP");
  }
  if (n > 5 && p[5] != '1') return fail(Code::kVersionUnsupported, "this speaks HTTP/1.1 and HTTP/1.0");
  if (n < kShape.size()) return nullptr;
  minor = p[7] == '0' ? 0 : 1;
  return p + kShape.size();
}

// `begin`: from where on the text around the value may be read.
bool is_host_in(std::string_view value, const char* begin) {
  std::size_t i = 0;
  if (!value.empty() && value.front() == '[') {
    const std::size_t close = value.find(']');
    char text[INET6_ADDRSTRLEN] = {};
    if (close == std::string_view::npos || close - 1 >= sizeof text) return false;
    value.copy(text, close - 1, 1);
    in6_addr address;
    if (::inet_pton(AF_INET6, text, &address) != 1) return false;
    i = close + 1;
  } else {
    const char* const end = scan::run<kHostChar>(value.begin(), {begin, value.end()});
    i = static_cast<std::size_t>(end - value.begin());
  }
  if (i == value.size()) return true;
  if (value[i] != ':' || i == 0) return false;
  const std::string_view port = value.substr(i + 1);
  std::uint64_t number = 0;
  return port.empty() || (port.size() <= 5 && parse_decimal(port, number) && number <= 65535);
}

// Where the target has an authority of its own, it takes the place of Host (RFC 9112 §3.2.2).
base::Result<> check_target(RequestHead& out) {
  const std::string_view target = out.target;
  if (target.front() == '/') return {};
  if (target == "*") {
    if (out.method == Method::kOptions) return {};
    return fail(Code::kBadRequest, "the target * is for OPTIONS only");
  }
  std::size_t at = 0;
  if (iequals(target.substr(0, 7), "http://"))
    at = 7;
  else if (iequals(target.substr(0, 8), "https://"))
    at = 8;
  else
    return fail(Code::kBadRequest, "the target is neither a path nor an http URL");
  const std::string_view authority = target.substr(at, target.find_first_of("/?", at) - at);
  if (authority.empty() || !is_host(authority))
    return fail(Code::kBadRequest, "the host of the target is malformed");
  out.host = authority;
  return {};
}

base::Result<> check_host(RequestHead& out, const char* begin) {
  const Field* host = out.find(FieldId::kHost);
  if (host == nullptr) {
    if (out.minor == 0) return {};
    return fail(Code::kBadRequest, "an HTTP/1.1 request needs a Host");
  }
  if (out.fields.repeated(FieldId::kHost)) return fail(Code::kBadRequest, "more than one Host");
  if (!is_host_in(host->value, begin)) return fail(Code::kBadRequest, "the Host is malformed");
  if (out.host.empty()) out.host = host->value;
  return {};
}

base::Result<> check_framing(RequestHead& out) {
  const Field* length = out.find(FieldId::kContentLength);
  if (const Field* coding = out.find(FieldId::kTransferEncoding)) {
    if (length != nullptr) return fail(Code::kBadRequest, "Content-Length with Transfer-Encoding");
    if (out.minor == 0) return fail(Code::kBadRequest, "Transfer-Encoding in an HTTP/1.0 request");
    if (out.fields.repeated(FieldId::kTransferEncoding) || !iequals(coding->value, "chunked") ||
        detail::tab_follows(coding->value))
      return fail(Code::kBadRequest, "a Transfer-Encoding other than chunked");
    out.framing = Framing::kChunked;
  } else if (length != nullptr) {
    if (out.fields.repeated(FieldId::kContentLength))
      return fail(Code::kBadRequest, "more than one Content-Length");
    if (!parse_decimal(length->value, out.content_length) || detail::tab_follows(length->value))
      return fail(Code::kBadRequest, "the Content-Length is not a number");
    out.framing = Framing::kLength;
  }
  return {};
}

void read_connection(RequestHead& out) {
  out.keep_alive = out.minor != 0;
  if (!out.fields.has(FieldId::kConnection)) return;
  if (out.minor != 0 && out.value(FieldId::kConnection) == "keep-alive" &&
      !out.fields.repeated(FieldId::kConnection))
    return;  // what most clients say, and it changes nothing
  bool close = false;
  for (const Field& f : out.fields) {
    if (f.id != FieldId::kConnection) continue;
    for (std::string_view rest = f.value, item; next_element(rest, item);) {
      if (iequals(item, "close")) close = true;
      if (iequals(item, "keep-alive")) out.keep_alive = true;
      if (iequals(item, "upgrade")) out.upgrade = out.minor != 0 && out.fields.has(FieldId::kUpgrade);
    }
  }
  if (close) out.keep_alive = false;
}

base::Result<> check_expect(RequestHead& out) {
  const Field* expect = out.find(FieldId::kExpect);
  if (expect == nullptr) return {};
  if (out.fields.repeated(FieldId::kExpect) || !iequals(expect->value, "100-continue"))
    return fail(Code::kExpectationFailed, "an expectation other than 100-continue");
  out.expect_continue = out.minor != 0;  // from an HTTP/1.0 client it has no meaning (RFC 9110 §10.1.1)
  return {};
}

// Everything that only the whole head can tell.
base::Result<> check_meaning(RequestHead& out, const char* begin) {
  if (auto ok = check_target(out); !ok) return ok;
  if (auto ok = check_host(out, begin); !ok) return ok;
  if (auto ok = check_framing(out); !ok) return ok;
  read_connection(out);
  return check_expect(out);
}

constexpr auto kMethods = std::to_array<std::pair<std::string_view, Method>>({
    {"GET", Method::kGet},
    {"HEAD", Method::kHead},
    {"POST", Method::kPost},
    {"PUT", Method::kPut},
    {"DELETE", Method::kDelete},
    {"PATCH", Method::kPatch},
    {"OPTIONS", Method::kOptions},
});

}  // namespace

std::string_view text_of(Method method) {
  for (const auto& [name, each] : kMethods)
    if (each == method) return name;
  return "";
}

Method method_of(std::string_view text) {
  for (const auto& [name, method] : kMethods)
    if (name == text) return method;
  // What is never done is not done in small letters either: an origin may read them alike.
  if (iequals(text, "TRACE")) return Method::kTrace;
  if (iequals(text, "CONNECT")) return Method::kConnect;
  return Method::kOther;
}

base::Result<std::size_t> parse_request(std::string_view buffer, const HeadLimits& limits, RequestHead& out,
                                        std::size_t* seen) {
  if (!detail::worth_reading(buffer, limits.target + kLongestMethod + 2, limits.head, seen)) return 0;
  const char* p = buffer.data();
  const char* const end = p + std::min(buffer.size(), limits.head);
  const scan::Text text{p, end};
  const auto more = [&]() -> base::Result<std::size_t> {
    if (buffer.size() >= limits.head) return fail(Code::kHeadTooLarge, "the head is too long");
    return 0;
  };

  // One empty line in front is a habit of old clients behind a POST (RFC 9112 §2.2).
  if (p != end && *p == '\r') {
    if (++p == end) return more();
    if (*p++ != '\n') return fail(Code::kBadRequest, "a bare CR in the head");
  }

  const auto method_end = read_method(p, text, out);
  if (!method_end) return std::unexpected(method_end.error());
  if (*method_end == nullptr) return more();

  const char* const target = *method_end;
  p = scan::run<kTargetChar>(target, text);
  out.target = {target, static_cast<std::size_t>(p - target)};
  if (out.target.size() > limits.target) return fail(Code::kTargetTooLong, "the request target is too long");
  if (p == end) return more();
  if (*p != ' ' || out.target.empty())
    return fail(Code::kBadRequest, "the request target is empty or holds a forbidden character");

  const auto version_end = read_version(p + 1, end, out.minor);
  if (!version_end) return std::unexpected(version_end.error());
  if (*version_end == nullptr) return more();

  out.fields.clear();
  const detail::LinesEnd lines = detail::read_field_lines(*version_end, text, limits.fields, out.fields);
  switch (lines.what) {
    case detail::Lines::kMore:
      return more();
    case detail::Lines::kMalformed:
      return fail(Code::kBadRequest, lines.why);
    case detail::Lines::kTooMany:
      return fail(Code::kHeadTooLarge, "too many header fields");
    case detail::Lines::kDone:
      break;
  }
  out.framing = Framing::kNone;
  out.content_length = 0;
  out.expect_continue = false;
  out.upgrade = false;
  out.host = {};
  if (const auto ok = check_meaning(out, buffer.begin()); !ok) return std::unexpected(ok.error());
  if (seen != nullptr) *seen = 0;
  return static_cast<std::size_t>(lines.next - buffer.data());
}

bool is_host(std::string_view value) {
  return is_host_in(value, value.begin());
}

}  // namespace http
