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

AuditFigures AuditLog::figures() const {
  return {.lines = lines_written(),
          .dropped_queue = dropped_queue(),
          .dropped_output = dropped_output(),
          .output_errors = output_errors(),
          .blocked = blocked()};
}

}  // namespace telemetry
