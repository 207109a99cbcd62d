// What a server answered, and its body, pulled piece by piece.
//
// Owner:    whoever asked.  Thread: the worker's own.
// Lifetime: owns its connection, or its file, and gives it back or closes it when it dies. One that is
//           dropped before its body's end closes the connection, which is how a client that leaves stops the
//           transfer.
// Failure:  kOriginTimeout (nothing came in time), kOriginBadReply (the body ended early: never a clean end),
//           kCancelled.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "http/response_head.h"
#include "net/loop.h"
#include "net/stream.h"
#include "net/task.h"

namespace client {

// A body that is a file: whoever has the reply reads or sends any part of it.
struct File {
  int fd = -1;
  std::uint64_t size = 0;
};

class Reply {
 public:
  Reply();
  Reply(Reply&&) noexcept;
  Reply& operator=(Reply&&) noexcept;
  ~Reply();

  std::uint16_t status() const { return head().status; }
  const http::ResponseHead& head() const;  // fields as the server sent them, or as an origin made them up
  // Known length of the body that read() will give: 0 for HEAD, 204, 304. None: chunked or until close.
  std::optional<std::uint64_t> length() const;
  const File* file() const;  // the whole object, where a file is the body

  // Decoded body bytes in order. 0: complete. A body that ends early is kOriginBadReply, never a clean end.
  // The origin's idle timeout applies to each call.
  net::Task<base::Result<std::size_t>> read(std::span<char> out, net::Cancel* cancel);

  // Until read() has something to give, the end or an error included, so that nobody holds a buffer while
  // nothing comes. A no-op where bytes are there already, for a file, and for a body made of others. May
  // return early where what came was framing only. The idle timeout applies here as it does there.
  net::Task<base::Result<>> wait(net::Cancel* cancel);

  // For relaying without copying: the plain socket of a body with Content-Length, or null. First drain
  // buffered() (bytes of the body read with the head), then move `left` bytes, then call relayed(left).
  net::Stream* spliceable();
  std::string_view buffered() const;
  void consume_buffered(std::size_t n);
  std::uint64_t left() const;  // bytes of the body not yet taken, buffered ones included
  void relayed(std::uint64_t n);
  base::Nanos idle_timeout() const;

  // After a 101: the connection, and what the origin had already sent on it.
  net::Stream take_stream(std::string& leftover);

  // When the request went out and the head came in, for the phase times and RFC 9111's age.
  base::Mono requested_at() const;
  base::Mono received_at() const;

 private:
  friend class ReplyMaker;  // reply_maker.h
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace client
