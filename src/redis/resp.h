// RESP3 as values and as a state machine: replies out of bytes, commands into bytes. No sockets here.
//
// Owner:    a Parser belongs to one connection's Session; a Reply to whoever took it.
// Thread:   the worker's own.
// Lifetime: the texts of nodes are views into their Reply. Parser::reply() is good until the next next().
// Failure:  next() gives kOriginBadReply where the bytes are not RESP3 or go beyond a bound; such a
//           connection must be closed, since nobody knows where the next reply begins.
// Standard: the RESP3 specification (redis/redis-specifications), less its streamed types (`$?`, `*?`, …),
//           which no Redis server sends. RESP2's nulls (`$-1`, `*-1`) are taken: modules still send them.
//
// A reply is a flat list of nodes in the order of the wire, each with its depth, not a tree: one allocation
// that the next reply uses again. Attributes are checked like all else and dropped.
//
//   while (!input.empty()) {
//     const auto whole = parser.next(input);       // takes from input what belongs to this reply
//     if (!whole) return whole.error();
//     if (*whole) use(parser.reply());
//   }
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace redis {

enum class Type : std::uint8_t {
  kSimple,     // +OK
  kError,      // -ERR …, or a bulk error
  kInteger,    // :1
  kBulk,       // $3 foo
  kVerbatim,   // =7 txt:foo; the text is without the format
  kNull,       // _, $-1, *-1
  kBoolean,    // #t
  kDouble,     // ,1.5
  kBigNumber,  // (123…; as text
  kArray,      // *2
  kSet,        // ~2
  kMap,        // %1: keys and values in turn
  kPush,       // >2, out of band
};

constexpr bool is_aggregate(Type type) {
  return type >= Type::kArray;
}

// What a server may make us keep. A reply beyond it is an error, never a truncation.
struct Bounds {
  std::size_t depth = 16;          // of aggregates within each other, at most kMaxDepth
  std::size_t line = 64 << 10;     // bytes of a simple string, an error, a number
  std::size_t bulk = 64 << 20;     // bytes of one bulk string
  std::size_t reply = 64 << 20;    // bytes of all texts of one reply
  std::size_t elements = 1 << 20;  // of one reply, its attributes included
  static constexpr std::size_t kMaxDepth = 32;
};

class Reply {
 public:
  struct Node {
    Type type = Type::kNull;
    std::uint8_t depth = 0;
    std::int64_t integer = 0;  // kInteger; kBoolean as 0 and 1; aggregates: their elements, a pair is two
    double real = 0;           // kDouble
    std::size_t begin = 0, size = 0;  // of the text
  };

  bool empty() const { return nodes_.empty(); }
  std::span<const Node> nodes() const { return nodes_; }
  const Node& root() const { return nodes_.front(); }
  Type type() const { return root().type; }
  std::string_view text(const Node& node) const {
    return std::string_view(texts_).substr(node.begin, node.size);
  }
  std::string_view text() const { return text(root()); }

  bool is_error() const { return type() == Type::kError; }
  // The first word of an error: "NOSCRIPT", "WRONGPASS". Capitals only, since it is what may be logged: the
  // rest of an error may repeat what was sent, passwords included.
  std::string_view error_code() const;
  bool is_error(std::string_view code) const { return is_error() && error_code() == code; }

  // The elements of a reply that is a flat array of integers, as scripts give: true when it is one of `out`'s
  // size.
  bool integers(std::span<std::int64_t> out) const;

  friend bool operator==(const Reply& a, const Reply& b);

 private:
  friend class Parser;
  void clear();
  std::vector<Node> nodes_;
  std::string texts_;
};

class Parser {
 public:
  explicit Parser(const Bounds& bounds);

  // True: reply() is whole; what is left of `input` belongs to the next. False: all of input was taken.
  base::Result<bool> next(std::string_view& input);
  void reset();                                        // for a new connection
  Reply& reply() { return reply_; }                    // may be moved from
  bool idle() const { return step_ == Step::kStart; }  // between replies

 private:
  enum class Step : std::uint8_t { kStart, kType, kLine, kBulk, kBulkCr, kBulkLf };
  struct Frame {
    std::uint64_t left = 0;  // elements still to come
    bool attribute = false;
  };

  base::Result<> step(std::string_view& input);
  base::Result<> read_line(std::string_view& input);
  base::Result<> line(std::string_view line);
  base::Result<> number(std::string_view line);
  base::Result<> bulk(Type type, std::string_view length);
  base::Result<> bulk_done();
  base::Result<> open(Type type, std::string_view count, bool attribute);
  base::Result<> text(Type type, std::string_view text);
  void add(Reply::Node node);
  void element_done();

  Bounds bounds_;
  Reply reply_;
  Step step_ = Step::kStart;
  char mark_ = 0;      // the first byte of the line
  bool cr_ = false;    // the line so far ends in CR
  bool done_ = false;  // the reply is whole
  Reply::Node bulk_;   // under way
  std::size_t bulk_left_ = 0;
  std::size_t seen_ = 0;        // elements of this reply
  std::size_t text_bytes_ = 0;  // of this reply, dropped ones included
  std::size_t depth_ = 0;
  std::size_t attributes_ = 0;  // open frames of attributes
  std::array<Frame, Bounds::kMaxDepth> frames_;
  std::string line_;  // the part of a line that came before this input
};

// Appends one command as an array of bulk strings: any bytes are safe in an argument.
void append_command(std::string& out, std::span<const std::string_view> arguments);
inline void append_command(std::string& out, std::initializer_list<std::string_view> arguments) {
  append_command(out, std::span(arguments.begin(), arguments.size()));
}

// Appends a reply as a server would write it. For the tests' and fuzzers' round trip and scripted peers.
void append_reply(std::string& out, const Reply& reply);

}  // namespace redis
