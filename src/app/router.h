// Finds the operation for a method and a path.
//
// Owner:    an Endpoint.  Thread: any; immutable.
// Failure:  the constructor throws std::logic_error with one line: a template that cannot be read, two rows
//           for the same requests, an operation without a handler.
//
// A literal segment goes before a parameter, and the rest of a path comes last, whatever the order of the
// table.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/call.h"
#include "app/operation.h"

namespace app {

struct Segment {
  enum class Kind : std::uint8_t { kLiteral, kInteger, kUuid, kText, kRest };  // in the order of preference
  Kind kind = Kind::kLiteral;
  std::string_view text;  // the literal, or the parameter's name
};

// Throws std::logic_error.
std::vector<Segment> parse_template(std::string_view path);

class Router {
 public:
  explicit Router(std::span<const Operation> operations);

  // Sets call.operation and its parameters; null where nothing fits.
  void find(Call& call) const;
  std::string allowed(std::string_view path) const;
  // Whether an operation of that path is for everybody, whatever its method; or all are, so that there is
  // nothing to hide.
  bool open(std::string_view path, bool local) const;

 private:
  struct Row {
    const Operation* operation;
    std::vector<Segment> segments;
  };
  std::vector<Row> rows_;  // the most particular first
};

}  // namespace app
