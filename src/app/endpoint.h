// An application inside the gateway: a table of operations that answers calls. It knows no sockets, so that a
// route (in the ask stage of the walk), the admin listener and tests serve it alike.
//
// Owner:    a worker's snapshot for each `app:` of the configuration (make.h), the admin listener for its
//           own.
// Thread:   the one loop that serves it.
// Lifetime: longer than any call under way; a reload makes another one beside it.
// Failure:  what the caller did wrong is an Answer with a problem: 404, 405 with Allow, 401, 415, 413, 400. A
//           base::Error comes from below: the request's body broke off (kClientGone, kRequestTimeout), or the
//           operation was cancelled; whoever serves answers with it.
// Standard: RFC 9110 §15.5, RFC 9457.
//
//   Call call{.head = &head, .path = "/whoami", .caller = …};
//   endpoint.find(call);                              // plain: which operation; may come before identity
//   if (!endpoint.open(call)) …identify…
//   const Question q = endpoint.describe(call);       // plain: what policy is asked
//   auto answer = co_await endpoint.answer(call);     // checks again that there is a caller, reads the body
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "app/call.h"
#include "app/operation.h"
#include "app/router.h"

namespace app {

class Endpoint {
 public:
  virtual ~Endpoint() = default;
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  void find(Call& call) const { router_.find(call); }
  // Whether nobody needs to be identified for it. False for what is not there, so that strangers learn
  // nothing of an application that has something to hide.
  bool open(const Call& call) const;
  // For a method that a path has not: "GET, HEAD, POST"; empty: there is no such path.
  std::string allowed(std::string_view path) const { return router_.allowed(path); }

  // An application whose action depends on more than the operation says so here, and decides nothing twice.
  virtual Question describe(const Call& call) const;

  net::Task<base::Result<Answer>> answer(Call& call);

  const std::string& document() const { return document_; }  // OpenAPI 3.1, JSON

  // For tables: serves the document.
  base::Result<Answer> openapi(Call& call);

 protected:
  // `operations` lives as long as the endpoint; throws std::logic_error for a table that contradicts itself.
  Endpoint(std::string_view title, std::span<const Operation> operations);

 private:
  net::Task<base::Result<std::optional<Answer>>> read_body(Call& call) const;

  const Router router_;
  const std::string document_;
};

}  // namespace app
