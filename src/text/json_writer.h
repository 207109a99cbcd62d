// Writes JSON piece by piece, with the commas in their places.
//
// Owner:    whoever writes, on its stack.  Thread: one.
// Lifetime: the string that it appends to outlives it.
// Failures: none. That what is opened is closed is the caller's affair.
//
//   JsonWriter out(text);
//   out.object().member("ready", true).key("names").array().value("a").value("b").end_array().end_object();
#pragma once

#include <fmt/format.h>

#include <concepts>
#include <string>
#include <string_view>

#include "text/json_text.h"

namespace text {

class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }

  JsonWriter& key(std::string_view name) {
    separate();
    append_json(out_, name);
    out_ += ':';
    more_ = false;
    return *this;
  }

  JsonWriter& value(std::string_view text) {
    separate();
    append_json(out_, text);
    return *this;
  }
  template <std::same_as<bool> Flag>  // and no pointer to text
  JsonWriter& value(Flag flag) {
    return json(flag ? "true" : "false");
  }
  template <class Number>
    requires(std::integral<Number> || std::floating_point<Number>) && (!std::same_as<Number, bool>)
  JsonWriter& value(Number number) {
    return json(fmt::format("{}", number));
  }
  JsonWriter& json(std::string_view written) {  // a value as it stands
    separate();
    out_ += written;
    return *this;
  }

  template <class Value>
  JsonWriter& member(std::string_view name, const Value& it) {
    return key(name).value(it);
  }

 private:
  JsonWriter& open(char bracket) {
    separate();
    out_ += bracket;
    more_ = false;
    return *this;
  }
  JsonWriter& close(char bracket) {
    out_ += bracket;
    more_ = true;
    return *this;
  }
  void separate() {
    if (more_) out_ += ',';
    more_ = true;
  }

  std::string& out_;
  bool more_ = false;  // something stands before, on this level
};

}  // namespace text
