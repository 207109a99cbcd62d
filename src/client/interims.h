// Who is told of the interim replies that come before the final one: 102, 103 and whatever else is below 200,
// but for 100, which is about the body, and 101, which is final.
//
// Owner:    whoever asks; outlives the exchange.
// Thread:   the worker's own.
// Lifetime: the head's views are gone when heard() returns.
// Failure:  none: an interim reply is an extra.
// Standard: RFC 9110 section 15.2.
#pragma once

#include "http/response_head.h"

namespace client {

class Interims {
 public:
  virtual void heard(const http::ResponseHead& head) = 0;

 protected:
  ~Interims() = default;
};

}  // namespace client
