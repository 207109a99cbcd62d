// How the values of a campaign file are written that no other file has: rates, ranges, status codes, thinking
// times.
//
// Thread:   any; pure functions.
// Failures: a predicate to follow the value, as in config/values.h.
#pragma once

#include <csignal>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "config/values.h"
#include "prove/model/model.h"

namespace prove {

using config::Parsed;

// One status code or a range of them, both ends inclusive.
using StatusRange = std::pair<std::uint16_t, std::uint16_t>;

namespace form {

struct Number {  // a decimal number, not negative
  using Value = double;
  static constexpr std::string_view kForm = "number";
  static constexpr std::string_view kPattern = "^[0-9]+([.][0-9]+)?$";
  static Parsed<double> parse(std::string_view text);
};

struct Percent {  // 99.5%
  using Value = double;
  static constexpr std::string_view kForm = "percentage, `99.5%`";
  static constexpr std::string_view kPattern = "^[0-9]+([.][0-9]+)?%$";
  static Parsed<double> parse(std::string_view text);
};

struct Rate {  // 100, 0..50
  using Value = std::pair<double, double>;
  static constexpr std::string_view kForm = "number, or a range: `0..50`";
  static constexpr std::string_view kPattern = "^[0-9]+([.][0-9]+)?([.][.][0-9]+([.][0-9]+)?)?$";
  static Parsed<Value> parse(std::string_view text);
};

struct Users {  // 10, 10..500
  using Value = std::pair<std::uint64_t, std::uint64_t>;
  static constexpr std::string_view kForm = "whole number, or a range: `10..500`";
  static constexpr std::string_view kPattern = "^[0-9]+([.][.][0-9]+)?$";
  static Parsed<Value> parse(std::string_view text);
};

struct Range {  // 1..1000, both inclusive, the first not above the last
  using Value = std::pair<std::uint64_t, std::uint64_t>;
  static constexpr std::string_view kForm = "range of whole numbers: `1..1000`";
  static constexpr std::string_view kPattern = "^[0-9]+[.][.][0-9]+$";
  static Parsed<Value> parse(std::string_view text);
};

struct Status {  // 200, 2xx, 200..299
  using Value = StatusRange;
  static constexpr std::string_view kForm = "`200`, `2xx` or `200..299`";
  static constexpr std::string_view kPattern = "^([1-5][0-9][0-9]([.][.][1-5][0-9][0-9])?|[1-5]xx)$";
  static Parsed<Value> parse(std::string_view text);
};

struct Think {  // 100ms, 100ms..1s
  using Value = std::pair<Millis, Millis>;
  static constexpr std::string_view kForm = "duration, or a range: `100ms..1s`";
  static constexpr std::string_view kPattern =
      "^[0-9]+(ms|s|m|h|d)([0-9]+(ms|s|m|h))*([.][.][0-9]+(ms|s|m|h|d)([0-9]+(ms|s|m|h))*)?$";
  static Parsed<Value> parse(std::string_view text);
};

struct Signal {  // HUP, SIGHUP
  using Value = int;
  static constexpr std::string_view kForm = "`HUP`, `INT`, `QUIT`, `USR1`, `USR2`, `TERM`, `STOP` or `CONT`";
  static constexpr std::string_view kPattern = "^(SIG)?(HUP|INT|QUIT|USR1|USR2|TERM|STOP|CONT)$";
  static Parsed<int> parse(std::string_view text);
};

struct Digest {  // SHA-256 in hexadecimal, either case; the value in lower case
  using Value = std::string;
  static constexpr std::string_view kForm = "64 hexadecimal digits";
  static constexpr std::string_view kPattern = "^[0-9A-Fa-f]{64}$";
  static Parsed<std::string> parse(std::string_view text);
};

struct HostPort {  // 127.0.0.1:6379
  using Value = std::string;
  static constexpr std::string_view kForm = "address and port: `127.0.0.1:6379`";
  static constexpr std::string_view kPattern = "";
  static Parsed<std::string> parse(std::string_view text);
};

// Texts that YAML may take for numbers: the schema takes any scalar.
struct Word {  // one line, not empty
  using Value = std::string;
  static constexpr std::string_view kForm = "text";
  static constexpr std::string_view kPattern = "";
  static Parsed<std::string> parse(std::string_view text) { return config::Text::parse(text); }
};
struct Line {  // one line, may be empty
  using Value = std::string;
  static constexpr std::string_view kForm = "text";
  static constexpr std::string_view kPattern = "";
  static Parsed<std::string> parse(std::string_view text) { return config::OptionalText::parse(text); }
};
struct Block {  // any bytes but NUL
  using Value = std::string;
  static constexpr std::string_view kForm = "text";
  static constexpr std::string_view kPattern = "";
  static Parsed<std::string> parse(std::string_view text);
};

struct Method {  // of a request: upper-case letters, at most 16
  using Value = std::string;
  static constexpr std::string_view kForm = "`GET`, `PUT`, …";
  static constexpr std::string_view kPattern = "^[A-Z]{1,16}$";
  static Parsed<std::string> parse(std::string_view text);
};
struct Path {  // of a request, with its query: begins with '/' or with a template's value, no spaces, no '#'
  using Value = std::string;
  static Parsed<std::string> parse(std::string_view text);
};

struct EnvName {  // of an environment variable
  using Value = std::string;
  static Parsed<std::string> parse(std::string_view text);
};
struct Identifier {  // of a defined expression: letters, digits and '_', no digit first
  using Value = std::string;
  static Parsed<std::string> parse(std::string_view text);
};
// Of a data set, a token or a capture: a name without a dot, which would be a column's.
struct ValueName {
  using Value = std::string;
  static constexpr std::string_view kForm = "name";
  static constexpr std::string_view kPattern = "^[A-Za-z0-9_-]{1,64}$";
  static Parsed<std::string> parse(std::string_view text);
};

}  // namespace form
}  // namespace prove
