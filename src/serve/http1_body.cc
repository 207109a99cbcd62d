#include "serve/http1_body.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace serve {

using base::Code;
using base::fail;

namespace {
constexpr std::uint64_t kDrainable = 64 << 10;
constexpr std::size_t kBuffer = 32 << 10;
constexpr base::Error kLeft = {Code::kClientGone, "the client has left"};
constexpr base::Error kTooLate = {Code::kRequestTimeout, "the request body did not arrive in time"};

// Ends one wait of a stream, and leaves the stream as it was.
struct Poke final : net::Cancellable {
  explicit Poke(net::Watch& w) : Cancellable(&Poke::on_cancel), watch(w) {}
  static void on_cancel(net::Cancellable& self) {
    auto& poke = static_cast<Poke&>(self);
    poke.came = true;
    poke.watch.wake_all();
  }
  net::Watch& watch;
  bool came = false;
};
}  // namespace

void Http1Body::take_buffer() {
  if (buffer_.size > 0) return;
  buffer_.data = std::make_unique_for_overwrite<char[]>(kBuffer);
  buffer_.size = kBuffer;
  if (account_) account_->hold(base::Account::Kind::kBuffers, kBuffer);
}

void Http1Body::drop_buffer() {
  if (buffer_.size > 0 && account_) account_->release(base::Account::Kind::kBuffers, kBuffer);
  buffer_ = {};
}

void Http1Body::start(Request& request, const Terms& terms) {
  using http::Framing;
  request_ = &request;
  const Framing framing = request.parsed ? request.head.framing : Framing::kNone;
  failed_ = continue_due_ = false;
  left_ = framing == Framing::kLength ? request.head.content_length : 0;
  complete_ = framing == Framing::kNone || (framing == Framing::kLength && left_ == 0);
  if (framing == Framing::kNone) return;
  patience_ = terms.body_patience;
  least_ = terms.least;
  pace_.start(request.bytes_in);
  continue_due_ = request.head.expect_continue && request.head.minor > 0;
  if (framing == Framing::kChunked) chunked_ = http::ChunkedDecoder({.body = terms.body}, Code::kBadRequest);
}

bool Http1Body::drainable() const {
  if (complete_) return true;
  // A client that still waits for its 100 may or may not send the body: nobody knows where the next request
  // begins.
  if (failed_ || continue_due_) return false;
  return request_->head.framing == http::Framing::kChunked || left_ <= kDrainable;
}

// To send what there is, where the client waits to be asked.
net::Task<base::Result<>> Http1Body::invite() {
  client_.set_deadline(patience_);
  if (std::exchange(continue_due_, false) && !co_await client_.write_all("HTTP/1.1 100 Continue\r\n\r\n"))
    co_return std::unexpected(kLeft);
  if (!pace_.holds(least_, request_->bytes_in))
    co_return fail(Code::kRequestTimeout, "the request body arrives too slowly");
  client_.set_deadline(patience_);
  co_return base::Result<>{};
}

net::Task<base::Result<>> Http1Body::wait() {
  if (complete_ || failed_ || !pending().empty()) co_return base::Result<>{};
  drop_buffer();
  auto there = co_await invite();
  Poke poke(client_.watch());
  const net::CancelLink link(interrupt(), poke);
  const base::Mono before = client_.loop().now();
  while (there && !client_.something_to_read()) {
    if (poke.came) co_return fail(Code::kCancelled, "cancelled");
    const net::Wake wake = co_await client_.readable();
    if (poke.came) continue;
    if (wake != net::Wake::kReady) there = std::unexpected(wake == net::Wake::kTimeout ? kTooLate : kLeft);
  }
  pace_.waited(least_, client_.loop().now() - before);
  failed_ = !there;
  co_return there;
}

net::Task<base::Result<std::size_t>> Http1Body::receive(std::span<char> into) {
  if (const auto invited = co_await invite(); !invited) co_return std::unexpected(invited.error());
  Poke poke(client_.watch());
  const net::CancelLink link(interrupt(), poke);
  if (poke.came) co_return fail(Code::kCancelled, "cancelled");
  const base::Mono before = client_.loop().now();
  const auto n = co_await client_.read(into);
  pace_.waited(least_, client_.loop().now() - before);
  if (!n && poke.came && n.error().fault == net::Fault::kTimedOut)
    co_return fail(Code::kCancelled, "cancelled");
  if (!n) co_return std::unexpected(n.error().fault == net::Fault::kTimedOut ? kTooLate : kLeft);
  if (*n == 0) co_return fail(Code::kClientGone, "the client left before its body was complete");
  co_return *n;
}

net::Task<base::Result<std::size_t>> Http1Body::read(std::span<char> out) {
  const bool by_length = request_->head.framing == http::Framing::kLength;
  while (!complete_) {
    if (pending().empty()) {
      std::span<char> into = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(left_, out.size())));
      if (!by_length) {
        take_buffer();
        buffer_.begin = buffer_.end = 0;
        into = buffer_.room();
      }
      const auto n = co_await receive(into);
      if (!n) {
        failed_ = n.error().code != Code::kCancelled;
        co_return n;
      }
      if (by_length) {
        left_ -= *n;
        complete_ = left_ == 0;
        request_->bytes_in += *n;
        co_return *n;
      }
      buffer_.end = *n;
    }
    std::string_view data;
    // No more than fits: what a decoder gives must be taken whole.
    std::string_view in = pending().substr(0, out.size());
    if (by_length) {
      data = in.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, in.size())));
      consume(data.size());
      left_ -= data.size();
      complete_ = left_ == 0;
    } else {
      const std::size_t given = in.size();
      const auto step = chunked_.next(in);
      consume(given - in.size());
      if (!step) {
        failed_ = true;
        co_return std::unexpected(step.error());
      }
      data = step->data;
      complete_ = step->done;
    }
    if (!data.empty()) {
      std::memcpy(out.data(), data.data(), data.size());
      request_->bytes_in += data.size();
      co_return data.size();
    }
  }
  co_return std::size_t{0};
}

net::Task<bool> Http1Body::drain() {
  if (!drainable()) co_return false;
  std::array<char, 4096> waste;
  std::uint64_t dropped = 0;
  while (!complete_) {
    const auto n = co_await read(waste);
    if (!n) co_return false;
    dropped += *n;
    if (dropped > kDrainable) co_return false;
  }
  co_return true;
}

void Http1Body::take_rest() {
  if (!buffer_.empty()) input_ = {std::move(buffer_.data), buffer_.size, buffer_.begin, buffer_.end};
  drop_buffer();
}

}  // namespace serve
