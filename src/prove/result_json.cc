#include "prove/result_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <type_traits>

#include "prove/hdr_log.h"
#include "prove/json_exact.h"

namespace prove {
namespace {

namespace json = boost::json;

constexpr std::string_view kVersionKey = "sekisho_prove";

// ---- what each struct has, once, for both ways

template <class T, class Of>
concept Like = std::is_same_v<std::remove_const_t<T>, Of>;

template <class V>
void members(V& v, Like<OutcomeStats> auto& x) {
  v("count", x.count);
  v("bytes", x.bytes);
  v("response", x.response);
  v("service", x.service);
  v("first_byte", x.first_byte);
}
template <class V>
void members(V& v, Like<StepStats> auto& x) {
  v.named("outcomes", x.outcomes, kOutcomeNames);
  v.named("reasons", x.reasons, kReasonNames);
  v("statuses", x.statuses);
  v("expected_denials", x.expected_denials);
}
template <class V>
void members(V& v, Like<SegmentStats> auto& x) {
  v("offered", x.offered);
  v("sent", x.sent);
  v("lag", x.lag);
  v("busy", x.busy);
  v("steps", x.steps);
}
template <class V>
void members(V& v, Like<Interval> auto& x) {
  v("at", x.at);
  v("seconds", x.seconds);
  v.named("outcomes", x.outcomes, kOutcomeNames);
  v("offered", x.offered);
  v("bytes", x.bytes);
  v("p50", x.p50);
  v("p90", x.p90);
  v("p95", x.p95);
  v("p99", x.p99);
  v("max", x.max);
  v("service_p99", x.service_p99);
  v("connections", x.connections);
  v("in_flight", x.in_flight);
  v("waiting", x.waiting);
  v("busy", x.busy);
}
template <class V>
void members(V& v, Like<Aftermath> auto& x) {
  v("fault", x.fault);
  v("good_bad", x.good_bad);
}
template <class V>
void members(V& v, Like<Series> auto& x) {
  v("target", x.target);
  v("name", x.name);
  v("labels", x.labels);
  v("counter", x.counter);
  v("points", x.points);
}
template <class V>
void members(V& v, Like<Scope> auto& x) {
  v("scenario", x.scenario);
  v("phase", x.phase);
  v("window", x.window);
}
template <class V>
void members(V& v, Like<CheckResult> auto& x) {
  v("kind", x.kind);
  v("state", x.state);
  v("name", x.name);
  v("check", x.check);
  v("scope", x.scope);
  v("measured", x.measured);
  v("why", x.why);
  v("line", x.line);
}
template <class V>
void members(V& v, Like<Happening> auto& x) {
  v("at", x.at);
  v("text", x.text);
  v("bad", x.bad);
}
template <class V>
void members(V& v, Like<Environment> auto& x) {
  v("started", x.started);
  v("version", x.version);
  v("commit", x.commit);
  v("build", x.build);
  v("campaign_hash", x.campaign_hash);
  v("command", x.command);
  v("machine", x.machine);
  v("cpu", x.cpu);
  v("kernel", x.kernel);
  v("cpus", x.cpus);
  v("memory", x.memory);
  v("time_scale", x.time_scale);
  v("seed", x.seed);
  v("generators", x.generators);
  v("target_version", x.target_version);
}
template <class V>
void members(V& v, Like<PhaseInfo> auto& x) {
  v("name", x.name);
  v("from", x.from);
  v("to", x.to);
  v("warm_up", x.warm_up);
  v("load", x.load);
}
template <class V>
void members(V& v, Like<ScenarioInfo> auto& x) {
  v("name", x.name);
  v("weight", x.weight);
  v("steps", x.steps);
}
template <class V>
void members(V& v, Like<Span> auto& x) {
  v("name", x.name);
  v("from", x.from);
  v("to", x.to);
  v("fault", x.fault);
}
template <class V>
void members(V& v, Like<Segment> auto& x) {
  v("phase", x.phase);
  v("from", x.from);
  v("to", x.to);
  v("warm_up", x.warm_up);
}
template <class V>
void members(V& v, Like<Result> auto& x) {
  v("name", x.name);
  v("text", x.text);
  v("file", x.file);
  v("verdict", x.verdict);
  v("environment", x.environment);
  v("phases", x.phases);
  v("scenarios", x.scenarios);
  v("checks", x.checks);
  v("happenings", x.happenings);
  v("spans", x.spans);
  v("timeline", x.timeline);
  v("segments", x.segments);
  v("intervals", x.intervals);
  v("aftermaths", x.aftermaths);
  v("series", x.series);
  v("ended_at", x.ended_at);
  v("interrupted", x.interrupted);
}

// Words of an enum, in its order; "" where it has no such value.
template <class E>
struct Words;
template <>
struct Words<CheckResult::Kind> {
  static constexpr std::array<std::string_view, 3> kNames = {"guardrail", "require", "validity"};
};
template <>
struct Words<CheckResult::State> {
  static constexpr std::array<std::string_view, 3> kNames = {"held", "broken", "unknown"};
};
template <>
struct Words<Verdict> {
  static constexpr std::array<std::string_view, 4> kNames = {"PASS", "FAIL", "", "INVALID"};
};

// ---- out

struct Writer {
  json::object object;

