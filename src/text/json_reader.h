// Reads one JSON object, strictly, member by member, without building a tree.
//
// Owner:    whoever reads, on its stack: the verifier for each part of a token, an operation for its body.
// Thread:   one.
// Lifetime: names and strings are views into the text or, where they are spelt with escapes, into the space;
//           they die with either.
// Failure:  after the first fault every call answers false and complete() stays false.
// Standard: RFC 8259 (white space around the object is the four characters of its section 2), with the
//           duplicate members, lone surrogates and numbers outside of double refused that RFC 7493 (I-JSON)
//           §2 forbids; RFC 7515 §4 and RFC 7519 §4 let a verifier refuse duplicates.
//
// Why not Boost.JSON: it takes duplicate members, and parsing a token's two objects with it costs more than
// this room may (json_parse_* in identity_bench.cc). It is the oracle of this reader's fuzzer instead.
//
// Usage:    JsonReader in(text, space);
//           std::string_view name;
//           while (in.next(name)) { if (name == "exp") in.number(exp); else in.skip(); }
//           if (!in.complete()) → refuse
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace text {

// Working space, kept by its owner so that reading allocates nothing once it has grown.
struct JsonSpace {
  struct Name {
    std::uint64_t prefix = 0;    // the first eight bytes: names are told apart by it before they are compared
    const char* data = nullptr;  // not a string_view: copying one that was just made stalls on its two stores
    std::size_t size = 0;
    std::string_view text() const { return {data, size}; }
  };
  std::vector<Name> names;  // of all objects that are open
  std::string unescaped;    // never longer than the text it comes from, so that it does not move
};

class JsonReader {
 public:
  static constexpr int kMaxDepth = 16;  // of objects and arrays within one another

  JsonReader(std::string_view text, JsonSpace& space);

  // The next member of the object; exactly one of the calls below must take its value before the next one.
  bool next(std::string_view& name);

  bool at_string() const { return p_ != end_ && *p_ == '"'; }
  bool at_object() const { return p_ != end_ && *p_ == '{'; }
  bool at_array() const { return p_ != end_ && *p_ == '['; }
  bool at_boolean() const { return p_ != end_ && (*p_ == 't' || *p_ == 'f'); }
  bool at_number() const { return p_ != end_ && (*p_ == '-' || (*p_ >= '0' && *p_ <= '9')); }

  bool string(std::string_view& value);
  bool number(double& value);
  bool boolean(bool& value);
  // An object or whatever else, checked and handed out as it stands: another reader's text.
  bool raw(std::string_view& value);
  bool skip() { return skip_value(1) || failed(); }
  // An array of nothing but strings, each handed to `each`.
  template <class Each>
  bool strings(Each each) {
    if (!take('[')) return failed();
    if (skip_space(); take(']')) return true;
    for (;;) {
      std::string_view item;
      if (skip_space(); !string(item)) return false;
      each(item);
      if (skip_space(); take(']')) return true;
      if (!take(',')) return failed();
    }
  }

  // Any array: `each` takes one value from the reader, or answers false, which ends the reading.
  template <class Each>
  bool items(Each each) {
    if (!take('[')) return failed();
    if (skip_space(); take(']')) return true;
    for (;;) {
      if (skip_space(); !each()) return failed();
      if (skip_space(); take(']')) return true;
      if (!take(',')) return failed();
    }
  }

  // The object has ended, the text with it, and nothing was wrong.
  bool complete() const { return state_ == State::kEnded && p_ == end_; }

 private:
  enum class State : std::uint8_t { kFirst, kMembers, kEnded, kFailed };

  bool failed() {
    state_ = State::kFailed;
    return false;
  }
  void skip_space() {
    while (p_ != end_ && (*p_ == ' ' || *p_ == '\n' || *p_ == '\r' || *p_ == '\t')) ++p_;
  }
  bool take(char c) {
    if (p_ == end_ || *p_ != c) return false;
    ++p_;
    return true;
  }
  bool take(std::string_view word);
  bool take_digits();
  bool take_string(std::string_view& value);
  bool take_escaped_string(const char* begin, std::string_view& value);
  bool take_escape();
  bool take_hex(std::uint32_t& unit);
  bool take_number(double& value);
  bool take_name(std::string_view& name);
  bool skip_value(int depth);
  bool skip_object(int depth);
  bool skip_array(int depth);
  bool unique_names_since(std::size_t first);

  const char* p_;
  const char* const end_;
  JsonSpace& space_;
  State state_ = State::kFirst;
};

}  // namespace text
