// One row of an application's table of operations: who may, what goes in, what comes out, who does it. The
// table yields the router, the checks and the OpenAPI document; nothing of it is said a second time.
//
// Owner:    constants of an application.  Thread: any.
// Failure:  a table with two rows for the same requests, or a template that cannot be read, ends the start-up
//           (Router's constructor throws std::logic_error).
// Standard: OpenAPI 3.1 §4.8.10.
//
//   const Operation kOperations[] = {
//       {.method = Method::kGet, .path = "/agents/{id:uuid}", .id = "get_agent", .summary = "An agent.",
//        .reply = &kAgent, .handler = handled_by<&Agents::get>},
//   };
//
// Templates: "{name}" is a segment, "{name:int}" a decimal number that fits 63 bits, "{name:uuid}" a UUID,
// "{name:rest}" what is left of the path, slashes and all. What a type does not fit is not there: 404.
#pragma once

#include <cstdint>
#include <string_view>
#include <type_traits>

#include "app/call.h"
#include "app/schema.h"
#include "base/error.h"
#include "http/head.h"
#include "net/task.h"

namespace app {

class Endpoint;

enum class Access : std::uint8_t {
  kCredential,   // somebody who was identified
  kOpen,         // everybody
  kOpenAndMore,  // everybody; who shows a credential is identified, and told more
  kOpenLocally,  // everybody where only this host can ask (Call::local), else as kCredential
};

constexpr bool is_open(Access access, bool local) {
  return access == Access::kOpen || access == Access::kOpenAndMore ||
         (access == Access::kOpenLocally && local);
}

using Handler = net::Task<base::Result<Answer>> (*)(Endpoint& self, Call& call);

struct Operation {
  http::Method method = http::Method::kGet;  // HEAD comes with GET
  std::string_view path;                     // a template
  std::string_view id;                       // the operationId, and the action that policy and audit name
  std::string_view summary{};
  Access access = Access::kCredential;
  bool acts = false;              // changes something, so that it goes to the audit log also when it succeeds
  const Schema* body = nullptr;   // of the request, in JSON; null: none is read for the handler
  std::uint32_t most = 64 << 10;  // bytes of that body
  const Schema* reply = nullptr;  // of a success in JSON
  std::string_view produces = "application/json";
  std::uint16_t success = 200;
  std::uint16_t also = 0;  // another status with the same reply
  Handler handler = nullptr;
};

namespace detail {
template <class>
struct MemberOf;
template <class Result, class App>
struct MemberOf<Result (App::*)(Call&)> {
  using Owner = App;
  static constexpr bool kPlain = std::is_same_v<Result, base::Result<Answer>>;
};

template <auto kMember>
net::Task<base::Result<Answer>> handle(Endpoint& self, Call& call) {
  using Of = MemberOf<decltype(kMember)>;
  auto& app = static_cast<typename Of::Owner&>(self);
  if constexpr (Of::kPlain)
    co_return (app.*kMember)(call);
  else
    co_return co_await (app.*kMember)(call);
}
}  // namespace detail

// A member `base::Result<Answer> f(Call&)`, or the same as a Task where it has to wait.
template <auto kMember>
inline constexpr Handler handled_by = &detail::handle<kMember>;

}  // namespace app
