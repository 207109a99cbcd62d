#include "http/target.h"

#include <algorithm>
#include <cstring>

#include "http/chars.h"
#include "http/scan.h"

namespace http {

namespace {

using base::Code;
using base::fail;

constexpr std::string_view kHex = "0123456789ABCDEF";

// What a decoded path may not hold. Anything from 0x80 up is part of a name in some encoding.
bool forbidden(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '\\';
}

// `.` and `..`, also with the `;parameters` that some servers take off before they resolve them.
bool is_dot_segment(std::string_view segment) {
  const std::size_t dots = segment.starts_with("..") ? 2 : segment.starts_with(".") ? 1 : 0;
  return dots != 0 && (segment.size() == dots || segment[dots] == ';');
}

// Takes scheme and authority off the front of an absolute-form target.
std::string_view strip_authority(std::string_view raw, Target& out) {
  const std::size_t scheme = raw.find("://");
  if (scheme == std::string_view::npos) return {};
  out.secure = iequals(raw.substr(0, scheme), "https");
  if (!out.secure && !iequals(raw.substr(0, scheme), "http")) return {};
  raw.remove_prefix(scheme + 3);
  const std::size_t end = std::min(raw.find_first_of("/?"), raw.size());
  out.authority = raw.substr(0, end);
  return raw.substr(end);
}

// A path in two readings, side by side: decoded, and as it was sent with `//` as `/`.
struct Readings {
  char *decoded, *sent;
};

// Reads `%xx`; false when it is malformed. The ends of what was written are left in `out`.
bool decode(std::string_view raw, Readings& out) {
  const char* const begin = out.sent;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '%') {
      *out.decoded++ = raw[i];
      if (raw[i] != '/' || out.sent == begin || out.sent[-1] != '/') *out.sent++ = raw[i];
      continue;
    }
    if (raw.size() - i < 3) return false;
    const int high = hex_value(raw[i + 1]);
    const int low = hex_value(raw[i + 2]);
    if (high < 0 || low < 0) return false;
    const char c = static_cast<char>(high << 4 | low);
    if (c == '/') return false;  // an encoded slash is a slash to some and a letter to others
    *out.decoded++ = c;
    if (is(kHostChar, c)) {  // kHostChar: exactly unreserved
      *out.sent++ = c;
    } else {
      *out.sent++ = '%';
      *out.sent++ = kHex[static_cast<std::size_t>(high)];
      *out.sent++ = kHex[static_cast<std::size_t>(low)];
    }
    i += 2;
  }
  return true;
}

struct Segments {
  bool good = false;
  bool doubled = false;     // an empty segment that can be collapsed
  bool encoded = false;     // there is a percent sign
  bool parameters = false;  // and a semicolon
};

// Looks a path over, segment by segment.
Segments check_segments(std::string_view path) {
  const scan::Text text{path.data(), path.data() + path.size()};
  Segments found;
  std::size_t start = 1;
  for (std::size_t i = 1;;) {
    i = static_cast<std::size_t>(scan::run<kSegmentChar>(text.begin + i, text) - text.begin);
    const bool ends = i == path.size();
    if (!ends && path[i] != '/') {
      if (forbidden(path[i])) return found;
      found.encoded = found.encoded || path[i] == '%';
      found.parameters = found.parameters || path[i] == ';';
      ++i;
      continue;
    }
    if (i == start && !ends) found.doubled = true;
    if (i > start && path[start] == '.' && is_dot_segment(path.substr(start, i - start))) return found;
    if (ends) break;
    start = ++i;
  }
  found.good = true;
  return found;
}

std::string_view collapse(std::string_view path, char* out) {
  char* p = out;
  for (const char c : path)
    if (c != '/' || p == out || p[-1] != '/') *p++ = c;
  return {out, static_cast<std::size_t>(p - out)};
}

// application/x-www-form-urlencoded, one character at a time: false when it is malformed.
bool decode_query_char(std::string_view text, std::size_t& i, char& out) {
  out = text[i++];
  if (out == '+') out = ' ';
  if (out != '%') return true;
  if (text.size() - i < 2) return false;
  const int high = hex_value(text[i]);
  const int low = hex_value(text[i + 1]);
  if (high < 0 || low < 0) return false;
  out = static_cast<char>(high << 4 | low);
  i += 2;
  return true;
}

bool name_is(std::string_view raw, std::string_view name) {
  std::size_t matched = 0;
  for (std::size_t i = 0; i < raw.size();) {
    char c = 0;
    if (!decode_query_char(raw, i, c) || matched == name.size() || name[matched] != c) return false;
    ++matched;
  }
  return matched == name.size();
}

