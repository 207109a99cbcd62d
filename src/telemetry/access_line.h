// One request as one line of JSON.
//
// Owner:    AccessLineFormatter: the worker's AccessLogBuffer. AccessRecord: the caller, on its stack.
// Thread:   the worker's.
// Lifetime: the views of a record are read during format() only.
// Failures: none; every byte sequence yields valid JSON (RFC 8259), what is not UTF-8 becomes U+FFFD.
//           Texts are cut at kMaxPath and kMaxText bytes.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "telemetry/line_sink.h"
#include "text/json_line.h"

namespace telemetry {

inline constexpr std::size_t kMaxAccessLine =
    text::kEscapeGrowth * (text::json_line::kMaxPath + 13 * text::json_line::kMaxText) + 1024;
static_assert(kMaxAccessLine <= kMaxLine);

struct AccessRecord {
  base::Wall time{};  // when the request's head was complete
  std::string_view request_id{};
  std::string_view client{};     // the address that is believed, without its port
  std::string_view principal{};  // the token's subject; empty fields that may be empty are left out
  std::string_view issuer{};
  std::string_view method{};
  std::string_view host{};
  std::string_view path{};      // the target with every secret taken out
  std::string_view protocol{};  // HTTP/1.0 or HTTP/1.1
  std::string_view route{};
  std::string_view origin_name{};  // of the route, whether it was asked or not
  std::string_view user_agent{};
  std::string_view cache{};   // label(CacheResult)
  std::string_view reason{};  // label(base::Code), when the request was denied or failed
  std::string_view detail{};  // more closely: of a 401 the word of identity::reason, else a constant text
  std::uint16_t status = 0;
  std::uint64_t bytes_sent = 0;  // of the reply, head included
  std::uint64_t bytes_received = 0;
  base::Nanos duration{0};
  base::Nanos origin{-1};  // waited for the origin; negative: it was not asked
};

class AccessLineFormatter {
 public:
  // Writes at most kMaxAccessLine bytes, the newline included, and returns how many.
  std::size_t format(const AccessRecord& record, char* out);

 private:
  text::LineTime time_;
};

}  // namespace telemetry
