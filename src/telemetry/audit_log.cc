#include "telemetry/audit_log.h"

#include <algorithm>

namespace telemetry {

namespace {

std::unique_ptr<LineSink> make_sink(const AuditOptions& options) {
  if (options.output == "syslog") return make_syslog_sink(options.syslog_address);
  if (options.output == "stdout" || options.output == "stderr") return make_stream_sink(options.output);
  return make_rotating_sink(options.output, options.rotation);
}

}  // namespace

AuditLog::AuditLog(const AuditOptions& options)
    : LineLog("audit log", make_sink(options),
              {.chunks = std::max<std::size_t>(1, options.buffer / LineChunk::kFull),
               .wait_when_full = options.block,
               .retry = true}),
      all_(options.all_requests) {}

void AuditLog::event(AuditRecord record) {
  if (record.time == base::Wall{}) record.time = base::wall_now();
  const std::lock_guard lock(lock_);
  put_now({line_.get(), formatter_.format(record, line_.get())});
}

void AuditLog::expose(Page& page) const {
  page.single("sekisho_audit_lines_total", "counter", "Audit-log lines written.", lines_written());
  page.family("sekisho_audit_dropped_total", "counter", "Audit-log lines lost, by reason.");
  page.sample({{"reason", "queue"}}, dropped_queue());
  page.sample({{"reason", "output"}}, dropped_output());
  page.single("sekisho_audit_output_errors_total", "counter",
              "Tries to write the audit log that failed; the lines are tried again.", output_errors());
  page.single("sekisho_audit_waiting_workers", "gauge",
              "Workers that wait for room in the audit log's buffer, and serve nobody.", stall().waiting);
  page.single("sekisho_audit_blocked_seconds_total", "counter",
              "How long workers waited for room in the audit log's buffer.",
              static_cast<double>(blocked().count()) / 1e9);
}

}  // namespace telemetry
