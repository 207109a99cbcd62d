// Which resolved addresses may be connected to: against requests that a stranger's URL would have us make to
// ourselves or to our neighbours (SSRF).
//
// Owner:    whoever asks; outlives the fetch.  Thread: any.  Failure: none.
// Standard: IANA's registries of special-purpose addresses (RFC 6890), RFC 4193, RFC 6598.
//
// A filter sees addresses, never names: what a name meant when somebody looked at it is not what it means
// when it is connected to. A Client connects to none but what has passed (client.h).
#pragma once

#include "net/address.h"

namespace client {

class AddressFilter {
 public:
  virtual bool passes(const net::Endpoint& address) const = 0;

 protected:
  ~AddressFilter() = default;
};

// The public internet: not this host, its networks, links, tunnels to IPv4, multicast, documentation or
// reserved.
const AddressFilter& public_addresses();

}  // namespace client
