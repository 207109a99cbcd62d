// The WebSocket handshake, as whoever stands between its two ends checks it.
//
// Owner:    nobody; functions. Thread: any.
// Failure:  of the client's half kBadRequest, or kUpgradeRequired for another version than 13; of the
//           server's half kOriginBadReply.
// Standard: RFC 6455 §4.2.1 (what a client sends), §4.1 and §4.2.2 (what a server answers).
//
// Behind a 101 bytes pass that no route, identity or log sees. So it is believed only from a server that has
// understood the handshake: Sec-WebSocket-Accept cannot be had by steering a status.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "http/head.h"
#include "http/response_head.h"

namespace http {

// Whether this is meant as a handshake; what else it takes, check_handshake() says.
bool asks_websocket(const RequestHead& head);
base::Result<> check_handshake(const RequestHead& head);
// Of a 101 to a request that passed check_handshake().
base::Result<> check_switch(const RequestHead& asked, const ResponseHead& answered);

// The Sec-WebSocket-Accept that belongs to a key.
std::string websocket_accept(std::string_view key);

}  // namespace http
