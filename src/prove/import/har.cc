#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <optional>
#include <stdexcept>
#include <utility>

#include "config/address.h"
#include "config/values.h"
#include "prove/import/sources.h"

namespace prove::import {
namespace {

constexpr double kLeastPause = 10;        // ms; what is shorter is the browser's own
constexpr double kLongestPause = 30'000;  // somebody went for a coffee

// The connection's, the harness's own, and what only a browser or a cache has to say.
constexpr std::array<std::string_view, 28> kLeftOut = {"connection",
                                                       "keep-alive",
                                                       "proxy-authorization",
                                                       "proxy-connection",
                                                       "te",
                                                       "trailer",
                                                       "transfer-encoding",
                                                       "upgrade",
                                                       "host",
                                                       "content-length",
                                                       "accept-encoding",
                                                       "cookie",
                                                       "user-agent",
                                                       "referer",
                                                       "origin",
                                                       "dnt",
                                                       "priority",
                                                       "pragma",
                                                       "cache-control",
                                                       "if-none-match",
                                                       "if-modified-since",
                                                       "if-match",
                                                       "if-unmodified-since",
                                                       "if-range",
                                                       "expect",
                                                       "dpop",
                                                       "upgrade-insecure-requests",
                                                       "save-data"};

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  return out;
}

struct Parts {
  std::string base, target;  // http://host:port, /path?query
};

// Nothing: no URL that can be asked.
std::optional<Parts> parts_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == url.npos) return std::nullopt;
  const std::string name = lower(url.substr(0, scheme));
  if (name != "http" && name != "https") return std::nullopt;
  std::string_view rest = url.substr(scheme + 3);
  rest = rest.substr(0, rest.find('#'));
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  std::string_view authority = rest.substr(0, end);
  authority = authority.substr(authority.find('@') + 1);  // npos + 1: from the beginning
  const auto known = config::UrlText::parse(fmt::format("{}://{}", name, authority));
  if (!known) return std::nullopt;
  std::string_view target = rest.substr(end);
  return Parts{fmt::format("{}://{}", name, known->authority()),
               target.starts_with('/') ? as_target(target) : "/" + as_target(target)};
}

int digits(std::string_view text, std::size_t at, std::size_t count) {
  int out = -1;
  if (at + count > text.size()) return -1;
  const auto [end, error] = std::from_chars(text.data() + at, text.data() + at + count, out);
  return error == std::errc() && end == text.data() + at + count ? out : -1;
}

