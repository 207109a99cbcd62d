// The access log: one JSON object a line, formatted by the worker, written by one thread of its own.
//
// Owner:    AccessLog: cli, for the process. AccessLogBuffer: each worker.
// Thread:   AccessLogBuffer belongs to its worker. AccessLog's methods may be called from any.
// Lifetime: AccessLog outlives every AccessLogBuffer; see line_log.h, whose mechanism this is.
// Failures: the constructor throws std::system_error when the output cannot be opened. Later nothing
//           throws and nobody waits: lines that cannot be queued or written are counted and dropped, so that
//           a stuck output costs lines, never requests.
// Units:    bytes; milliseconds with three decimals in the line.
#pragma once

#include <string>

#include "telemetry/access_line.h"
#include "telemetry/line_log.h"
#include "telemetry/page.h"

namespace telemetry {

class AccessLog : public LineLog {
 public:
  // output: "stdout", "stderr" or a path (created 0640, appended to). chunks: how many may wait to be
  // written, beside the one that each worker fills.
  explicit AccessLog(const std::string& output, std::size_t chunks = 64)
      : LineLog("access log", make_stream_sink(output), {.chunks = chunks}) {}

  void expose(Page& page) const;
};

class AccessLogBuffer : public LineBuffer {
 public:
  explicit AccessLogBuffer(AccessLog* log) : LineBuffer(log) {}

  void append(const AccessRecord& record) {
    if (enabled()) added(formatter_.format(record, room()));
  }

 private:
  AccessLineFormatter formatter_;
};

}  // namespace telemetry
