#include "net/stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "net/tls.h"

namespace net {

namespace {

// recv() and send() are cancellation points: in a process with threads, glibc's wrappers switch asynchronous
// cancellation on and off around each call. Nobody cancels threads here, and on the path of a hit that was
// more than a hundredth of all CPU time (perf), so these two go straight to the kernel.
ssize_t receive(int fd, std::span<char> out) {
  return ::syscall(SYS_recvfrom, fd, out.data(), out.size(), 0, nullptr, nullptr);
}
ssize_t transmit(int fd, std::string_view bytes) {
  return ::syscall(SYS_sendto, fd, bytes.data(), bytes.size(), MSG_NOSIGNAL, nullptr, 0);
}

}  // namespace

void Stream::close() {
  if (!watch_) return;
  if (ssl_) {
    TlsContext::end(ssl_);
    ssl_ = nullptr;
  }
  Watch* const watch = std::exchange(watch_, nullptr);
  watch->loop.unwatch(watch);
}

ssize_t Stream::tls_result(int n) {
  switch (SSL_get_error(ssl_, n)) {
    case SSL_ERROR_WANT_READ:
      watch_->readable = false;
      return kAgain;
    case SSL_ERROR_WANT_WRITE:
      watch_->writable = false;
      return kAgain;
    case SSL_ERROR_ZERO_RETURN:
      return 0;
    default:
      ERR_clear_error();
      SSL_set_quiet_shutdown(ssl_, 1);
      return kError;
  }
}

ssize_t Stream::try_read(std::span<char> out) {
  if (ssl_) {
    ERR_clear_error();
    const int n = SSL_read(ssl_, out.data(), static_cast<int>(std::min<std::size_t>(out.size(), 1 << 30)));
    return n > 0 ? n : tls_result(n);
  }
  for (;;) {
    const ssize_t n = receive(watch_->fd, out);
    if (n >= 0) {
      // A short read has emptied the socket, unless the peer's end is queued behind the data.
      if (static_cast<std::size_t>(n) < out.size() && !watch_->hangup) watch_->readable = false;
      return n;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      watch_->readable = false;
      return kAgain;
    }
    return kError;
  }
}

bool Stream::something_to_read() {
  if (!watch_->readable) return false;
  char first;
  if (ssl_) {
    ERR_clear_error();
    const int n = SSL_peek(ssl_, &first, 1);
    return n > 0 || tls_result(n) != kAgain;
  }
  const ssize_t n = ::recv(watch_->fd, &first, 1, MSG_PEEK | MSG_DONTWAIT);
  if (n >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) return true;
  watch_->readable = false;
  return false;
}

ssize_t Stream::try_write(std::string_view bytes) {
  if (ssl_) {
    ERR_clear_error();
    const int n =
        SSL_write(ssl_, bytes.data(), static_cast<int>(std::min<std::size_t>(bytes.size(), 1 << 30)));
    return n > 0 ? n : tls_result(n);
  }
  for (;;) {
    const ssize_t n = transmit(watch_->fd, bytes);
    if (n >= 0) return n;
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      watch_->writable = false;
      return kAgain;
    }
    return kError;
  }
}

ssize_t Stream::try_writev(std::span<const iovec> parts) {
  if (ssl_) {
    ssize_t total = 0;
    for (const iovec& part : parts) {
      if (part.iov_len == 0) continue;
      const ssize_t n = try_write({static_cast<const char*>(part.iov_base), part.iov_len});
      if (n < 0) return total > 0 ? total : n;
      total += n;
      if (static_cast<std::size_t>(n) < part.iov_len) break;
    }
    return total;
  }
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts.data());
  message.msg_iovlen = parts.size();
  for (;;) {
    const ssize_t n = ::sendmsg(watch_->fd, &message, MSG_NOSIGNAL);
    if (n >= 0) return n;
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      watch_->writable = false;
      return kAgain;
    }
    return kError;
  }
}

Task<Result<std::size_t>> Stream::read(std::span<char> out) {
  for (;;) {
    const ssize_t n = try_read(out);
    if (n >= 0) co_return static_cast<std::size_t>(n);
    if (n == kError) co_return fail(Fault::kClosed, "the connection was reset");
    // TLS may have to write before it can read (renegotiation is off, key updates are not).
    const Wake wake = watch_->readable ? co_await writable() : co_await readable();
    if (wake != Wake::kReady) co_return std::unexpected(error_of(wake, "no byte in time"));
  }
}

Task<Result<>> Stream::write_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = try_write(bytes);
    if (n > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(n));
      continue;
    }
    if (n != kAgain) co_return fail(Fault::kClosed, "the connection was reset");
    const Wake wake = watch_->writable ? co_await readable() : co_await writable();
    if (wake != Wake::kReady) co_return std::unexpected(error_of(wake, "no byte was taken in time"));
  }
  co_return Result<>{};
}

Task<Result<>> Stream::handshake(const TlsContext& context, const std::string& server_name) {
  const auto started = context.start(watch_->fd, server_name);
  if (!started) co_return std::unexpected(started.error());
  ssl_ = *started;
  for (;;) {
    ERR_clear_error();
    const int n = SSL_connect(ssl_);
    if (n == 1) {
      if (context.satisfied_with(ssl_)) co_return Result<>{};
      co_return fail(Fault::kCertificate, "it showed no certificate that verifies");
    }
    const Error why = context.failure(ssl_);
    if (tls_result(n) != kAgain) co_return std::unexpected(why);
    const Wake wake = watch_->readable ? co_await writable() : co_await readable();
    if (wake != Wake::kReady) co_return std::unexpected(error_of(wake, "the TLS handshake took too long"));
  }
}

Task<> Stream::end_writing() {
  while (ssl_) {
    ERR_clear_error();
    const int n = SSL_shutdown(ssl_);
    if (n >= 0 || tls_result(n) != kAgain || watch_->writable) break;
    if (co_await writable() != Wake::kReady) break;
  }
  ::shutdown(watch_->fd, SHUT_WR);
}

Error error_of(Wake wake, std::string_view timeout_text) {
  if (wake == Wake::kCancelled) return {Fault::kCancelled, "cancelled"};
  return {Fault::kTimedOut, timeout_text};
}

}  // namespace net
