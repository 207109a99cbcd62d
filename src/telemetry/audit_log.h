// The audit log: one JSON line per decision that matters.
//
// Owner:    AuditLog: cli, for the process. AuditBuffer: each worker.
// Thread:   AuditBuffer belongs to its worker; AuditLog's methods may be called from any.
// Lifetime: AuditLog outlives every AuditBuffer; see line_log.h, whose mechanism this is.
// Failures: the constructor throws std::system_error when a file cannot be opened. Lines that cannot be
//           written are tried again until they are or the log ends. When the buffer is full they are dropped
//           and counted, or workers wait (WhenFull::kBlock): then nothing is lost, and a stuck output stops
//           the gateway's requests, but not its admin listener and not its signals. A process that is killed
//           loses what was not written yet: at most the buffer, LineLog::kMaxAge of it when the output keeps
//           up.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "telemetry/audit_record.h"
#include "telemetry/line_log.h"
#include "telemetry/page.h"

namespace telemetry {

struct AuditOptions {
  std::string output;         // stdout, stderr, syslog, or a file's path
  bool all_requests = false;  // else those that were denied
  bool block = false;         // when the buffer is full: wait; else drop
  std::size_t buffer = 4 << 20;
  Rotation rotation{};
  std::string syslog_address = "/dev/log";
};

class AuditLog : public LineLog {
 public:
  explicit AuditLog(const AuditOptions& options);

  // A line that cannot wait for a worker's batch; handed to the writer at once. Fills in the time where it is
  // zero.
  void event(AuditRecord record);

  bool all_requests() const { return all_; }

  void expose(Page& page) const;

 private:
  const bool all_;
  std::mutex lock_;  // of the formatter and its line
  AuditLineFormatter formatter_;
  const std::unique_ptr<char[]> line_ = std::make_unique_for_overwrite<char[]>(kMaxLine);
};

class AuditBuffer : public LineBuffer {
 public:
  explicit AuditBuffer(AuditLog* log) : LineBuffer(log), audit_(log) {}

  // Whether a request that was not denied belongs in the log. Without a log: no.
  bool all_requests() const { return audit_ && audit_->all_requests(); }

  void append(const AuditRecord& record) {
    if (enabled()) added(formatter_.format(record, room()));
  }

 private:
  const AuditLog* audit_;
  AuditLineFormatter formatter_;
};

}  // namespace telemetry
