#include "telemetry/access_line.h"

namespace telemetry {

using namespace text::json_line;

std::size_t AccessLineFormatter::format(const AccessRecord& record, char* const begin) {
  char* out = time_.put(put(begin, R"({"time":")"), record.time);
  out = put_text(out, R"(","request_id":")", record.request_id);
  out = put_text(out, R"(,"client":")", record.client);
  out = put_optional(out, R"(,"principal":")", record.principal);
  out = put_optional(out, R"(,"issuer":")", record.issuer);
  out = put_text(out, R"(,"method":")", record.method);
  out = put_text(out, R"(,"host":")", record.host);
  out = put_text(out, R"(,"path":")", record.path, kMaxPath);
  out = put_optional(out, R"(,"protocol":")", record.protocol);
  out = put_optional(out, R"(,"route":")", record.route);
  out = put_optional(out, R"(,"origin":")", record.origin_name);
  out = put_number(put(out, R"(,"status":)"), record.status);
  out = put_number(put(out, R"(,"bytes":)"), record.bytes_sent);
  out = put_number(put(out, R"(,"bytes_in":)"), record.bytes_received);
  out = put_millis(put(out, R"(,"duration_ms":)"), record.duration);
  out = put_optional(out, R"(,"cache":")", record.cache);
  if (record.origin.count() >= 0) out = put_millis(put(out, R"(,"origin_ms":)"), record.origin);
  out = put_optional(out, R"(,"reason":")", record.reason);
  out = put_optional(out, R"(,"detail":")", record.detail);
  out = put_optional(out, R"(,"user_agent":")", record.user_agent);
  out = put(out, "}\n");
  return static_cast<std::size_t>(out - begin);
}

}  // namespace telemetry
