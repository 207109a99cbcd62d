#include "telemetry/oplog.h"

#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <array>
#include <cmath>
#include <mutex>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include "base/clock.h"
#include "text/json_text.h"

namespace telemetry::log {

namespace {

constexpr std::array<std::string_view, 6> kLevels = {"trace", "debug", "info", "warn", "error", "off"};
constexpr std::size_t kMaxMessages = 512;  // that are counted one by one; any more share a count

using SinkPtr = std::shared_ptr<spdlog::sinks::sink>;

SinkPtr make_sink(const std::string& output) {
  SinkPtr sink;
  try {
    if (output == "stderr") {
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else if (output == "stdout") {
      sink = std::make_shared<spdlog::sinks::stdout_sink_mt>();
    } else {
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(output);
    }
  } catch (const spdlog::spdlog_ex& e) {
    throw std::runtime_error(fmt::format("log {}: {}", output, e.what()));
  }
  sink->set_formatter(std::make_unique<spdlog::pattern_formatter>(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ",%v})",
                                                                  spdlog::pattern_time_type::utc));
  return sink;
}

struct Window {
  Level level = Level::kInfo;
  std::string message;
  base::Mono opened;
  unsigned written = 0;
  std::uint64_t suppressed = 0;
};

struct State {
  std::mutex mutex;
  std::string output = "stderr";
  SinkPtr sink = make_sink("stderr");
  std::unordered_map<std::string, Window> windows;
};

State& state() {
  static State& s = *new State;  // never destroyed: destructors log too
  return s;
}

void append_value(std::string& out, const Value& value) {
  switch (value.kind) {
    case Value::Kind::kText:
      return text::append_json(out, value.text);
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
  std::string text = R"("level":")";
  text += name_of(level);
  text += R"(","message":)";
  text::append_json(text, message);
  for (const Field& field : fields) {
    text += ',';
    text::append_json(text, field.key);
    text += ':';
    append_value(text, field.value);
  }
  try {
    s.sink->log(spdlog::details::log_msg("", spdlog::level::info, text));
    s.sink->flush();
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): a log that cannot be written has nobody
                                     // to tell
  }
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
  SinkPtr sink = make_sink(output);
  State& s = state();
  const std::lock_guard lock(s.mutex);
  s.output = output;
  s.sink = std::move(sink);
}

void reopen() {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  s.sink = make_sink(s.output);
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

void flush() {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  for (auto& [key, window] : s.windows) report(s, window);
  s.sink->flush();
}

}  // namespace telemetry::log
