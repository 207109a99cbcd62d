// The logs, in the model.
//
// Owner, thread, lifetime: as model.h says.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"

namespace config {

using base::Millis;
using base::Seconds;

struct AccessLog {
  bool enabled = true;
  std::string output = "stdout";  // stdout, stderr, or a file's path
};

enum class LogLevel : std::uint8_t { kTrace, kDebug, kInfo, kWarn, kError };

struct Log {
  LogLevel level = LogLevel::kInfo;
  std::string output = "stderr";
  AccessLog access;
};

enum class AuditRequests : std::uint8_t { kDenied, kAll };
enum class WhenFull : std::uint8_t { kDrop, kBlock };

struct Audit {
  std::string output;  // "": no audit log; stdout, stderr, syslog, or a file's path
  AuditRequests requests = AuditRequests::kDenied;
  WhenFull when_full = WhenFull::kDrop;
  std::uint64_t buffer = 4 << 20;           // bytes of lines that may wait to be written
  std::uint64_t rotate_size = 0;            // bytes of a file; 0: never by size
  Seconds rotate_every{0};                  // 0: never by time
  std::uint64_t keep = 7;                   // rotated files
  std::string syslog_address = "/dev/log";  // a datagram socket's path, or host:port (UDP)
};

}  // namespace config
