// Where the lines of a log go: a stream, a file that may be rotated, or syslog.
//
// Owner:    a LineLog.
// Thread:   constructed by the owner's, then its writer's alone; GiveUp may be set by any.
// Failures: the factories throw std::system_error when a file cannot be opened. put() gives errno and how
//           many bytes are out; what is behind them was not written and may be tried again.
// Units:    bytes.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"

namespace telemetry {

inline constexpr std::size_t kMaxLine = 80 << 10;  // bytes of a line of any log

// Until when somebody who may never come is waited for.
class GiveUp {
 public:
  void at(base::Mono when) { at_.store(when.time_since_epoch().count()); }
  void no_later_than(base::Mono when) {
    if (when.time_since_epoch().count() < at_.load()) at(when);
  }
  bool now() const {
    return base::mono_now().time_since_epoch().count() >= at_.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<std::int64_t> at_{INT64_MAX};
};

class LineSink {
 public:
  explicit LineSink(std::string output) : output_(std::move(output)) {}
  virtual ~LineSink() = default;
  LineSink(const LineSink&) = delete;
  LineSink& operator=(const LineSink&) = delete;

  // Whole lines, from `done` on, which begins as 0 and is moved on to what is written. 0 or errno: ETIMEDOUT
  // when it was given up, EMSGSIZE when the line at `done` will never fit.
  virtual int put(std::string_view lines, std::size_t& done, const GiveUp& give_up) = 0;

  // 0 or errno; then the old output stays in use. Whoever was inside a line begins it again in the new
  // output.
  virtual int reopen() { return 0; }

  const std::string& output() const { return output_; }  // as configured, for messages

 private:
  const std::string output_;
};

struct Rotation {
  std::uint64_t size = 0;  // bytes of a file; 0: never by size
  base::Seconds every{
      0};  // 0: never by time; periods are counted from the epoch, so 24h ends at midnight UTC
  std::uint64_t keep = 7;  // name.1, the youngest, to name.<keep>; at least 1
};

// Why lines cannot be written there, or "": nothing is made. `moved`: the file is moved aside by us, too.
std::string why_no_output(const std::string& output, bool moved = false);

// "stdout", "stderr" or a path (created 0640, appended to).
std::unique_ptr<LineSink> make_stream_sink(const std::string& output);
// A path that is rotated: between two lines, when the next would exceed the size or belongs to a new period.
std::unique_ptr<LineSink> make_rotating_sink(const std::string& path, Rotation rotation);
// RFC 5424 messages, one a line, to the path of a datagram socket or to host:port (UDP).
std::unique_ptr<LineSink> make_syslog_sink(const std::string& address);

}  // namespace telemetry
