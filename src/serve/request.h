// What a session reads for whoever answers, and what it measures of the answer.
//
// Owner:    the guest (session.h), which lends one for as long as a request is under way.
// Thread:   the session's.
// Lifetime: the views in `head` point into the session's input, which stays as it is until the request has
//           ended.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "http/head.h"
#include "net/address.h"
#include "net/loop.h"
#include "net/pace.h"

namespace serve {

// Who is at the other end of a connection: the socket's peer, until a PROXY header names another.
struct Peer {
  explicit Peer(const net::Endpoint& e) : endpoint(e), text(e.host()), bytes(e.bytes()) {}

  net::Endpoint endpoint;
  std::string text;                    // as logs write it
  std::array<std::uint8_t, 16> bytes;  // as limits count by it; IPv4 as ::ffff:a.b.c.d
  bool nameless = false;  // relayed by a proxy that did not say for whom: nothing it says is believed
};

struct Request {
  http::RequestHead head;
  bool parsed = false;  // the head is good; false: it was refused, and `refused` says why
  base::Error refused{};
  const Peer* peer = nullptr;
  net::Cancel gone;  // the client has left
  bool cut = false;  // it has not: the connection was closed under it, since the process ends

  base::Mono started{};
  base::Nanos client_wait{0};                 // spent waiting for the client to take bytes
  std::uint64_t bytes_in = 0, bytes_out = 0;  // heads included, framing of bodies not
  // bytes_out, when the client was last waited for: what other threads may know of its pace.
  std::atomic<std::uint64_t> taken{0};

  void clear() {
    parsed = false;
    head.fields.clear();
    refused = {};
    gone.reset();
    cut = false;
    client_wait = base::Nanos(0);
    bytes_in = bytes_out = 0;
    taken.store(0, std::memory_order_relaxed);
  }
};

// What a client may send and how long it may take.
struct Terms {
  http::HeadLimits head;
  std::uint64_t body = 1ULL << 30;                // bytes
  base::Nanos head_patience = base::Seconds(10);  // from the first byte of a head to its end
  base::Nanos idle = base::Seconds(60);           // between two requests
  base::Nanos body_patience = base::Seconds(30);  // between two reads of a request's body
  base::Nanos write = base::Seconds(30);          // without the client taking a byte
  base::Nanos tunnel = base::Seconds(600);        // without a byte either way, behind an upgrade
  net::LeastRate least{.per_second = 240};        // of a body, and of the taking of a reply
};

}  // namespace serve