bool name_is_one_of(std::string_view raw, std::span<const std::string> names) {
  return std::ranges::any_of(names, [raw](const std::string& name) { return name_is(raw, name); });
}

struct Parameter {
  std::string_view whole, name, value;
};

// Takes the next parameter off the front. False at the end.
bool next_parameter(std::string_view& rest, Parameter& out) {
  if (rest.empty()) return false;
  const std::size_t end = std::min(rest.find('&'), rest.size());
  out.whole = rest.substr(0, end);
  const std::size_t equals = std::min(out.whole.find('='), out.whole.size());
  out.name = out.whole.substr(0, equals);
  out.value = out.whole.substr(std::min(equals + 1, out.whole.size()));
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return true;
}

}  // namespace

base::Result<> parse_target(std::string_view raw, std::span<char> scratch, Target& out) {
  out = Target{};
  const scan::Text whole{raw.data(), raw.data() + raw.size()};
  if (scan::run<kTargetChar>(whole.begin, whole) != whole.end)
    return fail(Code::kBadRequest, "the request target holds a forbidden character");
  if (raw == "*") {
    out.path = out.collapsed = out.sent = raw;
    out.plain = true;
    return {};
  }
  std::string_view rest = raw;
  if (raw.empty() || raw.front() != '/') {
    rest = strip_authority(raw, out);
    if (out.authority.empty()) return fail(Code::kBadRequest, "the target is neither a path nor an http URL");
  }
  const std::size_t mark = rest.find('?');
  if (mark != std::string_view::npos) {
    out.has_query = true;
    out.raw_query = rest.substr(mark + 1);
    rest = rest.substr(0, mark);
  }
  out.path = rest.empty() ? std::string_view("/") : rest;

  Segments found = check_segments(out.path);
  out.plain = found.good && !found.encoded && !found.doubled;
  out.parameters = found.parameters;
  out.collapsed = out.sent = out.path;
  if (out.plain) return {};

  if (scratch.size() < target_scratch(raw))
    return fail(Code::kInternal, "no room to decode the request target");
  char* space = scratch.data();
  const bool encoded = found.encoded;
  if (found.good && encoded) {
    char* const sent = space + out.path.size();
    Readings end{.decoded = space, .sent = sent};
    if (!decode(out.path, end))
      return fail(Code::kBadRequest, "an encoded slash or bad percent-encoding in the path");
    out.path = {space, static_cast<std::size_t>(end.decoded - space)};
    out.sent = {sent, static_cast<std::size_t>(end.sent - sent)};
    space = end.sent;
    found = check_segments(out.path);
    out.parameters = found.parameters;
  }
  if (!found.good)
    return fail(Code::kBadRequest, "a dot segment, a backslash or a control character in the path");
  out.collapsed = found.doubled ? collapse(out.path, space) : out.path;
  if (!encoded) out.sent = out.collapsed;
  return {};
}

void append_sent_path(std::string_view sent, std::string& out) {
  for (const char c : sent) {
    if (is(kSegmentChar, c) || c == '%' || c == ';' || c == '/') {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
}

std::string without_parameters(std::string_view decoded) {
  std::string out;
  bool within = false;
  for (const char c : decoded) {
    if (c == '/') within = false;
    if (c == ';') within = true;
    if (!within && (c != '/' || !out.ends_with('/'))) out += c;
  }
  return out;
}

std::optional<std::string_view> query_value(std::string_view raw_query, std::string_view name) {
  for (Parameter p; next_parameter(raw_query, p);)
    if (name_is(p.name, name)) return p.value;
  return std::nullopt;
}

std::optional<std::string> query_value_decoded(std::string_view raw_query, std::string_view name) {
  const auto raw = query_value(raw_query, name);
  if (!raw) return std::nullopt;
  std::string out;
  for (std::size_t i = 0; i < raw->size();) {
    char c = 0;
    if (!decode_query_char(*raw, i, c)) return std::nullopt;
    out += c;
  }
  return out;
}

bool query_has(std::string_view raw_query, std::span<const std::string> names) {
  for (Parameter p; next_parameter(raw_query, p);)
    if (name_is_one_of(p.name, names)) return true;
  return false;
}

void query_without(std::string_view raw_query, std::span<const std::string> names, std::string& out) {
  bool first = true;
  for (Parameter p; next_parameter(raw_query, p);) {
    if (name_is_one_of(p.name, names)) continue;
    if (!first) out += '&';
    first = false;
    out += p.whole;
  }
}

}  // namespace http