// ISO 8601 as HAR wants it, 2026-11-28T10:00:00.123+01:00, in milliseconds.
std::optional<double> time_of(std::string_view text) {
  using std::chrono::day, std::chrono::month, std::chrono::year;
  if (text.size() < 19 || (text[10] != 'T' && text[10] != 't')) return std::nullopt;
  const std::array parts = {digits(text, 0, 4),  digits(text, 5, 2),  digits(text, 8, 2),
                            digits(text, 11, 2), digits(text, 14, 2), digits(text, 17, 2)};
  if (std::ranges::any_of(parts, [](int n) { return n < 0; })) return std::nullopt;
  const std::chrono::year_month_day date(year(parts[0]), month(static_cast<unsigned>(parts[1])),
                                         day(static_cast<unsigned>(parts[2])));
  if (!date.ok()) return std::nullopt;
  double seconds = static_cast<double>(std::chrono::sys_days(date).time_since_epoch().count()) * 86'400 +
                   parts[3] * 3'600 + parts[4] * 60 + parts[5];
  std::string_view rest = text.substr(19);
  if (rest.starts_with('.')) {
    const std::size_t end = std::min(rest.find_first_not_of("0123456789", 1), rest.size());
    double scale = 0.1;
    for (const char c : rest.substr(1, end - 1)) {
      seconds += scale * (c - '0');
      scale /= 10;
    }
    rest.remove_prefix(end);
  }
  if (rest.size() >= 5 && (rest[0] == '+' || rest[0] == '-')) {
    const int hours = digits(rest, 1, 2);
    const int minutes = digits(rest, rest.size() - 2, 2);
    if (hours < 0 || minutes < 0) return std::nullopt;
    seconds -= (rest[0] == '+' ? 1 : -1) * (hours * 3'600 + minutes * 60);
  }
  return seconds * 1e3;
}

struct Entry {
  std::size_t index = 0;
  const Json* request = nullptr;
  const Json* response = nullptr;
  double begins = 0, took = 0;  // ms
  Parts parts = {};
  std::string method = {}, url = {};  // the URL without its query, for remarks
};

class Har {
 public:
  Har(Draft& draft, Cover& cover, const std::string& name) : draft_(draft), cover_(cover), name_(name) {}

  void read(const Json& document) {
    const Json* log = find(&document, "log");
    const Json* entries = find(log, "entries");
    if (entries == nullptr || !entries->is_array()) fail("log.entries", "is no list");
    const std::string version = text(log, "version");
    draft_.source = fmt::format("HAR {}, {} entries", version.empty() ? "without a version" : version,
                                items(entries).size());
    std::vector<Entry> all;
    for (std::size_t i = 0; i < items(entries).size(); ++i) take(all, items(entries)[i], i);
    std::ranges::sort(all, [](const Entry& a, const Entry& b) {
      return std::pair(a.begins, a.index) < std::pair(b.begins, b.index);
    });
    if (all.size() > kMaxSteps) {
      draft_.remarks.push_back(
          fmt::format("{} requests behind the first {}", all.size() - kMaxSteps, kMaxSteps));
      all.resize(kMaxSteps);
    }
    DraftScenario& scenario = draft_.scenario("recorded");
    double ended = 0;
    for (const Entry& entry : all) {
      if (!scenario.steps.empty()) scenario.steps.back().think_ms = pause(entry.begins - ended);
      scenario.steps.push_back(step_of(entry));
      ended = std::max(ended, entry.begins + entry.took);
    }
    if (cookies_ > 0)
      draft_.remarks.push_back(fmt::format("the cookies of {} requests, since they are secrets", cookies_));
    if (pauses_ > 0)
      draft_.remarks.push_back(fmt::format("{} pauses of more than 30 s; they are 30 s", pauses_));
  }

 private:
  [[noreturn]] void fail(std::string_view where, std::string_view what) const {
    throw std::runtime_error(fmt::format("{}: {} {}", name_, where, what));
  }

  void take(std::vector<Entry>& all, const Json& item, std::size_t index) {
    const std::string where = fmt::format("log.entries[{}]", index);
    Entry entry{.index = index, .request = find(&item, "request"), .response = find(&item, "response")};
    entry.method = text(entry.request, "method");
    const std::string url = text(entry.request, "url");
    if (entry.method.empty()) fail(where + ".request.method", "is missing");
    if (url.empty()) fail(where + ".request.url", "is missing");
    const auto begins = time_of(text(&item, "startedDateTime"));
    if (!begins) fail(where + ".startedDateTime", "is no time such as 2026-11-28T10:00:00.000Z");
    entry.begins = *begins;
    entry.took = std::clamp(number(find(&item, "time")).value_or(0), 0.0, 86'400e3);
    entry.url = url.substr(0, std::min(url.find_first_of("?#"), url.find("://") + 40));
    const auto left_out = [&](std::string_view why) {
      draft_.remarks.push_back(
          fmt::format("{} {}: {}", entry.method.substr(0, 16), without_user(entry.url), why));
    };
    const auto parts = parts_of(url);
    if (!parts) return left_out("no URL of http or https");
    entry.parts = *parts;
    const double status = number(find(entry.response, "status")).value_or(0);
    if (status == 101) return left_out("a WebSocket");
    if (status < 100 || status > 599) return left_out("it had no reply");
    const bool plain_method = entry.method.size() <= 16 &&
                              std::ranges::all_of(entry.method, [](char c) { return c >= 'A' && c <= 'Z'; });
    if (!plain_method || entry.method == "CONNECT") return left_out("a method that no step has");
    all.push_back(std::move(entry));
  }

  static std::string without_user(const std::string& url) {
    return looks_secret(url) || url.contains('@') ? url.substr(0, url.find("://")) + "://…" : url;
  }

  std::int64_t pause(double ms) {
    if (ms < kLeastPause) return 0;
    if (ms > kLongestPause) ++pauses_;
    return std::llround(std::min(ms, kLongestPause));
  }

  DraftStep step_of(const Entry& entry) {
    DraftStep step;
    step.target = draft_.target_of(entry.parts.base);
    step.method = entry.method;
    step.path = cover_.target(entry.parts.target);
    std::string type;
    bool cookie = false;
    for (const Json& field : items(find(entry.request, "headers"))) {
      const std::string name = text(&field, "name");
      const std::string value = text(&field, "value");
      const std::string known = lower(name);
      if (known == "content-type") type = lower(value);
      cookie = cookie || known == "cookie";
      if (std::ranges::find(kLeftOut, known) != kLeftOut.end() || known.starts_with("sec-") ||
          known.starts_with(':'))
        continue;
      const bool fits = config::HeaderName::parse(name).has_value() &&
                        std::ranges::none_of(value, [](unsigned char c) { return c < ' ' || c == 0x7f; });
      if (!fits)
        step.remarks.emplace_back("A field that no request can have is not carried.");
      else if (std::ranges::none_of(step.headers, [&](const auto& h) { return lower(h.first) == known; }))
        step.headers.emplace_back(name, cover_.field(name, value));
      else
        step.remarks.push_back(fmt::format("The field {} came more than once; the first is carried.", name));
    }
    cookies_ += cookie ? 1 : 0;
    const Json* data = find(entry.request, "postData");
    if (type.empty()) type = lower(text(data, "mimeType"));
    std::string body = text(data, "text");
    if (body.empty()) body = form_of(data);
    if (!text(data, "encoding").empty() && !body.empty())
      step.remarks.emplace_back("Its body is not carried: it is encoded.");
    else
      give_body(step, draft_, cover_, type, body);
    // What a cache of the browser's asked about is asked for whole here.
    const std::string status = text(entry.response, "status");
    step.expect = status == "304" ? "200" : status;
    return step;
  }

  static std::string form_of(const Json* data) {
    std::string out;
    for (const Json& pair : items(find(data, "params"))) {
      if (find(&pair, "fileName") != nullptr) return "";
      out += (out.empty() ? "" : "&") + as_component(text(&pair, "name")) + "=" +
             as_component(text(&pair, "value"));
    }
    return out;
  }

  Draft& draft_;
  Cover& cover_;
  const std::string& name_;
  std::size_t cookies_ = 0, pauses_ = 0;
};

}  // namespace

void read_har(const Json& document, Draft& draft, Cover& cover, const std::string& name) {
  Har(draft, cover, name).read(document);
}

}  // namespace prove::import
