// The body of a request, read as the origin takes it.
//
// Owner:    the Connection's coroutine, for one request.  Thread: the worker's.
// Failure:  kBadRequest (framing), kBodyTooLarge, kRequestTimeout, kClientGone; after any of them the
//           connection cannot be reused.
// Standard: RFC 9112 section 6 and 7.1; RFC 9110 section 10.1.1 (the 100 Continue is sent when the body is
//           first wanted, which is after identity and policy have said yes).
#pragma once

#include "config/model.h"
#include "gateway/exchange.h"
#include "http/chunked.h"
#include "net/stream.h"
#include "net/upload.h"

namespace gateway {

class RequestBody final : public net::Upload {
 public:
  RequestBody(Exchange& x, net::Stream& client, const config::Config& config);

  net::Task<base::Result<std::size_t>> read(std::span<char> out) override;

  bool complete() const { return complete_; }
  // Whether what is left is little enough to be read and dropped, so that the connection can go on.
  bool drainable() const;
  // Reads and drops the rest. False: the connection cannot go on.
  net::Task<bool> drain();

 private:
  net::Task<base::Result<std::size_t>> receive(std::span<char> into);

  Exchange& x_;
  net::Stream& client_;
  const base::Nanos patience_;
  http::ChunkedDecoder chunked_;
  std::uint64_t left_;  // kLength
  bool complete_;
  bool failed_ = false;
  bool continue_due_;
};

}  // namespace gateway
