// Two streams joined end to end after an upgrade: bytes both ways until either side is done.
//
// Owner:    a session's coroutine, for the life of the tunnel.  Thread: its own.
// Failure:  none to the caller: a side that fails ends the tunnel.
// Standard: RFC 6455 section 4 (the handshake has been answered with 101 by then), RFC 9110 section 7.8.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/account.h"
#include "base/clock.h"
#include "net/stream.h"
#include "net/task.h"

namespace serve {

struct Tunnelled {
  std::uint64_t up = 0, down = 0;  // bytes to the other side, to the client
};

// `pending`: what the client sent behind its request. Ends also when neither side has said anything for
// `idle`. What it copies through is counted in the account, where there is one.
net::Task<Tunnelled> tunnel(net::Stream& client, net::Stream& other, std::string_view pending,
                            base::Nanos idle, base::Account* account);

}  // namespace serve
