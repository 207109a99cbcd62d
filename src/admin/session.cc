#include "admin/session.h"

#include <algorithm>
#include <utility>

#include "app/send.h"
#include "gateway/key_refresh.h"
#include "http/target.h"
#include "identity/challenge.h"

namespace admin {

using app::Answer;
using app::Call;
using base::Code;

namespace {

constexpr base::Nanos kPatience = base::Seconds(30);
constexpr base::Nanos kPatienceForKeys = base::Seconds(2);

constexpr serve::Terms kTerms{.head = {.head = 16 << 10},
                              .body = 64 << 10,
                              .head_patience = kPatience,
                              .idle = kPatience,
                              .body_patience = kPatience,
                              .write = kPatience};

// What this listener says of who may.
Answer refusal(const Call& call, const base::Error& error) {
  Answer answer = app::problem(call, error);
  if (error.code == Code::kUnauthorized || error.code == Code::kTwoCredentials)
    answer.add("WWW-Authenticate", identity::challenge(error));
  if (error.code == Code::kClaimsRejected)
    answer.add("WWW-Authenticate", R"(Bearer error="insufficient_scope")");
  if (error.code == Code::kTooManyFailures) answer.add("Retry-After", "1");
  return answer;
}

}  // namespace

Session::Session(House& house, int fd, const net::Endpoint& peer)
    : house_(house), http_(house.shared, fd, peer) {
  house_.open.push_back(this);
}

Session::~Session() {
  std::erase(house_.open, this);
}

const serve::Terms& Session::terms() const {
  return kTerms;
}

net::Task<> Session::rest(serve::Downstream down) {
  Answer answer = co_await respond(down);
  answer.append_field_lines(out_.begin());
  const bool bare = request_.parsed && request_.head.method == http::Method::kHead;
  const auto sent = co_await app::send(answer, bare, out_, down);
  whole_ = sent.has_value();
}

net::Task<Answer> Session::respond(serve::Downstream down) {
  const base::Mono began = base::mono_now();
  const http::RequestHead& head = request_.head;
  Call call{.head = &head, .peer = http_.peer().text, .gone = &request_.gone, .local = house_.local};
  if (!request_.parsed) co_return app::problem(call, request_.refused);
  if (!house_.hosts.allow(head.host))
    co_return app::problem(call, Code::kForbidden, "this host is not among admin.hosts");
  const std::string_view raw = head.target.substr(0, head.target.find('?'));
  std::string scratch(http::target_scratch(head.target), '\0');
  http::Target target;
  const auto read = http::parse_target(head.target, scratch, target);
  call.path = read ? target.path : raw;
  call.raw_query = target.raw_query;
  if (head.has_body()) call.upload = &down.body();
  house_.operations.find(call);

  Credentials::Caller caller;
  bool open = read && target.path == raw && house_.operations.open(call);
  if (open && call.operation && call.operation->access == app::Access::kOpenAndMore &&
      head.fields.has(http::FieldId::kAuthorization))
    open = false;  // and a credential that is none is refused, rather than taken for nobody's
  if (!open) {
    auto found = co_await identify();
    if (!found) {
      Answer answer = refusal(call, found.error());
      audit(call, caller, answer, began);
      co_return answer;
    }
    caller = *std::move(found);
    call.caller.credential = caller.credential;
    if (caller.principal) {
      call.caller.issuer = caller.principal->issuer;
      call.caller.subject = caller.principal->subject;
      call.caller.agent = caller.principal->agent;
    }
    if (!read) co_return app::problem(call, read.error());
  }
  auto answer = co_await house_.operations.answer(call);
  Answer reply = answer ? *std::move(answer) : app::problem(call, answer.error());
  if (!open && call.operation && call.operation->acts) audit(call, caller, reply, began);
  co_return reply;
}

net::Task<base::Result<Credentials::Caller>> Session::identify() {
  const auto verifiers = house_.credentials.verifiers();  // a reload may come while we wait for keys
  const auto check = [&](identity::Refused* refused) {
    return house_.credentials.check({.head = request_.head,
                                     .address = http_.peer().bytes,
                                     .now = base::mono_now(),
                                     .wall = base::wall_now()},
                                    refused);
  };
  identity::Refused why;
  auto caller = check(&why);
  const base::Mono until = base::mono_now() + kPatienceForKeys;
  while (!caller && why.ask && base::mono_now() < until && why.ask->want(base::mono_now(), why.named)) {
    co_await gateway::keys_fetched(*why.ask, http_.loop(), until);
    caller = check(&why);
  }
  if (!caller && why.ask) caller = check(nullptr);  // for good, and charged
  co_return caller;
}

void Session::audit(const Call& call, const Credentials::Caller& caller, const Answer& answer,
                    base::Mono began) {
  if (!house_.audit) return;
  const base::Mono now = base::mono_now();
  const Code code = answer.error.code;
  if (answer.failed && code == Code::kTooManyFailures) {
    if (house_.told_of_flood != base::Mono{} && now - house_.told_of_flood < base::Seconds(1)) return;
    house_.told_of_flood = now;
  }
  telemetry::AuditRecord record{.event = telemetry::AuditEvent::kAdmin,
                                .client = call.peer,
                                .issuer = call.caller.issuer,
                                .subject = call.caller.subject,
                                .agent = call.caller.agent,
                                .credential = caller.credential,
                                .method = call.head->method_text,
                                .path = call.head->target.substr(0, call.head->target.find('?')),
                                .status = answer.status,
                                .duration = now - began};
  if (call.caller.identified() && call.operation) record.action = call.operation->id;
  std::vector<telemetry::AuditArgument> arguments;
  arguments.reserve(answer.arguments.size());
  for (const app::Argument& argument : answer.arguments) arguments.push_back({argument.name, argument.value});
  record.arguments = arguments;
  if (answer.failed) {
    const bool refused = code == Code::kUnauthorized || code == Code::kTwoCredentials ||
                         code == Code::kClaimsRejected || code == Code::kTooManyFailures;
    record.decision = refused ? telemetry::AuditDecision::kDeny : telemetry::AuditDecision::kError;
    record.reason =
        code == Code::kUnauthorized ? answer.error.text : std::string_view(telemetry::label(code));
    if (record.reason != answer.detail) record.detail = answer.detail;
  }
  house_.audit->event(record);
}

}  // namespace admin
