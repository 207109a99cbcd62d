// One decision as one line of JSON: what an auditor asks for.
//
// Owner:    AuditLineFormatter: the worker's AuditBuffer, or the AuditLog. AuditRecord: the caller, on its
//           stack.
// Thread:   its owner's.
// Lifetime: the views of a record are read during format() only.
// Failures: none; every byte sequence yields valid JSON (RFC 8259), what is not UTF-8 becomes U+FFFD. Texts
//           are cut at kMaxPath and kMaxText bytes.
//
//   {"time":"2026-11-21T15:04:05.123Z","event":"request","request_id":…,"client":…,
//    "principal":{"issuer":…,"subject":…,"agent":…},"method":…,"path":…,"route":…,"decision":"deny",
//    "reason":"expired","limit":…,"detail":…,"status":401,"duration_ms":0.123,"bytes_sent":…,"bytes_received":…,
//    "cache":…}
//
// Members that do not apply are left out. decision: allow, the request was served or the action done; deny,
// it was refused by a rule of ours; error, it was not refused and did not succeed (the origin failed, the
// client left, the file was wrong). Secrets never come in here: paths come without tokens, arguments without
// values that are secret.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/clock.h"
#include "telemetry/line_sink.h"
#include "text/json_line.h"

namespace telemetry {

enum class AuditEvent : std::uint8_t { kRequest, kAdmin, kReload, kStart, kStop };
enum class AuditDecision : std::uint8_t { kAllow, kDeny, kError };

struct AuditArgument {
  std::string_view name;  // a constant of ours
  std::string_view value;
};

struct AuditRecord {
  base::Wall time{};
  AuditEvent event = AuditEvent::kRequest;
  std::string_view request_id{};
  std::string_view client{};  // the address that is believed, without its port
  std::string_view issuer{};  // of the principal; its `iss`
  std::string_view subject{};
  std::string_view agent{};       // who acts for the subject, see identity::Principal
  std::string_view credential{};  // of an admin action: "bootstrap_token" or "jwt"
  std::string_view method{};
  std::string_view path{};  // the target with every secret taken out
  std::string_view route{};
  std::string_view action{};  // of an admin action: what was done or asked for
  std::span<const AuditArgument> arguments{};
  std::string_view by{};  // of reload, start and stop: the signal
  AuditDecision decision = AuditDecision::kAllow;
  std::string_view reason{};  // one word
  std::string_view limit{};   // the name of the rate limit that refused
  std::string_view detail{};  // a sentence
  std::uint16_t status = 0;   // 0: none was sent
  base::Nanos duration{-1};   // negative: there is none
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
  bool bytes = false;  // whether the two above were counted
  std::string_view cache{};
};

class AuditLineFormatter {
 public:
  // Writes at most kMaxLine bytes, the newline included, and returns how many.
  std::size_t format(const AuditRecord& record, char* out);

 private:
  text::LineTime time_;
};

}  // namespace telemetry
