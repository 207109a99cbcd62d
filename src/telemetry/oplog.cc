#include "telemetry/oplog.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "base/clock.h"
#include "telemetry/line_log.h"
#include "text/json_line.h"
#include "text/json_text.h"

namespace telemetry::log {

namespace {

constexpr std::array<std::string_view, 6> kLevels = {"trace", "debug", "info", "warn", "error", "off"};
constexpr std::size_t kMaxMessages = 512;  // that are counted one by one; any more share a count

constexpr std::size_t kMaxText = 8 << 10;  // bytes of one field
constexpr std::size_t kChunks = 8;         // 512 KiB that wait for a slow reader

// The log's own troubles have nowhere to be told; they are counted.
class Output final : public LineLog {
 public:
  explicit Output(const std::string& output)
      : LineLog("log", make_stream_sink(output), {.chunks = kChunks, .tell = false}) {}
  using LineLog::put_now;
};

std::shared_ptr<Output> make_output(const std::string& output) {
  try {
    return std::make_shared<Output>(output);
  } catch (const std::system_error& e) {
    throw std::runtime_error(fmt::format("log.output {}: {}", output, e.code().message()));
  }
}

struct Window {
  Level level = Level::kInfo;
  std::string message;
  base::Mono opened;
  unsigned written = 0;
  std::uint64_t suppressed = 0;
};

struct State {
  std::mutex mutex;  // never held while anybody waits for the output
  std::shared_ptr<Output> output = make_output("stderr");
  std::unordered_map<std::string, Window> windows;
  text::LineTime time;
};

std::atomic<bool> used{false};

State& state() {
  static State& s = *new State;  // never destroyed: destructors log too
  used = true;
  return s;
}

void append_value(std::string& out, const Value& value) {
  switch (value.kind) {
    case Value::Kind::kText:
      return text::append_json(out, value.text.substr(0, kMaxText));
    case Value::Kind::kSigned:
      out += std::to_string(value.integer);
      return;
    case Value::Kind::kUnsigned:
      out += std::to_string(value.natural);
      return;
    case Value::Kind::kBool:
      out += value.truth ? "true" : "false";
      return;
    case Value::Kind::kReal:
      out += std::isfinite(value.real) ? fmt::format("{}", value.real) : "null";
      return;
  }
}

void put_line(State& s, Level level, std::string_view message, Fields fields) {
  std::string line = R"({"time":")";
  char time[text::LineTime::kSize];
  line.append(time, s.time.put(time, base::wall_now()));
  line += R"(","level":")";
  line += name_of(level);
  line += R"(","message":)";
  text::append_json(line, message.substr(0, kMaxText));
  for (const Field& field : fields) {
    line += ',';
    text::append_json(line, field.key);
    line += ':';
    append_value(line, field.value);
  }
  line += "}\n";
  s.output->put_now(line);
}

void report(State& s, Window& window) {
  if (window.suppressed != 0)
    put_line(s, window.level, window.message, {{"suppressed", std::exchange(window.suppressed, 0)}});
}

void end_windows(State& s, base::Mono now) {
  for (auto at = s.windows.begin(); at != s.windows.end();) {
    if (now - at->second.opened < kWindow) {
      ++at;
    } else {
      report(s, at->second);
      at = s.windows.erase(at);
    }
  }
}

bool admit(State& s, Level level, std::string_view message) {
  if (level < Level::kInfo) return true;
  const base::Mono now = base::mono_now();
  end_windows(s, now);
  std::string key(1, static_cast<char>('0' + static_cast<int>(level)));
  key += message;
  if (s.windows.size() >= kMaxMessages && !s.windows.contains(key)) {
    key.clear();
    message = "other messages";
  }
  const auto [place, fresh] = s.windows.try_emplace(std::move(key));
  Window& window = place->second;
  if (fresh) window = {.level = level, .message = std::string(message), .opened = now};
  if (window.written < kBurst) {
    ++window.written;
    return true;
  }
  ++window.suppressed;
  return false;
}

}  // namespace

void open(const std::string& output) {
  std::shared_ptr<Output> next = make_output(output);
  State& s = state();
  const std::lock_guard lock(s.mutex);
  s.output.swap(next);
}  // the old one has written what it has, or given up, before this returns

void reopen() {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  s.output->reopen();
}

Figures figures() {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  return {.written = s.output->lines_written(),
          .dropped_queue = s.output->dropped_queue(),
          .dropped_output = s.output->dropped_output()};
}

void set_level(Level level) {
  detail::threshold.store(level, std::memory_order_relaxed);
}
Level level() {
  return detail::threshold.load(std::memory_order_relaxed);
}

std::optional<Level> parse_level(std::string_view name) {
  for (std::size_t i = 0; i < kLevels.size(); ++i)
    if (kLevels[i] == name) return static_cast<Level>(i);
  return std::nullopt;
}

std::string_view name_of(Level level) {
  return kLevels[static_cast<std::size_t>(level)];
}

void write(Level level, std::string_view message, Fields fields) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  if (admit(s, level, message)) put_line(s, level, message, fields);
}

void tick() {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  end_windows(s, base::mono_now());
}

bool settle(base::Nanos patience) {
  if (!used) return true;
  std::shared_ptr<Output> output;
  {
    State& s = state();
    const std::lock_guard lock(s.mutex);
    output = s.output;
  }
  return output->settle(patience);
}

bool flush(base::Nanos patience) {
  if (!used) return true;
  {
    State& s = state();
    const std::lock_guard lock(s.mutex);
    for (auto& [key, window] : s.windows) report(s, window);
  }
  return settle(patience);
}

void expose(Page& page) {
  const Figures now = figures();
  page.single("sekisho_log_lines_total", "counter", "Lines of the operational log that were written.",
              now.written);
  page.family("sekisho_log_dropped_total", "counter",
              "Lines of the operational log that were lost, by reason.");
  page.sample({{"reason", "queue"}}, now.dropped_queue);
  page.sample({{"reason", "output"}}, now.dropped_output);
}

}  // namespace telemetry::log
