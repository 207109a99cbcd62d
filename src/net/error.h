// What can go wrong with a network: the words in which this room fails.
//
// Owner:    nobody; an Error is two words and is copied.  Thread: any.  Lifetime: `text` points to a literal.
//
// A stream knows neither whose peer it has nor what that peer was asked for: the same reset is a 502 where an
// origin did it and nobody's business where a client did. So each door translates, in one small function of
// its own, into the base::Code that its callers know.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

namespace net {

enum class Fault : std::uint8_t {
  kRefused,      // nobody listens there
  kUnreachable,  // no way to that address
  kNoName,       // the name has no address
  kTimedOut,     // the deadline came first
  kClosed,       // the peer reset the connection, or ended it early
  kTls,          // the peer does not speak TLS as it must, or we cannot check it
  kCertificate,  // it does, but is not who it should be
  kCancelled,    // whoever waited gave up
  kNoRoom,       // no descriptor, port or memory left on our own side
};

struct Error {
  Fault fault = Fault::kClosed;
  std::string_view text;  // static

  friend bool operator==(const Error&, const Error&) = default;
};

template <class T = void>
using Result = std::expected<T, Error>;

constexpr std::unexpected<Error> fail(Fault fault, std::string_view text) {
  return std::unexpected<Error>(Error{fault, text});
}

}  // namespace net
