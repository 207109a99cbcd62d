#include "prove/record/result_json.h"

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

#include "prove/record/hdr_log.h"
#include "prove/record/json_exact.h"
#include "prove/record/markup.h"

namespace prove {
namespace {

namespace json = boost::json;

constexpr std::string_view kVersionKey = "sekisho_prove";

// ---- what each struct has, once, for both ways; a member that is forgotten here does not compile

template <class T, class Of>
concept Like = std::is_same_v<std::remove_const_t<T>, Of>;

template <class V>
void members(V& v, Like<OutcomeStats> auto& x) {
  auto& [count, bytes, response, service, first_byte] = x;
  v("count", count);
  v("bytes", bytes);
  v("response", response);
  v("service", service);
  v("first_byte", first_byte);
}
template <class V>
void members(V& v, Like<Uploads> auto& x) {
  auto& [bodies, whole, overtaken, bytes, sent] = x;
  v("bodies", bodies);
  v("whole", whole);
  v("overtaken", overtaken);
  v("bytes", bytes);
  v("sent", sent);
}
template <class V>
void members(V& v, Like<StepStats> auto& x) {
  auto& [outcomes, reasons, statuses, expected_denials, retries, redirects, left_out, uploads] = x;
  v.named("outcomes", outcomes, kOutcomeNames);
  v.counts("reasons", reasons, kReasonNames);
  v("statuses", statuses);
  v("expected_denials", expected_denials);
  v("retries", retries);
  v.newer("redirects", redirects);
  v.newer("left_out", left_out);
  v.newer("uploads", uploads);
}
template <class V>
void members(V& v, Like<SegmentStats> auto& x) {
  auto& [offered, sent, lag, busy, waited, steps] = x;
  v("offered", offered);
  v("sent", sent);
  v("lag", lag);
  v("busy", busy);
  v.maybe("waited", waited);  // younger than the format
  v("steps", steps);
}
template <class V>
void members(V& v, Like<Interval> auto& x) {
  auto& [at, seconds, outcomes, unmet, offered, bytes, p50, p90, p95, p99, max, service_p99, connections,
         in_flight, waiting, busy] = x;
  v("at", at);
  v("seconds", seconds);
  v.named("outcomes", outcomes, kOutcomeNames);
  v.newer("unmet", unmet);
  v("offered", offered);
  v("bytes", bytes);
  v("p50", p50);
  v("p90", p90);
  v("p95", p95);
  v("p99", p99);
  v("max", max);
  v("service_p99", service_p99);
  v("connections", connections);
  v("in_flight", in_flight);
  v("waiting", waiting);
  v("busy", busy);
}
template <class V>
void members(V& v, Like<Aftermath::Goal> auto& x) {
  auto& [check, within_beyond] = x;
  v("check", check);
  v("within_beyond", within_beyond);
}
template <class V>
void members(V& v, Like<Aftermath> auto& x) {
  auto& [fault, good_bad, goals] = x;
  v("fault", fault);
  v("good_bad", good_bad);
  v.maybe("goals", goals);
}
template <class V>
void members(V& v, Like<Series> auto& x) {
  auto& [target, name, labels, counter, points] = x;
  v("target", target);
  v("name", name);
  v("labels", labels);
  v("counter", counter);
  v("points", points);
}
template <class V>
void members(V& v, Like<Scope> auto& x) {
  auto& [scenario, phase, window, step, tag] = x;
  v("scenario", scenario);
  v("phase", phase);
  v("window", window);
  v.newer("step", step);
  v.newer("tag", tag);
}
template <class V>
void members(V& v, Like<CheckResult> auto& x) {
  auto& [kind, state, name, check, scope, measured, why, line, yields] = x;  // what yields, the verdict knows
  v("kind", kind);
  v("state", state);
  v("name", name);
  v("check", check);
  v("scope", scope);
  v("measured", measured);
  v("why", why);
  v("line", line);
}
template <class V>
void members(V& v, Like<Happening> auto& x) {
  auto& [at, text, bad] = x;
  v("at", at);
  v("text", text);
  v("bad", bad);
}
template <class V>
void members(V& v, Like<Sample> auto& x) {
  auto& [scenario, step, outcome, reason, at, took, expected, why, request, reply, cut, captured] = x;
  v("scenario", scenario);
  v("step", step);
  v("outcome", outcome);
  v("reason", reason);
  v("at", at);
  v("took", took);
  v("expected", expected);
  v("why", why);
  v("request", request);
  v("reply", reply);
  v("cut", cut);
  v("captured", captured);
}
template <class V>
void members(V& v, Like<Environment> auto& x) {
  auto& [started, version, commit, build, campaign_hash, command, machine, cpu, kernel, cpus, memory,
         time_scale, seed, generators, target_version] = x;
  v("started", started);
  v("version", version);
  v("commit", commit);
  v("build", build);
  v("campaign_hash", campaign_hash);
  v("command", command);
  v("machine", machine);
  v("cpu", cpu);
  v("kernel", kernel);
  v("cpus", cpus);
  v("memory", memory);
  v("time_scale", time_scale);
  v("seed", seed);
  v("generators", generators);
  v("target_version", target_version);
}
template <class V>
void members(V& v, Like<PhaseInfo> auto& x) {
  auto& [name, from, to, warm_up, load] = x;
  v("name", name);
  v("from", from);
  v("to", to);
  v("warm_up", warm_up);
  v("load", load);
}
template <class V>
void members(V& v, Like<ScenarioInfo> auto& x) {
  auto& [name, weight, steps, tags] = x;
  v("name", name);
  v("weight", weight);
  v("steps", steps);
  v.newer("tags", tags);
}
template <class V>
void members(V& v, Like<Span> auto& x) {
  auto& [name, from, to, fault] = x;
  v("name", name);
  v("from", from);
  v("to", to);
  v("fault", fault);
}
template <class V>
void members(V& v, Like<Segment> auto& x) {
  auto& [phase, from, to, warm_up] = x;
  v("phase", phase);
  v("from", from);
  v("to", to);
  v("warm_up", warm_up);
}
template <class V>
void members(V& v, Like<Result> auto& x) {
  auto& [name, text, file, environment, phases, scenarios, spans, timeline, segments, intervals, aftermaths,
         series, happenings, samples, deaths, checks, warnings, verdict, ended_at, interrupted, aborted] = x;
  v("name", name);
  v("text", text);
  v("file", file);
  v("verdict", verdict);
  v("environment", environment);
  v("phases", phases);
  v("scenarios", scenarios);
  v("checks", checks);
  v.newer("warnings", warnings);
  v("happenings", happenings);
  v.newer("samples", samples);
  v("deaths", deaths);
  v("spans", spans);
  v("timeline", timeline);
  v("segments", segments);
  v("intervals", intervals);
  v("aftermaths", aftermaths);
  v("series", series);
  v("ended_at", ended_at);
  v("interrupted", interrupted);
  v.newer("aborted", aborted);
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
struct Words<Outcome> {
  static constexpr const auto& kNames = kOutcomeNames;
};
template <>
struct Words<Reason> {
  static constexpr const auto& kNames = kReasonNames;
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
  template <class T>
  void maybe(std::string_view name, const T& x) {
    object[name] = value(x);
  }
  template <class T, std::size_t N>
  void named(std::string_view name, const std::array<T, N>& xs,
             const std::array<std::string_view, N>& names) {
    json::object inner;
    for (std::size_t i = 0; i < N; ++i) inner[names[i]] = value(xs[i]);
    object[name] = std::move(inner);
  }

  // The same of what later versions may have more of, and of a member that older files do not have.
  template <class T, std::size_t N>
  void counts(std::string_view name, const std::array<T, N>& xs,
              const std::array<std::string_view, N>& names) {
    named(name, xs, names);
  }
  template <class T>
  void newer(std::string_view name, const T& x) {
    object[name] = value(x);
  }

  // What targets and processes say may be no UTF-8, and a parser would refuse the whole file.
  static json::value value(const std::string& x) { return json::value(clean(x)); }
  static json::value value(bool x) { return x; }
  static json::value value(double x) { return std::isfinite(x) ? json::value(x) : json::value(nullptr); }
  static json::value value(std::integral auto x) { return json::value(x); }
  template <class T>
  static json::value value(const std::optional<T>& x) {
    return x ? value(*x) : json::value(nullptr);
  }
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
  // Most steps have no request in most segments of a large campaign.
  static json::value value(const StepStats& x) {
    if (x.blank()) return nullptr;
    Writer inner;
    members(inner, x);
    return std::move(inner.object);
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
    for (const auto& [key, x] : map) inner[clean(fmt::format("{}", key))] = value(x);
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
  template <class T>
  void maybe(std::string_view name, T& x) {  // as it was made, in a file that is older than it
    if (const json::value* found = object.if_contains(name)) read(name, *found, x);
  }
  template <class T, std::size_t N>
  void named(std::string_view name, std::array<T, N>& xs, const std::array<std::string_view, N>& names) {
    const Reader inner{object_in(name, at(name))};
    for (std::size_t i = 0; i < N; ++i) read(names[i], inner.at(names[i]), xs[i]);
  }

  template <class T, std::size_t N>
  void counts(std::string_view name, std::array<T, N>& xs, const std::array<std::string_view, N>& names) {
    const Reader inner{object_in(name, at(name))};
    for (std::size_t i = 0; i < N; ++i)
      if (const json::value* found = inner.object.if_contains(names[i])) read(names[i], *found, xs[i]);
  }
  template <class T>
  void newer(std::string_view name, T& x) {
    if (const json::value* found = object.if_contains(name)) read(name, *found, x);
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
  template <class T>
  static void read(std::string_view name, const json::value& v, std::optional<T>& x) {
    x.reset();
    if (!v.is_null()) read(name, v, x.emplace());
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
  static void read(std::string_view name, const json::value& v, StepStats& x) {
    if (v.is_null()) return;  // as it was made: nothing is in it
    Reader inner{object_in(name, v)};
    members(inner, x);
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
