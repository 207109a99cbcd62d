#include "telemetry/audit_record.h"

#include <algorithm>
#include <array>
#include <utility>

namespace telemetry {

using namespace text::json_line;

namespace {

constexpr std::size_t kMaxArguments = 2;
constexpr std::size_t kTexts = 14 + kMaxArguments;  // beside the path
static_assert(text::kEscapeGrowth * (kMaxPath + kTexts * kMaxText) + 1024 <= kMaxLine);

std::string_view word(AuditEvent event) {
  constexpr std::array<std::string_view, 5> kWords{"request", "admin", "reload", "start", "stop"};
  return kWords[static_cast<std::size_t>(event)];
}

std::string_view word(AuditDecision decision) {
  constexpr std::array<std::string_view, 3> kWords{"allow", "deny", "error"};
  return kWords[static_cast<std::size_t>(decision)];
}

char* put_member(char* out, bool& first, std::string_view name, std::string_view value) {
  if (value.empty()) return out;
  if (!std::exchange(first, false)) *out++ = ',';
  *out++ = '"';
  out = text::escape_json(name, out);
  out = put_text(out, R"(":")", value);
  return out;
}

}  // namespace

std::size_t AuditLineFormatter::format(const AuditRecord& record, char* const begin) {
  char* out = time_.put(put(begin, R"({"time":")"), record.time);
  out = put_text(out, R"(","event":")", word(record.event));
  out = put_optional(out, R"(,"by":")", record.by);
  out = put_optional(out, R"(,"request_id":")", record.request_id);
  out = put_optional(out, R"(,"client":")", record.client);
  if (!record.issuer.empty() || !record.subject.empty() || !record.agent.empty()) {
    out = put(out, R"(,"principal":{)");
    bool first = true;
    out = put_member(out, first, "issuer", record.issuer);
    out = put_member(out, first, "subject", record.subject);
    out = put_member(out, first, "agent", record.agent);
    *out++ = '}';
  }
  out = put_optional(out, R"(,"credential":")", record.credential);
  out = put_optional(out, R"(,"method":")", record.method);
  out = put_optional(out, R"(,"path":")", record.path, kMaxPath);
  out = put_optional(out, R"(,"route":")", record.route);
  out = put_optional(out, R"(,"action":")", record.action);
  if (!record.arguments.empty()) {
    out = put(out, R"(,"arguments":{)");
    bool first = true;
    for (const AuditArgument& each : record.arguments.first(std::min(record.arguments.size(), kMaxArguments)))
      out = put_member(out, first, each.name, each.value);
    *out++ = '}';
  }
  out = put_text(out, R"(,"decision":")", word(record.decision));
  out = put_optional(out, R"(,"reason":")", record.reason);
  out = put_optional(out, R"(,"limit":")", record.limit);
  out = put_optional(out, R"(,"detail":")", record.detail);
  if (record.status != 0) out = put_number(put(out, R"(,"status":)"), record.status);
  if (record.duration.count() >= 0) out = put_millis(put(out, R"(,"duration_ms":)"), record.duration);
  if (record.bytes) {
    out = put_number(put(out, R"(,"bytes_sent":)"), record.bytes_sent);
    out = put_number(put(out, R"(,"bytes_received":)"), record.bytes_received);
  }
  out = put_optional(out, R"(,"cache":")", record.cache);
  out = put(out, "}\n");
  return static_cast<std::size_t>(out - begin);
}

}  // namespace telemetry
