#include "app/status.h"

#include "text/json_writer.h"

namespace app {

namespace {

using http::Method;

constexpr Member kAliveMembers[] = {{"alive", {.type = Type::kFlag}}};
constexpr Schema kAlive{.members = kAliveMembers};
constexpr Member kReadyMembers[] = {{"ready", {.type = Type::kFlag}}};
constexpr Schema kReady{.members = kReadyMembers};
constexpr Member kServingMembers[] = {{"serving", {.type = Type::kFlag}}};
constexpr Schema kServing{.members = kServingMembers};
constexpr Member kWhoMembers[] = {
    {"anonymous", {.type = Type::kFlag, .about = "true: the route has no identity."}, false},
    {"issuer", {.type = Type::kText}, false},
    {"subject", {.type = Type::kText}, false},
    {"agent", {.type = Type::kText, .about = "Who acts for the subject."}, false},
};
constexpr Schema kWho{.about = "Whom the gateway takes the caller for.", .members = kWhoMembers};

// Everybody: who may come here at all, the route says.
constexpr Operation kOperations[] = {
    {.path = "/health",
     .id = "get_health",
     .summary = "Whether the process lives.",
     .access = Access::kOpen,
     .reply = &kAlive,
     .handler = handled_by<&Status::health>},
    {.path = "/ready",
     .id = "get_ready",
     .summary = "Whether requests should be sent here.",
     .access = Access::kOpen,
     .reply = &kReady,
     .also = 503,
     .handler = handled_by<&Status::readiness>},
    {.path = "/serving",
     .id = "get_serving",
     .summary = "Whether the gateway takes requests: no once it is shutting down, whatever is behind it.",
     .access = Access::kOpen,
     .reply = &kServing,
     .also = 503,
     .handler = handled_by<&Status::serving>},
    {.path = "/whoami",
     .id = "get_whoami",
     .summary = "Who the caller is.",
     .access = Access::kOpen,
     .reply = &kWho,
     .handler = handled_by<&Status::whoami>},
    {.path = "/openapi.json",
     .id = "get_openapi",
     .summary = "This document.",
     .access = Access::kOpen,
     .handler = handled_by<&Endpoint::openapi>},
};

}  // namespace

Status::Status(const std::atomic<bool>* ready, const std::atomic<bool>* draining)
    : Endpoint("Sekisho: status", kOperations), ready_(ready), draining_(draining) {}

base::Result<Answer> Status::health(Call&) {
  return Answer{.body = std::string_view("{\"alive\":true}\n")};
}

base::Result<Answer> Status::readiness(Call&) {
  const bool ready = !ready_ || ready_->load(std::memory_order_relaxed);
  return Answer{.status = static_cast<std::uint16_t>(ready ? 200 : 503),
                .body = std::string_view(ready ? "{\"ready\":true}\n" : "{\"ready\":false}\n")};
}

base::Result<Answer> Status::serving(Call&) {
  const bool serving = !draining_ || !draining_->load(std::memory_order_relaxed);
  return Answer{.status = static_cast<std::uint16_t>(serving ? 200 : 503),
                .body = std::string_view(serving ? "{\"serving\":true}\n" : "{\"serving\":false}\n")};
}

base::Result<Answer> Status::whoami(Call& call) {
  std::string body;
  text::JsonWriter out(body);
  out.object();
  const Caller& caller = call.caller;
  if (!caller.identified()) out.member("anonymous", true);
  for (const auto& [name, value] : {std::pair(std::string_view("issuer"), caller.issuer),
                                    std::pair(std::string_view("subject"), caller.subject),
                                    std::pair(std::string_view("agent"), caller.agent)})
    if (caller.identified() && !value.empty()) out.member(name, value);
  out.end_object();
  return Answer{.body = std::move(body) + "\n"};
}

}  // namespace app
