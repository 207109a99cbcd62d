#include "client/connection.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "client/error.h"

namespace client {

using base::Code;
using base::fail;

namespace {

constexpr std::size_t kPiece = 16 << 10;  // read at a time, of a head
constexpr unsigned kMaxInterims = 100;

// Where a TLS stream has to write before it can read, its readable flag is still up.
net::Task<net::Wake> wait_to_read(net::Stream& stream) {
  if (stream.watch().readable) co_return co_await stream.writable();
  co_return co_await stream.readable();
}

}  // namespace

void Connection::begin_exchange(Interims* interims) {
  begin_ = end_ = seen_ = 0;
  interims_ = interims;
  interim_count_ = 0;
  left_ = 0;
  replied_ = head_complete_ = request_begun_ = request_complete_ = body_complete_ = excess_ = false;
}

void Connection::rest() {
  if (head_.fields.size() > http::FieldList::kInline) head_.fields.clear();
  if (capacity_ <= kKept) return;
  buffer_.reset();
  capacity_ = 0;
}

void Connection::keep(std::string_view bytes) {
  if (end_ + bytes.size() > capacity_) {
    // Most heads come in one piece; one that drips in must not be copied for each of its bytes.
    const std::size_t room = std::max(end_ + bytes.size(), std::min(2 * capacity_, limits_.head));
    auto larger = std::make_unique_for_overwrite<char[]>(room);
    if (end_ > 0) std::memcpy(larger.get(), buffer_.get(), end_);
    buffer_ = std::move(larger);
    capacity_ = room;
  }
  std::memcpy(buffer_.get() + end_, bytes.data(), bytes.size());
  end_ += bytes.size();
}

net::Task<base::Result<bool>> Connection::send(std::string_view bytes, http::Method method,
                                               base::Nanos idle) {
  bool broken = false;
  while (!bytes.empty() && !broken) {
    const auto early = hear(method);
    if (!early || *early) co_return early;
    const ssize_t n = stream_.try_write(bytes);
    if (n >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(n));
      request_begun_ = true;
      continue;
    }
    if (n != net::Stream::kAgain) {
      broken = true;
      continue;
    }
    stream_.set_deadline(idle);
    const net::Wake wake = stream_.watch().writable ? co_await stream_.readable() : co_await stream_.either();
    if (wake != net::Wake::kReady)
      co_return std::unexpected(wait_error(wake, "the origin took nothing of the request in time"));
  }
  if (!broken) co_return false;
  // Whoever refuses a request may reply and close without reading it to its end; that reply is the answer.
  const auto last_words = poll_head(method);
  if (last_words && *last_words) co_return true;
  if (!last_words) co_return std::unexpected(last_words.error());
  co_return fail(replied_ ? Code::kOriginBadReply : Code::kOriginRefused,
                 "the origin closed the connection during the request");
}

// Not before the first byte is out: what comes then is no reply to this request.
base::Result<bool> Connection::hear(http::Method method) {
  if (head_complete_ || !request_begun_ || !stream_.watch().readable) return head_complete_;
  return poll_head(method);
}

net::Task<base::Result<>> Connection::read_head(http::Method method, base::Nanos first_byte) {
  if (head_complete_) co_return base::Result<>{};
  bool armed = false;
  for (;;) {
    const auto done = poll_head(method);
    if (!done) co_return std::unexpected(done.error());
    if (*done) co_return base::Result<>{};
    if (!armed) stream_.set_deadline(first_byte);  // one deadline for the head as a whole
    armed = true;
    const net::Wake wake = co_await wait_to_read(stream_);
    if (wake != net::Wake::kReady)
      co_return std::unexpected(wait_error(wake, "the origin did not answer in time"));
  }
}

// Takes what the socket has; true when the final head is complete, false when more has to come.
base::Result<bool> Connection::poll_head(http::Method method) {
  for (;;) {
    if (head_complete_) return true;
    if (end_ >= limits_.head)
      return fail(Code::kOriginBadReply, "the head of the origin's reply is too large");
    char piece[kPiece];
    const ssize_t n = stream_.try_read(std::span(piece).first(std::min(kPiece, limits_.head - end_)));
    if (n == net::Stream::kAgain) return false;
    if (n <= 0) {
      return replied_ ? fail(Code::kOriginBadReply, "the origin's reply ended within its head")
                      : fail(Code::kOriginRefused, "the origin closed the connection without a reply");
    }
    replied_ = true;
    keep({piece, static_cast<std::size_t>(n)});
    const auto done = parse_head(method);
    if (!done || *done) return done;
  }
}

