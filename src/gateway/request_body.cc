#include "gateway/request_body.h"

#include <algorithm>
#include <cstring>

namespace gateway {

using base::Code;
using base::fail;

namespace {

constexpr std::uint64_t kDrainable = 64 << 10;

base::Error client_error(const net::Error& why) {
  if (why.fault == net::Fault::kTimedOut)
    return {Code::kRequestTimeout, "the request body did not arrive in time"};
  return {Code::kClientGone, "the client has left"};
}

}  // namespace

RequestBody::RequestBody(Exchange& x, net::Stream& client, const config::Config& config)
    : x_(x),
      client_(client),
      patience_(config.timeouts.body),
      chunked_({.body = config.limits.body}, Code::kBadRequest),
      left_(x.head.framing == http::Framing::kLength ? x.head.content_length : 0),
      complete_(x.head.framing == http::Framing::kNone ||
                (x.head.framing == http::Framing::kLength && left_ == 0)),
      continue_due_(x.head.expect_continue && x.head.minor > 0) {}

bool RequestBody::drainable() const {
  if (complete_) return true;
  // A client that still waits for its 100 may or may not send the body: nobody knows where the next request
  // begins.
  if (failed_ || continue_due_) return false;
  return x_.head.framing == http::Framing::kChunked || left_ <= kDrainable;
}

net::Task<base::Result<std::size_t>> RequestBody::receive(std::span<char> into) {
  if (continue_due_) {
    continue_due_ = false;
    client_.set_deadline(patience_);
    if (!co_await client_.write_all("HTTP/1.1 100 Continue\r\n\r\n"))
      co_return fail(Code::kClientGone, "the client has left");
  }
  client_.set_deadline(patience_);
  const auto n = co_await client_.read(into);
  if (!n) co_return std::unexpected(client_error(n.error()));
  if (*n == 0) co_return fail(Code::kClientGone, "the client left before its body was complete");
  co_return *n;
}

net::Task<base::Result<std::size_t>> RequestBody::read(std::span<char> out) {
  if (complete_) co_return std::size_t{0};
  const bool by_length = x_.head.framing == http::Framing::kLength;
  for (;;) {
    if (x_.begin == x_.end) {
      // Behind the head, whose views the log still needs; a body of known length goes straight to its reader.
      x_.begin = x_.end = x_.head_size;
      std::span<char> into = std::span(x_.input).subspan(x_.head_size);
      if (by_length) into = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(left_, out.size())));
      const auto n = co_await receive(into);
      if (!n) {
        failed_ = true;
        co_return n;
      }
      if (by_length) {
        left_ -= *n;
        complete_ = left_ == 0;
        x_.bytes_in += *n;
        co_return *n;
      }
      x_.end += *n;
    }
    std::string_view data;
    if (by_length) {
      data = x_.pending().substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, out.size())));
      x_.begin += data.size();
      left_ -= data.size();
      complete_ = left_ == 0;
    } else {
      std::string_view in = x_.pending();
      // The decoder takes no more than fits: what it gives must be taken whole.
      in = in.substr(0, std::min(in.size(), out.size()));
      const std::size_t given = in.size();
      const auto step = chunked_.next(in);
      x_.begin += given - in.size();
      if (!step) {
        failed_ = true;
        co_return std::unexpected(step.error());
      }
      data = step->data;
      complete_ = step->done;
    }
    if (!data.empty()) {
      std::memcpy(out.data(), data.data(), data.size());
      x_.bytes_in += data.size();
      co_return data.size();
    }
    if (complete_) co_return std::size_t{0};
  }
}

net::Task<bool> RequestBody::drain() {
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

}  // namespace gateway
