// The operational log: what the process did and what troubles it, one JSON object a line.
//
// Owner:    process-wide; works from the first line of main (info, stderr) until the last.
// Thread:   any. Not for every request: it takes a lock, though never for as long as the output takes.
// Lifetime: never destroyed. Lines are on their way to the output when write() returns; an end that must not
//           lose them calls flush().
// Failures: open() throws std::runtime_error with a line for the operator, and the old output stays in use;
//           so it does after a reopen() that failed, which is logged. Writing never throws and never waits:
//           a thread of its own writes (line_log.h), so that a terminal that was stopped or a pipe that
//           nobody reads costs lines, which are counted, and not the worker, the signals or the exit.
//
//   log::warn("origin refused", {{"origin", "photos"}, {"attempt", 2}, {"request_id", id}});
//
// The message is a constant text; what varies goes into fields. The same message at the same level is
// written at most kBurst times in kWindow (not trace and debug, which are asked for), then counted, and the
// next window opens with {"message": …, "suppressed": N}. tick() says so even when the message stays away.
#pragma once

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "telemetry/page.h"

namespace telemetry::log {

enum class Level : std::uint8_t { kTrace, kDebug, kInfo, kWarn, kError, kOff };

inline constexpr unsigned kBurst = 5;
inline constexpr std::chrono::seconds kWindow{10};

class Value {
 public:
  enum class Kind : std::uint8_t { kText, kSigned, kUnsigned, kReal, kBool };

  Value(std::string_view v) : kind(Kind::kText), text(v) {}          // NOLINT(google-explicit-constructor)
  Value(const char* v) : Value(std::string_view(v)) {}               // NOLINT(google-explicit-constructor)
  Value(const std::string& v) : Value(std::string_view(v)) {}        // NOLINT(google-explicit-constructor)
  Value(std::same_as<bool> auto v) : kind(Kind::kBool), truth(v) {}  // NOLINT(google-explicit-constructor)
  Value(double v) : kind(Kind::kReal), real(v) {}                    // NOLINT(google-explicit-constructor)
  template <std::signed_integral T>
  Value(T v) : kind(Kind::kSigned), integer(v) {}  // NOLINT(google-explicit-constructor)
  template <std::unsigned_integral T>
    requires(!std::same_as<T, bool>)
  Value(T v) : kind(Kind::kUnsigned), natural(v) {}  // NOLINT(google-explicit-constructor)

  Kind kind;
  std::string_view text;
  union {
    std::int64_t integer;
    std::uint64_t natural;
    double real;
    bool truth;
  };
};

struct Field {
  std::string_view key;
  Value value;
};
using Fields = std::initializer_list<Field>;

void open(const std::string& output);  // "stderr", "stdout" or a path, appended to
void reopen();                         // the path again, soon, after a rotation
void set_level(Level level);
Level level();
std::optional<Level> parse_level(std::string_view name);  // trace, debug, info, warn, error, off
std::string_view name_of(Level level);

void write(Level level, std::string_view message, Fields fields);
void tick();                        // now and then: reports what was suppressed in windows that have ended
bool settle(base::Nanos patience);  // waits until all is written; false: not within that time
bool flush(base::Nanos patience);   // says what was suppressed so far, and settles

struct Figures {
  std::uint64_t written, dropped_queue, dropped_output;
};
Figures figures();
void expose(Page& page);

namespace detail {
inline std::atomic<Level> threshold{Level::kInfo};
}
inline bool enabled(Level at) {
  return at >= detail::threshold.load(std::memory_order_relaxed);
}

inline void trace(std::string_view message, Fields fields = {}) {
  if (enabled(Level::kTrace)) write(Level::kTrace, message, fields);
}
inline void debug(std::string_view message, Fields fields = {}) {
  if (enabled(Level::kDebug)) write(Level::kDebug, message, fields);
}
inline void info(std::string_view message, Fields fields = {}) {
  if (enabled(Level::kInfo)) write(Level::kInfo, message, fields);
}
inline void warn(std::string_view message, Fields fields = {}) {
  if (enabled(Level::kWarn)) write(Level::kWarn, message, fields);
}
inline void error(std::string_view message, Fields fields = {}) {
  if (enabled(Level::kError)) write(Level::kError, message, fields);
}

}  // namespace telemetry::log
