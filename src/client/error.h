// This room's door to the network: what net says, in the words of a client who asked for something behind us.
//
// Thread: any.  Failure: none; each function is a table.
//
// The same fault means one thing while a connection is being made and another on one that stands: an origin
// that does not accept in time is as good as not there, one that accepts and then says nothing is slow.
#pragma once

#include <string_view>

#include "base/error.h"
#include "net/error.h"
#include "net/loop.h"

namespace client {

// Of a name look-up, a connection or a handshake that failed.
base::Error dial_error(const net::Error& why);
// Of the body of a reply that was broken off, e.g. while it was relayed past us.
base::Error body_error(const net::Error& why);
// Of a wait on a connection that did not end in readiness.
base::Error wait_error(net::Wake wake, std::string_view on_timeout);

}  // namespace client
