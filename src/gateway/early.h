// Interim replies of an origin (103 Early Hints, 102 Processing) on their way to the client.
//
// Owner:    whoever waits for the origin on behalf of one client; outlives the wait.
// Thread:   its worker's.
// Failure:  none; what a client cannot take at once is left out.
// Standard: RFC 9110 section 15.2: to clients of HTTP/1.1 and later only.
#pragma once

#include "client/interims.h"
#include "gateway/exchange.h"
#include "serve/downstream.h"

namespace gateway {

class Early final : public client::Interims {
 public:
  Early(const Exchange& x, serve::Downstream down) : x_(x), down_(down) {}

  void heard(const http::ResponseHead& head) override;

 private:
  const Exchange& x_;
  serve::Downstream down_;
};

}  // namespace gateway
