#include "prove/stage/observer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "prove/model/seconds.h"
#include "prove/wire/call.h"
#include "prove/wire/scrape.h"

namespace prove {
namespace {

constexpr base::Millis kPatience{2'000};
// Of all targets. A page whose labels are never the same twice would fill the memory, and keep() looks
// through them.
constexpr std::size_t kMostSeries = 5'000;

constexpr base::Millis kPrompt{
    250};  // a scrape that took longer was answered at its end rather than its beginning
constexpr base::Nanos::rep kMostSamples = 10'000;  // in a long run they lie further apart

// When to sample: each interval, and each boundary of the timeline but its beginning.
std::vector<base::Nanos> sample_times(const Timeline& timeline, base::Nanos interval) {
  interval = std::max(interval, timeline.end() / kMostSamples);
  std::vector<base::Nanos> times;
  for (base::Nanos at = interval; at < timeline.end(); at += interval) times.push_back(at);
  for (const Segment& segment : timeline.segments()) times.push_back(segment.to);
  std::ranges::sort(times);
  times.erase(std::ranges::unique(times).begin(), times.end());
  return times;
}

}  // namespace

Observer::Observer(const Campaign& campaign, const Timeline& timeline, std::set<std::string> families,
                   PidOf pid_of)
    : campaign_(campaign), timeline_(timeline), families_(std::move(families)), pid_of_(std::move(pid_of)) {}

void Observer::sample_before() {
  sample({});
}

void Observer::start(base::Mono began, base::Nanos interval) {
  thread_ = std::thread([this, began, interval] { run(began, interval); });
}

void Observer::run(base::Mono began, base::Nanos interval) {
  const std::vector<base::Nanos> times = sample_times(timeline_, interval);
  for (std::size_t i = 0; i < times.size(); ++i) {
    const base::Nanos at = times[i];
    // Of what a slow target let pass only the last is made up for: many samples of one moment tell nothing.
    if (i + 1 < times.size() && base::mono_now() >= began + times[i + 1]) continue;
    {
      std::unique_lock lock(lock_);
      while (!ending_ && base::mono_now() < began + at) wake_.wait_for(lock, began + at - base::mono_now());
      if (ending_) break;
    }
    sample(began);
  }
  std::unique_lock lock(lock_);
  wake_.wait(lock, [this] { return ending_; });
  lock.unlock();
  sample(began);
}

std::vector<Series> Observer::finish() {
  if (thread_.joinable()) {
    {
      std::lock_guard lock(lock_);
      ending_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }
  return std::move(series_);
}

void Observer::sample(std::optional<base::Mono> began) {
  const auto now = [&] { return began ? seconds_of(base::mono_now() - *began) : 0; };
  for (const Target& target : campaign_.targets) {
    if (!target.metrics.empty()) {
      try {
        double at = now();
        const CallReply reply = get(target.metrics, kPatience, target.tls, target.metrics_headers);
        if (const double end = now(); end - at > seconds_of(kPrompt)) at = end;
        auto page = parse_metrics(reply.body, families_);
        // One that brings too many is a gap from then on, and not a part of the truth.
        if (reply.status == 200 && page && page->size() <= kMostSeries && series_.size() <= kMostSeries) {
          for (Scraped& one : *page)
            keep(target.name, one.name, std::move(one.labels), one.counter, {at, one.value});
        }
      } catch (const std::runtime_error&) {  // NOLINT(bugprone-empty-catch)
        // A gap: the target may be down on purpose.
      }
    }
    const pid_t pid = pid_of_(target);
    if (pid == 0) continue;
    const Family::Figures figures = families_of_[target.name].read(pid);
    if (figures.processes == 0) continue;  // gone, or not yet itself
    const double at = now();
    keep(target.name, "process_rss_bytes", {}, false, {at, static_cast<double>(figures.resident_bytes)});
    keep(target.name, "process_cpu_seconds", {}, true, {at, figures.cpu_seconds});
    keep(target.name, "process_open_fds", {}, false, {at, static_cast<double>(figures.open_fds)});
    keep(target.name, "process_threads", {}, false, {at, static_cast<double>(figures.threads)});
    keep(target.name, "process_count", {}, false, {at, static_cast<double>(figures.processes)});
  }
}

void Observer::keep(const std::string& target, const std::string& name,
                    std::map<std::string, std::string> labels, bool counter, Point point) {
  std::lock_guard lock(lock_);
  const auto known = std::ranges::find_if(
      series_, [&](const Series& s) { return s.name == name && s.target == target && s.labels == labels; });
  if (known != series_.end())
    known->points.push_back(point);
  else
    series_.push_back({target, name, std::move(labels), counter, {point}});
}

double Observer::latest(const std::string& name) const {
  std::lock_guard lock(lock_);
  double sum = std::numeric_limits<double>::quiet_NaN();
  for (const Series& s : series_)
    if (s.name == name) sum = (std::isnan(sum) ? 0 : sum) + s.points.back().value;
  return sum;
}

}  // namespace prove
