// Sends an answer as the reply to a session's request.
//
// Owner: nobody; a function. Thread: the session's.
// Failure: kClientGone; or why a pulled body or a file broke off: the reply cannot be finished then.
//
//   answer.append_field_lines(out.begin());
//   auto sent = co_await send(answer, head.method == http::Method::kHead, out, down);
#pragma once

#include "app/call.h"
#include "serve/downstream.h"

namespace app {

// The field lines are in `out` already. `bare`: nothing of the body is sent, as HEAD wants it.
net::Task<base::Result<>> send(Answer& answer, bool bare, serve::Out& out, serve::Downstream down);

}  // namespace app