base::Result<bool> Connection::parse_head(http::Method method) {
  for (;;) {
    const auto used = http::parse_response({buffer_.get(), end_}, method, limits_, head_, &seen_);
    if (!used) return std::unexpected(used.error());
    if (*used == 0) return false;
    seen_ = 0;
    if (head_.status >= 200 || head_.status == 101) {
      begin_ = *used;
      interims_ = nullptr;
      start_body();
      return head_complete_ = true;
    }
    if (++interim_count_ > kMaxInterims)
      return fail(Code::kOriginBadReply, "the origin sends interim replies only");
    if (interims_ && head_.status != 100) interims_->heard(head_);
    std::memmove(buffer_.get(), buffer_.get() + *used, end_ - *used);
    end_ -= *used;
    if (end_ == 0) return false;
  }
}

void Connection::start_body() {
  stream_.clear_deadline();
  switch (head_.framing) {
    case http::Framing::kNone:
      body_complete_ = true;
      break;
    case http::Framing::kLength:
      left_ = head_.content_length;
      body_complete_ = left_ == 0;
      break;
    case http::Framing::kChunked:
      chunked_ = http::ChunkedDecoder({}, Code::kOriginBadReply);
      break;
    case http::Framing::kUntilClose:
      break;
  }
}

net::Task<base::Result<std::size_t>> Connection::read_body(std::span<char> out, base::Nanos idle) {
  assert(!out.empty());
  if (head_.framing == http::Framing::kLength && out.size() > left_)
    out = out.first(static_cast<std::size_t>(left_));
  while (!body_complete_) {
    std::size_t raw = 0;
    if (begin_ < end_) {
      raw = std::min(out.size(), end_ - begin_);
      std::memcpy(out.data(), buffer_.get() + begin_, raw);
      begin_ += raw;
    } else {
      const ssize_t n = stream_.try_read(out);
      if (n == net::Stream::kAgain) {
        stream_.set_deadline(idle);
        const net::Wake wake = co_await wait_to_read(stream_);
        if (wake == net::Wake::kReady) continue;
        co_return std::unexpected(wait_error(wake, "the origin stalled during the body of its reply"));
      }
      if (n == 0 && head_.framing == http::Framing::kUntilClose) {
        body_complete_ = true;
        break;
      }
      if (n <= 0) co_return fail(Code::kOriginBadReply, "the body of the origin's reply ended early");
      raw = static_cast<std::size_t>(n);
    }
    const auto data = decode(out.first(raw));
    if (!data) co_return std::unexpected(data.error());
    if (*data > 0) co_return *data;
  }
  co_return std::size_t{0};
}

net::Task<base::Result<>> Connection::wait_body(base::Nanos idle) {
  if (body_complete_ || begin_ < end_) co_return base::Result<>{};
  stream_.set_deadline(idle);
  while (!stream_.something_to_read()) {
    const net::Wake wake = co_await wait_to_read(stream_);
    if (wake != net::Wake::kReady)
      co_return std::unexpected(wait_error(wake, "the origin stalled during the body of its reply"));
  }
  co_return base::Result<>{};
}

// Turns raw bytes of the body into data, in place; returns how many are left at the front of the span.
base::Result<std::size_t> Connection::decode(std::span<char> raw) {
  if (head_.framing == http::Framing::kLength) {
    left_ -= raw.size();
    body_complete_ = left_ == 0;
    return raw.size();
  }
  if (head_.framing == http::Framing::kUntilClose) return raw.size();
  std::string_view in(raw.data(), raw.size());
  std::size_t kept = 0;
  for (;;) {
    const auto step = chunked_.next(in);
    if (!step) return std::unexpected(step.error());
    if (step->done) {
      body_complete_ = true;
      excess_ = !in.empty();
      return kept;
    }
    if (step->data.empty()) return kept;
    std::memmove(raw.data() + kept, step->data.data(), step->data.size());
    kept += step->data.size();
  }
}

bool Connection::reusable() const {
  return head_complete_ && request_complete_ && body_complete_ && !excess_ && begin_ == end_ &&
         head_.keep_alive && head_.status != 101 && stream_.open() && !stream_.hangup();
}

std::string_view Connection::buffered() const {
  if (head_.framing != http::Framing::kLength) return {};
  return {buffer_.get() + begin_, static_cast<std::size_t>(std::min<std::uint64_t>(end_ - begin_, left_))};
}

void Connection::consume_buffered(std::size_t n) {
  begin_ += n;
  relayed(n);
}

void Connection::relayed(std::uint64_t n) {
  left_ -= n;
  body_complete_ = left_ == 0;
}

bool Connection::quiet(bool ask_the_kernel) {
  if (stream_.hangup()) return false;
  if (!stream_.watch().readable && !ask_the_kernel) return true;
  char unasked;
  return stream_.try_read({&unasked, 1}) == net::Stream::kAgain;
}

}  // namespace client
