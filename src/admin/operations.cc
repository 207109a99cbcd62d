#include "admin/operations.h"

#include <utility>

#include "telemetry/oplog.h"
#include "telemetry/page.h"
#include "text/json_writer.h"

namespace admin {

namespace log = telemetry::log;
using app::Access;
using app::Answer;
using app::Call;
using app::handled_by;
using app::Member;
using app::Schema;
using app::Type;

namespace {

constexpr Member kAliveMembers[] = {{"alive", {.type = Type::kFlag}}};
constexpr Schema kAlive{.members = kAliveMembers};

constexpr Member kServingMembers[] = {{"serving", {.type = Type::kFlag}}};
constexpr Schema kServing{.members = kServingMembers};

constexpr std::string_view kKinds[] = {"origin", "identity", "audit"};
constexpr Member kDependencyMembers[] = {
    {"kind", {.type = Type::kText, .one_of = kKinds}},
    {"name", {.type = Type::kText}},
    {"ready", {.type = Type::kFlag}},
    {"optional", {.type = Type::kFlag, .about = "The gateway is ready without it, too."}, false},
    {"reason", {.type = Type::kText, .about = "Why not, or what to know all the same."}, false},
    {"last_request", {.type = Type::kText, .about = "How the last request to it fared."}, false},
    {"failures_in_a_row", {.type = Type::kInteger}, false},
};
constexpr Schema kDependency{.members = kDependencyMembers};
constexpr Member kReadyMembers[] = {
    {"ready", {.type = Type::kFlag}},
    {"draining", {.type = Type::kFlag, .about = "The gateway is shutting down."}},
    {"dependencies", {.type = Type::kList, .items = &kDependency}},
};
constexpr Schema kReady{.members = kReadyMembers};

constexpr std::string_view kLevels[] = {"trace", "debug", "info", "warn", "error", "off"};
constexpr Member kLevelMembers[] = {
    {"level", {.type = Type::kText, .about = "From which on lines are written.", .one_of = kLevels}}};
constexpr Schema kLevel{.members = kLevelMembers};

constexpr app::Operation kOperations[] = {
    {.path = "/health",
     .id = "get_health",
     .summary = "Whether the process lives.",
     .access = Access::kOpen,
     .reply = &kAlive,
     .handler = handled_by<&Operations::health>},
    {.path = "/ready",
     .id = "get_ready",
     .summary = "Whether requests should be sent here, and which dependency says no; why, with a credential.",
     .access = Access::kOpenAndMore,
     .reply = &kReady,
     .also = 503,
     .handler = handled_by<&Operations::ready>},
    {.path = "/serving",
     .id = "get_serving",
     .summary = "Whether the gateway takes requests: no from the moment at which it begins to shut down, "
                "whatever is behind it.",
     .access = Access::kOpen,
     .reply = &kServing,
     .also = 503,
     .handler = handled_by<&Operations::serving>},
    {.path = "/metrics",
     .id = "get_metrics",
     .summary = "All that is counted, as Prometheus reads it. Open where the listener is on loopback.",
     .access = Access::kOpenLocally,
     .produces = telemetry::kExpositionType,
     .handler = handled_by<&Operations::metrics>},
    {.path = "/log/level",
     .id = "get_log_level",
     .summary = "The level of the operational log.",
     .reply = &kLevel,
     .handler = handled_by<&Operations::log_level>},
    {.method = http::Method::kPost,
     .path = "/log/level",
     .id = "set_log_level",
     .summary = "Changes the level of the operational log, until the next reload.",
     .acts = true,
     .body = &kLevel,
     .most = 16 << 10,
     .reply = &kLevel,
     .handler = handled_by<&Operations::set_log_level>},
    {.path = "/openapi.json",
     .id = "get_openapi",
     .summary = "This document.",
     .handler = handled_by<&Operations::openapi>},
};

Answer level_now() {
  std::string body;
  text::JsonWriter(body).object().member("level", log::name_of(log::level())).end_object();
  return Answer{.body = body + "\n"};
}

}  // namespace

Operations::Operations(const Readiness& readiness, Metrics metrics)
    : Endpoint("Sekisho: admin", kOperations), readiness_(readiness), metrics_(std::move(metrics)) {}

base::Result<Answer> Operations::health(Call&) {
  return Answer{.body = std::string_view("{\"alive\":true}\n")};
}

base::Result<Answer> Operations::ready(Call& call) {
  return Answer{.status = static_cast<std::uint16_t>(readiness_.ready() ? 200 : 503),
                .body = readiness_.report(call.caller.identified())};
}

base::Result<Answer> Operations::serving(Call&) {
  const bool serving = !readiness_.is_draining();
  return Answer{.status = static_cast<std::uint16_t>(serving ? 200 : 503),
                .body = std::string_view(serving ? "{\"serving\":true}\n" : "{\"serving\":false}\n")};
}

base::Result<Answer> Operations::metrics(Call&) {
  return Answer{.type = telemetry::kExpositionType, .body = metrics_(readiness_.ready())};
}

base::Result<Answer> Operations::log_level(Call&) {
  return level_now();
}

base::Result<Answer> Operations::set_log_level(Call& call) {
  const auto level = log::parse_level(call.body.text("level"));
  if (!level)
    return app::problem(call, base::Code::kBadRequest, "level: is none");  // the schema names them all
  log::set_level(*level);
  log::write(log::Level::kInfo, "log level changed", {{"level", log::name_of(*level)}});
  Answer answer = level_now();
  answer.arguments.push_back({"level", std::string(log::name_of(*level))});
  return answer;
}

}  // namespace admin
