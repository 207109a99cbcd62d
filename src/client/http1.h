// One exchange with an HTTP/1.1 server: a request out, the head of its reply in.
//
// Owner:    nobody; a function over a Pool.
// Thread:   the worker's own.
// Lifetime: what the Question views must live until exchange() returns.
// Standard: RFC 9112 §9.3.1 (retries), §9.5 (early replies), RFC 9110 §9.2.2 (idempotent methods).
// Failure:  as reply.h; an Error of the net::Upload is the client's doing and comes back as it is.
//
// A kept connection that dies before any byte of a reply says nothing about the server, which was free to
// close it. The exchange is then repeated once, on a new connection, if the method is idempotent and the
// request has no body or one that can be read again (net::Upload::rewind()); or if nothing was written yet.
//
// A final reply that comes during the upload ends the upload, also while the client is waited for; the
// connection is not used again. So it is when the server closes it meanwhile.
//
// A 101 is believed where it answers the handshake that was asked (http/websocket.h), else kOriginBadReply.
#pragma once

#include <string_view>

#include "base/account.h"
#include "base/error.h"
#include "base/ref.h"
#include "client/pool.h"
#include "client/reply.h"
#include "http/head.h"
#include "net/loop.h"
#include "net/task.h"
#include "net/upload.h"

namespace client {

struct Question {
  http::Method method = http::Method::kGet;
  std::string_view head;  // rendered, with its last empty line
  http::Framing framing = http::Framing::kNone;
  std::uint64_t content_length = 0;
  net::Upload* body = nullptr;
  const http::RequestHead* websocket = nullptr;  // the client's handshake, checked: 101 is an answer to it
  Interims* interims = nullptr;
  bool* sent = nullptr;              // becomes true when a byte of it has gone out; may be null
  base::Account* account = nullptr;  // of what the body takes on its way; null: not counted
};

net::Task<base::Result<Reply>> exchange(base::Ref<Pool> pool, const Question& question, net::Cancel* cancel);

}  // namespace client
