// The body of an HTTP/1.1 request, read as whoever answers takes it.
//
// Owner:    Http1, for one request after the other.  Thread: the session's.
// Failure:  kBadRequest (framing), kBodyTooLarge, kRequestTimeout, kClientGone; after any of them the
//           connection cannot go on. kCancelled as net/upload.h says.
// Standard: RFC 9112 section 6 and 7.1; RFC 9110 section 10.1.1 (the 100 Continue is sent when the body is
//           first wanted, which is after identity and policy have said yes).
//
// A body of known length goes straight to its reader. A chunked one is decoded from a buffer that is held
// while it is read; what comes behind it, a pipelined request, is where the next head is read (take_rest()).
#pragma once

#include "base/account.h"
#include "http/chunked.h"
#include "net/pace.h"
#include "net/stream.h"
#include "net/upload.h"
#include "serve/buffers.h"
#include "serve/request.h"

namespace serve {

class Http1Body final : public net::Upload {
 public:
  // The account, where there is one, counts the buffer of a chunked body.
  Http1Body(net::Stream& client, Input& input, base::Account* account)
      : client_(client), input_(input), account_(account) {}
  ~Http1Body() { drop_buffer(); }
  Http1Body(const Http1Body&) = delete;
  Http1Body& operator=(const Http1Body&) = delete;

  void start(Request& request, const Terms& terms);

  net::Task<base::Result<std::size_t>> read(std::span<char> out) override;
  net::Task<base::Result<>> wait() override;

  bool complete() const { return complete_; }
  // Whether what is left is little enough to be read and dropped, so that the connection can go on.
  bool drainable() const;
  // Reads and drops the rest. False: the connection cannot go on.
  net::Task<bool> drain();
  // Where the connection's next bytes are, when that is not the session's input any more.
  void take_rest();

 private:
  void take_buffer();
  void drop_buffer();
  net::Task<base::Result<>> invite();
  net::Task<base::Result<std::size_t>> receive(std::span<char> into);
  std::string_view pending() const { return buffer_.data ? buffer_.pending() : input_.pending(); }
  void consume(std::size_t n) { (buffer_.data ? buffer_ : input_).begin += n; }

  net::Stream& client_;
  Input& input_;
  base::Account* const account_;
  Input buffer_;  // of a chunked body, once the input's bytes are taken
  Request* request_ = nullptr;
  base::Nanos patience_{0};
  net::LeastRate least_;
  net::Pace pace_;
  http::ChunkedDecoder chunked_;
  std::uint64_t left_ = 0;  // of a body of known length
  bool complete_ = true;
  bool failed_ = false;
  bool continue_due_ = false;
};

}  // namespace serve