  template <class T>
  void operator()(std::string_view name, const T& x) {
    object[name] = value(x);
  }
  template <class T, std::size_t N>
  void named(std::string_view name, const std::array<T, N>& xs,
             const std::array<std::string_view, N>& names) {
    json::object inner;
    for (std::size_t i = 0; i < N; ++i) inner[names[i]] = value(xs[i]);
    object[name] = std::move(inner);
  }

  static json::value value(const std::string& x) { return json::value(x); }
  static json::value value(bool x) { return x; }
  static json::value value(double x) { return std::isfinite(x) ? json::value(x) : json::value(nullptr); }
  static json::value value(std::integral auto x) { return json::value(x); }
  static json::value value(Nanos x) { return json::value(x.count()); }
  static json::value value(const Point& p) { return json::array{p.at, p.value}; }
  static json::value value(const std::pair<std::uint32_t, std::uint32_t>& p) {
    return json::array{p.first, p.second};
  }
  static json::value value(const Hdr& h) {
    if (h.count() == 0) return nullptr;
    return json::object{
        {"min", h.min().count()}, {"max", h.max().count()}, {"sum", h.sum()}, {"hdr", encode_hdr(h)}};
  }
  template <class E>
    requires std::is_enum_v<E>
  static json::value value(E e) {
    return json::value(Words<E>::kNames[static_cast<std::size_t>(e)]);
  }
  template <class T>
  static json::value value(const std::vector<T>& xs) {
    json::array array;
    array.reserve(xs.size());
    for (const T& x : xs) array.push_back(value(x));
    return array;
  }
  template <class K, class T>
  static json::value value(const std::map<K, T>& map) {
    json::object inner;
    for (const auto& [key, x] : map) inner[fmt::format("{}", key)] = value(x);
    return inner;
  }
  template <class T>
    requires requires(Writer& w, const T& x) { members(w, x); }
  static json::value value(const T& x) {
    Writer inner;
    members(inner, x);
    return std::move(inner.object);
  }
};

// ---- in

[[noreturn]] void wrong(std::string_view name, std::string_view what) {
  throw std::runtime_error(fmt::format("'{}' {}", name, what));
}

struct Reader {
  const json::object& object;

  const json::value& at(std::string_view name) const {
    const json::value* found = object.if_contains(name);
    if (!found) wrong(name, "is missing");
    return *found;
  }
  template <class T>
  void operator()(std::string_view name, T& x) {
    read(name, at(name), x);
  }
  template <class T, std::size_t N>
  void named(std::string_view name, std::array<T, N>& xs, const std::array<std::string_view, N>& names) {
    const Reader inner{object_in(name, at(name))};
    for (std::size_t i = 0; i < N; ++i) read(names[i], inner.at(names[i]), xs[i]);
  }

