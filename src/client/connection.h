// One connection to an HTTP/1.1 server and the one exchange that is under way on it.
//
// Owner:    the exchange, then the Reply, then the Pool, and round again.
// Thread:   the worker's own.
// Lifetime: head() and buffered() are views into the connection's buffer until begin_exchange().
// Units:    a reply's head is as large as `limits` say at most; a larger one is refused.
// Standard: RFC 9112 §6.3 (body length), §7.1 (chunked), §9.3 (persistence); RFC 9110 §15.2 (interim
// replies).
// Failure:  Errors as in reply.h. After any of them, and after a body that was not read to its end,
//           reusable() is false and the connection can only be dropped.
//
// Bodies go straight from the socket into the caller's span, chunked ones too: the coding is taken out in
// place, since what it leaves is never longer than what came in. What comes with the head is read on the
// stack and kept in a buffer of its own size, so that thousands may wait, for a head or for the next event of
// a stream, without 16 KiB each.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "client/interims.h"
#include "config/model_origin.h"
#include "http/chunked.h"
#include "http/head.h"
#include "http/response_head.h"
#include "net/stream.h"
#include "net/task.h"

namespace client {

class Connection {
 public:
  static constexpr std::size_t kKept = 2 << 10;  // of the buffer, while nothing is asked

  explicit Connection(net::Stream stream, const config::ReplyLimits& limits = {})
      : stream_(std::move(stream)), limits_{.head = limits.head, .target = 0, .fields = limits.fields} {}

  // `interims` may be null; it is told until the final head is there.
  void begin_exchange(Interims* interims = nullptr);
  // While nobody uses it: an unusually large buffer goes.
  void rest();

  // Sends all of `bytes`; true when a final reply was there before the end, and sending has stopped for it.
  // `idle` bounds each wait for the origin to take some.
  net::Task<base::Result<bool>> send(std::string_view bytes, http::Method method, base::Nanos idle);
  // The same between two pieces: true when a final reply is there. At once.
  base::Result<bool> hear(http::Method method);
  void request_complete() { request_complete_ = true; }

  // Until the final head, passing over interim ones; 101 counts as final.
  net::Task<base::Result<>> read_head(http::Method method, base::Nanos first_byte);

  // The next bytes of the body; 0: complete. `out` is not empty.
  net::Task<base::Result<std::size_t>> read_body(std::span<char> out, base::Nanos idle);
  // Until the socket has something for read_body(), so that nobody holds a buffer meanwhile.
  net::Task<base::Result<>> wait_body(base::Nanos idle);

  const http::ResponseHead& head() const { return head_; }
  http::ResponseHead& head() { return head_; }
  bool begun() const { return request_begun_; }  // any byte of the request has gone out
  bool replied() const { return replied_; }      // any byte of a reply has come
  bool reusable() const;

  // For relaying past read_body(): only for bodies of known length.
  std::string_view buffered() const;
  void consume_buffered(std::size_t n);
  std::uint64_t left() const { return left_; }
  void relayed(std::uint64_t n);
  // After a 101: what came behind the head.
  std::string_view behind_head() const { return {buffer_.get() + begin_, end_ - begin_}; }

  // Whether a kept connection still looks alive: the peer has neither ended it nor said anything. Without a
  // system call this is what the loop has heard so far.
  bool quiet(bool ask_the_kernel);

  net::Stream& stream() { return stream_; }
  std::size_t held() const { return capacity_; }  // bytes of its buffer

  // The pool's: since when it is kept, where it leads, and as of which answer that is known to be right.
  base::Mono idle_since{};
  std::array<std::uint8_t, 16> address{};
  unsigned answer = 0;

 private:
  base::Result<bool> poll_head(http::Method method);
  base::Result<bool> parse_head(http::Method method);
  base::Result<std::size_t> decode(std::span<char> raw);
  void start_body();
  void keep(std::string_view bytes);  // behind what the buffer holds

  net::Stream stream_;
  const http::HeadLimits limits_;
  Interims* interims_ = nullptr;
  http::ResponseHead head_;
  http::ChunkedDecoder chunked_;
  std::uint64_t left_ = 0;           // of a body with a length, buffered bytes included
  std::size_t begin_ = 0, end_ = 0;  // what of buffer_ is not taken yet
  std::size_t seen_ = 0;             // parse_response's
  unsigned interim_count_ = 0;
  bool replied_ = false;
  bool head_complete_ = false;
  bool request_begun_ = false;
  bool request_complete_ = false;
  bool body_complete_ = false;
  bool excess_ = false;  // bytes behind the end of the body
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0;
};

}  // namespace client
