// A connected byte stream, plain or TLS, on one worker's loop.
//
// Owner:    a client connection or an origin's pool.
// Thread:   the loop's own.
// Lifetime: closing it while a coroutine of the same stream waits is a bug; cancel() first and let it return.
// Standard: RFC 8446 §6.1: TLS is ended by close_notify, whether both sides end or only ours.
// Failure:  try_* give kAgain, kError or the count; the awaiting forms give an Error that says whether time
//           ran out, somebody cancelled, or the peer is gone.
//
// The order on a hot path is: try first, wait only on kAgain. The socket is edge-triggered, so a read that
// came back short has emptied it and the next try would be a wasted system call: try_read() remembers that
// and readable() waits for the next edge.
//
//   for (;;) {
//     ssize_t n = stream.try_read(buffer);
//     if (n != Stream::kAgain) break;
//     if (co_await stream.readable() != Wake::kReady) break;
//   }
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "net/error.h"
#include "net/loop.h"
#include "net/task.h"

typedef struct ssl_st SSL;

namespace net {

class TlsContext;

class Stream {
 public:
  static constexpr ssize_t kAgain = -1;
  static constexpr ssize_t kError = -2;

  Stream() = default;
  Stream(Loop& loop, int fd) : watch_(loop.watch(fd)) {}  // takes the descriptor, non-blocking
  Stream(Stream&& other) noexcept
      : watch_(std::exchange(other.watch_, nullptr)), ssl_(std::exchange(other.ssl_, nullptr)) {}
  Stream& operator=(Stream&& other) noexcept {
    std::swap(watch_, other.watch_);
    std::swap(ssl_, other.ssl_);
    return *this;
  }
  ~Stream() { close(); }

  bool open() const { return watch_ != nullptr; }
  bool tls() const { return ssl_ != nullptr; }
  int fd() const { return watch_->fd; }
  Loop& loop() const { return watch_->loop; }
  Watch& watch() const { return *watch_; }
  bool hangup() const { return watch_->hangup; }

  // ---- at once
  ssize_t try_read(std::span<char> out);  // 0: the peer has ended its side
  ssize_t try_write(std::string_view bytes);
  ssize_t try_writev(std::span<const iovec> parts);  // plain and TLS

  // Whether try_read() would give something, the end and an error included; takes nothing. A system call only
  // where the loop cannot tell: after a read that filled its buffer.
  bool something_to_read();

  // ---- waiting for the socket
  auto readable() { return Ready<&Watch::readable, &Watch::reader>{*watch_}; }
  auto writable() { return Ready<&Watch::writable, &Watch::writer>{*watch_}; }
  // Whichever comes first: an upload must notice a reply that does not wait for its end.
  auto either() { return Either{*watch_}; }

  // One deadline for whatever this stream waits for next. Never: clear_deadline().
  void set_deadline(base::Mono when) {
    watch_->expired = false;
    watch_->loop.set(*watch_, when);
  }
  void set_deadline(base::Nanos from_now) { set_deadline(watch_->loop.now() + from_now); }
  void clear_deadline() {
    watch_->expired = false;
    watch_->Timer::clear();
  }
  // Wakes whoever waits, with Wake::kCancelled. Sticky.
  void cancel() { watch_->Cancellable::cancel(); }
  void uncancel() { watch_->cancelled = false; }

  // ---- whole steps, for paths that wait anyway
  Task<Result<std::size_t>> read(std::span<char> out);  // 0: the peer has ended its side
  Task<Result<>> write_all(std::string_view bytes);

  // TLS as a client; the deadline set before applies. Verifies name and chain as the context says; a name
  // that cannot be checked fails, too.
  Task<Result<>> handshake(const TlsContext& context, const std::string& server_name);

  // Nothing more is written; what the peer says can still be read. The deadline set before applies.
  Task<> end_writing();
  void close();

 private:
  template <bool Watch::* Flag, std::coroutine_handle<> Watch::* Waiter>
  struct Ready {
    Watch& watch;
    bool await_ready() const { return watch.*Flag || watch.expired || watch.cancelled; }
    void await_suspend(std::coroutine_handle<> h) const { watch.*Waiter = h; }
    Wake await_resume() const {
      if (watch.cancelled) return Wake::kCancelled;
      if (watch.*Flag) return Wake::kReady;
      return Wake::kTimeout;
    }
  };
  struct Either {
    Watch& watch;
    bool await_ready() const { return watch.readable || watch.writable || watch.expired || watch.cancelled; }
    void await_suspend(std::coroutine_handle<> h) const { watch.reader = watch.writer = h; }
    Wake await_resume() const {
      watch.reader = watch.writer = nullptr;
      if (watch.cancelled) return Wake::kCancelled;
      return watch.readable || watch.writable ? Wake::kReady : Wake::kTimeout;
    }
  };
  ssize_t tls_result(int n);

  Watch* watch_ = nullptr;
  SSL* ssl_ = nullptr;
};

// What a wait that did not end in readiness was: no time left, or nobody who waits.
Error error_of(Wake wake, std::string_view timeout_text);

}  // namespace net