  static const json::object& object_in(std::string_view name, const json::value& v) {
    if (!v.is_object()) wrong(name, "is no object");
    return v.get_object();
  }
  static const json::array& array_in(std::string_view name, const json::value& v) {
    if (!v.is_array()) wrong(name, "is no array");
    return v.get_array();
  }
  static void read(std::string_view name, const json::value& v, std::string& x) {
    if (!v.is_string()) wrong(name, "is no text");
    x = v.get_string();
  }
  static void read(std::string_view name, const json::value& v, bool& x) {
    if (!v.is_bool()) wrong(name, "is neither true nor false");
    x = v.get_bool();
  }
  static void read(std::string_view name, const json::value& v, double& x) {
    if (v.is_null())
      x = std::numeric_limits<double>::quiet_NaN();
    else if (v.is_number())
      x = v.to_number<double>();
    else
      wrong(name, "is no number");
  }
  template <std::integral T>
  static void read(std::string_view name, const json::value& v, T& x) {
    json::error_code error;
    x = v.is_double() ? T{} : v.to_number<T>(error);
    if (error || !v.is_number() || v.is_double()) wrong(name, "is no such number");
  }
  static void read(std::string_view name, const json::value& v, Nanos& x) {
    std::int64_t count = 0;
    read(name, v, count);
    x = Nanos(count);
  }
  template <class A, class B>
  static void read_pair(std::string_view name, const json::value& v, A& a, B& b) {
    const json::array& pair = array_in(name, v);
    if (pair.size() != 2) wrong(name, "is no pair");
    read(name, pair[0], a);
    read(name, pair[1], b);
  }
  static void read(std::string_view name, const json::value& v, Point& x) {
    read_pair(name, v, x.at, x.value);
  }
  static void read(std::string_view name, const json::value& v, std::pair<std::uint32_t, std::uint32_t>& x) {
    read_pair(name, v, x.first, x.second);
  }
  static void read(std::string_view name, const json::value& v, Hdr& x) {
    x = Hdr();
    if (v.is_null()) return;
    const Reader inner{object_in(name, v)};
    std::string text;
    std::uint64_t min = 0, max = 0;
    double sum = 0;
    read("hdr", inner.at("hdr"), text);
    read("min", inner.at("min"), min);
    read("max", inner.at("max"), max);
    read("sum", inner.at("sum"), sum);
    auto decoded = decode_hdr(text);
    if (!decoded) wrong(name, fmt::format("is {}", decoded.error().text));
    x = std::move(*decoded);
    if (x.count() == 0 || Hdr::cell_of(min) != x.first_cell() || Hdr::cell_of(max) != x.last_cell())
      wrong(name, "has a minimum or maximum that its histogram does not have");
    x.restore(min, max, sum);
  }
  template <class E>
    requires std::is_enum_v<E>
  static void read(std::string_view name, const json::value& v, E& x) {
    std::string word;
    read(name, v, word);
    const auto it = std::ranges::find(Words<E>::kNames, word);
    if (word.empty() || it == Words<E>::kNames.end()) wrong(name, "is no word that is known there");
    x = static_cast<E>(it - Words<E>::kNames.begin());
  }
  template <class T>
  static void read(std::string_view name, const json::value& v, std::vector<T>& xs) {
    const json::array& array = array_in(name, v);
    xs = std::vector<T>(array.size());
    for (std::size_t i = 0; i < xs.size(); ++i) read(name, array[i], xs[i]);
  }
  static void read(std::string_view name, const json::value& v, std::map<std::string, std::string>& map) {
    map.clear();
    for (const auto& [key, x] : object_in(name, v)) read(name, x, map[key]);
  }
  static void read(std::string_view name, const json::value& v, std::map<std::uint16_t, std::uint64_t>& map) {
    map.clear();
    for (const auto& [key, x] : object_in(name, v)) {
      std::uint16_t number = 0;
      const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), number);
      if (error != std::errc() || end != key.data() + key.size()) wrong(name, "has a key that is no number");
      read(name, x, map[number]);
    }
  }
  template <class T>
    requires requires(Reader& r, T& x) { members(r, x); }
  static void read(std::string_view name, const json::value& v, T& x) {
    Reader inner{object_in(name, v)};
    members(inner, x);
  }
};

// What readers index by must be there.
void check_shape(const Result& r) {
  if (r.segments.size() != r.timeline.size()) wrong("segments", "are not those of the timeline");
  for (const Segment& s : r.timeline)
    if (s.phase >= r.phases.size()) wrong("timeline", "has a segment of no phase");
  for (const SegmentStats& s : r.segments) {
    if (s.steps.size() > r.scenarios.size()) wrong("segments", "have more scenarios than there are");
    for (std::size_t i = 0; i < s.steps.size(); ++i)
      if (s.steps[i].size() > r.scenarios[i].steps.size())
        wrong("segments", "have more steps than there are");
  }
}

}  // namespace

std::string to_json(const Result& result) {
  json::object object;
  object[kVersionKey] = Result::kVersion;
  Writer writer{std::move(object)};
  members(writer, result);
  return json::serialize(writer.object) + "\n";
}

Result result_from_json(std::string_view text) {
  const json::value document = parse_exact(text);
  const json::object* object = document.if_object();
  const json::value* version = object ? object->if_contains(kVersionKey) : nullptr;
  if (!version) throw std::runtime_error("is no result of sekisho prove");
  if (!version->is_int64() || version->get_int64() != Result::kVersion)
    throw std::runtime_error(fmt::format("is a result of version {}; this program reads version {}",
                                         json::serialize(*version), Result::kVersion));
  Result result;
  Reader reader{*object};
  members(reader, result);
  check_shape(result);
  return result;
}

void save_result(const Result& result, const std::string& path) {
  const std::string part = path + ".part";
  const auto failed = [&] {
    const int error = errno;
    std::remove(part.c_str());
    throw std::runtime_error(fmt::format("{}: {}", path, std::strerror(error)));
  };
  errno = 0;
  std::ofstream out(part, std::ios::binary | std::ios::trunc);
  out << to_json(result);
  out.close();
  if (!out || std::rename(part.c_str(), path.c_str()) != 0) failed();
}

Result load_result(const std::string& path) {
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in)
    throw std::runtime_error(fmt::format("{}: {}", path, errno ? std::strerror(errno) : "cannot be read"));
  try {
    return result_from_json(text.view());
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(fmt::format("{}: {}", path, error.what()));
  }
}

}  // namespace prove
