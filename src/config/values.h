// The grammar of values: text to number, duration, size, word, path, and back.
//
// Thread:   any; pure functions.
// Failures: the error is a predicate to follow the value or the key: "is not a duration; write 500ms, …". It
//           never repeats the value, which may be a secret in the wrong place.
//
// Each grammar is a type with a Value, parse() and show(), so that a row of keys.cc names one by template
// argument. Those that have bounds also measure(): count, bytes or milliseconds. What a fingerprint takes in
// is what show() says, except where there is a print().
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "config/model.h"

namespace config {

class Print;

template <class T>
using Parsed = std::expected<T, std::string>;

struct Switch {  // true, false, on, off; not YAML 1.1's yes, no, y, n
  using Value = bool;
  static Parsed<bool> parse(std::string_view text);
  static std::string show(bool v) { return v ? "true" : "false"; }
};

struct Count {
  using Value = std::uint64_t;
  static Parsed<std::uint64_t> parse(std::string_view text);
  static std::string show(std::uint64_t v) { return std::to_string(v); }
  static std::uint64_t measure(std::uint64_t v) { return v; }
};

struct Size {  // bytes: 512, 64KB, 16KiB, 1GiB
  using Value = std::uint64_t;
  static Parsed<std::uint64_t> parse(std::string_view text);
  static std::string show(std::uint64_t v);
  static std::uint64_t measure(std::uint64_t v) { return v; }
};

struct Duration {  // 500ms, 10s, 3m30s, 1h, 1d: units from large to small, each once
  using Value = Millis;
  static constexpr std::string_view kPattern =
      "^[0-9]+(ms|s([0-9]+ms)?|m([0-9]+s)?([0-9]+ms)?|h([0-9]+m)?([0-9]+s)?([0-9]+ms)?"
      "|d([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?)$";
  static Parsed<Millis> parse(std::string_view text);
  static std::string show(Millis v);
  static std::uint64_t measure(Millis v) { return static_cast<std::uint64_t>(v.count()); }
};

struct WholeSeconds {  // a duration without a fraction of a second
  using Value = Seconds;
  static Parsed<Seconds> parse(std::string_view text);
  static std::string show(Seconds v) { return Duration::show(v); }
  static std::uint64_t measure(Seconds v) { return Duration::measure(v); }
};

// Texts. All refuse the empty text and control bytes unless they say otherwise.
template <class Rule>
struct TextOf {
  using Value = std::string;
  static Parsed<std::string> parse(std::string_view text) { return Rule::check(text); }
  static std::string show(const std::string& v) { return v; }
};
namespace text_rule {
struct Plain {
  static Parsed<std::string> check(std::string_view text);
};
struct MayBeEmpty {
  static Parsed<std::string> check(std::string_view text);
};
struct KeyPrefix {  // of S3 keys: may be empty, no leading slash
  static Parsed<std::string> check(std::string_view text);
};
struct Name {  // of an origin or identity: letters, digits, '-', '_', '.'; at most 64
  static Parsed<std::string> check(std::string_view text);
};
struct HeaderName {  // a token of RFC 9110 §5.6.2
  static Parsed<std::string> check(std::string_view text);
};
struct QueryName {  // unreserved characters of RFC 3986 §2.3, so that it stands undecoded in a query
  static Parsed<std::string> check(std::string_view text);
};
struct Bucket {  // one path segment or host label list; MinIO and others allow more than AWS
  static Parsed<std::string> check(std::string_view text);
};
struct AccessKeyId {  // stands in a header between '=' and '/'
  static Parsed<std::string> check(std::string_view text);
};
struct Region {
  static Parsed<std::string> check(std::string_view text);
};
struct HostName {
  static Parsed<std::string> check(std::string_view text);
};
struct MethodName {  // a token of RFC 9110 §9.1 that is let through at all
  static Parsed<std::string> check(std::string_view text);
};
// A prefix as it reads, not encoded: leading slash; no dot segments, "//", backslash, control byte, nor what
// is meant as a pattern, an encoding, a query or a fragment and would be taken literally.
struct RoutePath {
  static Parsed<std::string> check(std::string_view text);
};
}  // namespace text_rule
using Text = TextOf<text_rule::Plain>;
using OptionalText = TextOf<text_rule::MayBeEmpty>;
using KeyPrefix = TextOf<text_rule::KeyPrefix>;
using Name = TextOf<text_rule::Name>;
using HeaderName = TextOf<text_rule::HeaderName>;
using QueryName = TextOf<text_rule::QueryName>;
using Bucket = TextOf<text_rule::Bucket>;
using AccessKeyId = TextOf<text_rule::AccessKeyId>;
using Region = TextOf<text_rule::Region>;
using HostName = TextOf<text_rule::HostName>;
using MethodName = TextOf<text_rule::MethodName>;
using RoutePath = TextOf<text_rule::RoutePath>;

// A path, as written; it is resolved later, and printed from the root on, so that it is the same file for a
// process that was started elsewhere.
struct FilePath : Text {
  static Parsed<std::string> parse(std::string_view text);
  static void print(const std::string& path, Print& out);
};

// Bytes that messages never show. SecretText is what a header can carry (visible ASCII) and not empty,
// OptionalSecret the same or empty, SecretBytes any bytes but none at all.
struct SecretText {
  using Value = base::Secret;
  static Parsed<base::Secret> parse(std::string_view text);
  static void print(const base::Secret& secret, Print& out);
};
struct OptionalSecret {
  using Value = base::Secret;
  static Parsed<base::Secret> parse(std::string_view text);
  static void print(const base::Secret& secret, Print& out);
};
struct SecretBytes {
  using Value = base::Secret;
  static Parsed<base::Secret> parse(std::string_view text);
  static void print(const base::Secret& secret, Print& out);
};

}  // namespace config
