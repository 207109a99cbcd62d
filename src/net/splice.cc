#include "net/splice.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "net/descriptors.h"

namespace net {

using For = Descriptors::For;

PipePool::~PipePool() {
  close_idle();
}

void PipePool::close(const Pipe& pipe) {
  ::close(pipe.in), ::close(pipe.out);
  descriptors().given_back(2);
}

void PipePool::close_idle() {
  for (const Pipe& pipe : free_) close(pipe);
  free_.clear();
}

PipePool::Pipe PipePool::take() {
  if (!free_.empty()) {
    const Pipe pipe = free_.back();
    free_.pop_back();
    return pipe;
  }
  if (!descriptors().room(For::kPipe, 2)) return {};
  int ends[2];
  if (::pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) return {};
  const int size = ::fcntl(ends[1], F_SETPIPE_SZ, kSize);
  if (size < kSize) {  // the user's budget is spent: a small pipe would cost more system calls than copying
    ::close(ends[0]), ::close(ends[1]);
    return {};
  }
  descriptors().taken(2);
  return {.in = ends[1], .out = ends[0], .capacity = static_cast<std::size_t>(size)};
}

void PipePool::give_back(Pipe pipe, bool drained) {
  if (drained && free_.size() < kKept && descriptors().room(For::kKept))
    free_.push_back(pipe);
  else
    close(pipe);
}

Task<Result<>> splice_exactly(PipePool& pool, PipePool::Pipe pipe, Stream& from, Stream& to, std::uint64_t n,
                              base::Nanos from_idle, base::Nanos to_idle, const LeastRate& least,
                              Relayed& done) {
  struct GiveBack {
    PipePool& pool;
    PipePool::Pipe& pipe;
    std::size_t& held;
    ~GiveBack() { pool.give_back(pipe, held == 0); }
  };
  std::size_t held = 0;  // bytes in the pipe
  const GiveBack guard{pool, pipe, held};
  constexpr std::uint64_t kInARow = 4 << 20;
  constexpr unsigned kFlags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;

  Pace pace;
  std::uint64_t in_a_row = 0;
  while (n > 0 || held > 0) {
    bool moved = false;
    if (n > 0 && held < pipe.capacity) {
      const std::size_t want = static_cast<std::size_t>(std::min<std::uint64_t>(n, pipe.capacity - held));
      const ssize_t got = ::splice(from.fd(), nullptr, pipe.in, nullptr, want, kFlags);
      if (got > 0) {
        held += static_cast<std::size_t>(got);
        n -= static_cast<std::uint64_t>(got);
        moved = true;
      } else if (got == 0) {
        done.from_failed = true;
        co_return fail(Fault::kClosed, "the body ended early");
      } else if (errno == EAGAIN) {
        // Either the socket is empty or the pipe is full of small pieces; an empty pipe tells which.
        if (held == 0) from.watch().readable = false;
      } else if (errno != EINTR) {
        done.from_failed = true;
        co_return fail(Fault::kClosed, "the connection was reset during the body");
      }
    }
    if (held > 0) {
      const ssize_t put = ::splice(pipe.out, nullptr, to.fd(), nullptr, held, kFlags);
      if (put > 0) {
        held -= static_cast<std::size_t>(put);
        done.bytes += static_cast<std::uint64_t>(put);
        in_a_row += static_cast<std::uint64_t>(put);
        if (in_a_row >= kInARow) {  // two fast ends must not keep the loop from all others
          in_a_row = 0;
          co_await to.loop().yield();
        }
        continue;
      }
      if (put < 0 && errno == EAGAIN) {
        to.watch().writable = false;
        if (!pace.holds(least, done.bytes)) co_return fail(Fault::kTimedOut, "the reader takes too little");
        to.set_deadline(to_idle);
        const base::Mono before = to.loop().now();
        const Wake wake = co_await to.writable();
        pace.waited(least, to.loop().now() - before);
        if (wake != Wake::kReady)
          co_return std::unexpected(error_of(wake, "the reader took nothing in time"));
        continue;
      }
      if (put < 0 && errno == EINTR) continue;
      co_return fail(Fault::kClosed, "the reader has left");
    }
    if (!moved && n > 0) {
      from.set_deadline(from_idle);
      const Wake wake = co_await from.readable();
      if (wake != Wake::kReady) {
        done.from_failed = wake == Wake::kTimeout;
        co_return std::unexpected(error_of(wake, "the body stalled"));
      }
    }
  }
  co_return Result<>{};
}

}  // namespace net
