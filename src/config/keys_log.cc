#include "config/rows.h"
#include "config/rules.h"
#include "config/tables.h"

namespace config {
namespace rows {

// In the order of the enumerations.
template <>
struct WordsOf<LogLevel> {
  static constexpr std::string_view kNames[] = {"trace", "debug", "info", "warn", "error"};
};
template <>
struct WordsOf<AuditRequests> {
  static constexpr std::string_view kNames[] = {"denied", "all"};
};
template <>
struct WordsOf<WhenFull> {
  static constexpr std::string_view kNames[] = {"drop", "block"};
};

}  // namespace rows

using namespace rows;  // NOLINT(google-build-using-namespace): the vocabulary of these tables
using namespace std::chrono_literals;

constexpr Row kAccessRows[] = {
    toggle<&AccessLog::enabled>("enabled", "true", kRestart, "Whether requests are logged."),
    file<&AccessLog::output>("output", "stdout", kRestart, "`stdout`, `stderr` or a file's path."),
};
constexpr Section kAccess =
    table<AccessLog>({"access", "", "The access log: one JSON line a request.", "enabled"}, kAccessRows);

constexpr Row kLogRows[] = {
    word<&Log::level>("level", "info", kLive, "The least level that is written."),
    file<&Log::output>("output", "stderr", kRestart, "`stdout`, `stderr` or a file's path."),
    section<&Log::access, kAccess>("access", "The access log; `off` turns it off."),
};
constexpr Section kLog = table<Log>({"log", "", "The operational log and the access log.", ""}, kLogRows);

// ---- audit

constexpr Row kRotateRows[] = {
    size<&Audit::rotate_size>("size", "0", {0, 1_TiB}, kRestart,
                              "Bytes of a file before the next is begun. 0: never by size."),
    duration<&Audit::rotate_every>(
        "every", "0s", {0ms, 366 * 24h}, kRestart,
        "A file for each such period, counted from 1970 in UTC: 24h ends at midnight. 0s: never by time."),
    count<&Audit::keep>("keep", "7", {1, 10'000}, kRestart,
                        "Rotated files that are kept; older ones are deleted."),
};
constexpr Section kRotate = table<Audit>({"audit_rotate", "", "When a new file is begun.", ""}, kRotateRows);

constexpr Row kSyslogRows[] = {
    form<&Audit::syslog_address, SyslogAddress>("address", "/dev/log", kRestart,
                                                "The path of a datagram socket, or host:port for UDP."),
};
constexpr Section kSyslog = table<Audit>({"audit_syslog", "", "Where syslog is.", "address"}, kSyslogRows);

constexpr Row kAuditRows[] = {
    file<&Audit::output>("output", kRequired, kRestart,
                         "`stdout`, `stderr`, `syslog` or a file's path; `off`: no audit log."),
    word<&Audit::requests>("requests", "denied", kRestart,
                           "Which requests are written: the refused ones, or all."),
    word<&Audit::when_full>(
        "when_full", "drop", kRestart,
        "When the buffer is full: `drop` lines and count them, or `block` requests until there "
        "is room."),
    size<&Audit::buffer>("buffer", "4MiB", {64_KiB, 1_GiB}, kRestart,
                         "Bytes of lines that may wait to be written."),
    within<Audit, kRotate>("rotate", "When a file is closed and the next begun; needs a file as `output`."),
    within<Audit, kSyslog>("syslog", "Where syslog is; needs `output: syslog`."),
};
constexpr Section kAudit =
    table<Audit>({"audit", "", "The audit log: one JSON line for each decision that matters.", "output"},
                 kAuditRows, checked<Audit, rules::check_audit>);

}  // namespace config
