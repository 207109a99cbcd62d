#include "prove/engine/books.h"

#include <algorithm>
#include <utility>

#include "base/sabotage.h"
#include "prove/engine/cpu_clock.h"
#include "prove/model/seconds.h"

namespace prove {
namespace {

constexpr Nanos kBucket = Millis(100);

double percent(Nanos of, Nanos whole) {
  return whole.count() > 0 ? 100.0 * static_cast<double>(of.count()) / static_cast<double>(whole.count()) : 0;
}

void count_upload(Uploads& uploads, const Record& record) {
  ++uploads.bodies;
  uploads.bytes += record.body;
  uploads.sent += record.body_sent;
  if (record.body_sent == record.body)
    ++uploads.whole;
  else if (record.status != 0)
    ++uploads.overtaken;
}

// Of one that was answered.
Nanos latency_of(const Record& record, Measure::Clock clock) {
  if (clock == Measure::Clock::kService) return record.done - record.sent;
  return (clock == Measure::Clock::kFirstByte ? record.first_byte : record.done) - record.intended;
}

StepStats part_of(const StepStats& all, const Engine::Wanted& wanted) {
  StepStats part;
  for (std::size_t i = 0; i < kOutcomes; ++i) {
    const OutcomeStats& from = all.outcomes[i];
    OutcomeStats& to = part.outcomes[i];
    to.count = from.count;
    to.bytes = from.bytes;
    if (wanted.response) to.response.add(from.response);
    if (wanted.service) to.service.add(from.service);
    if (wanted.first_byte) to.first_byte.add(from.first_byte);
  }
  part.reasons = all.reasons;
  part.statuses = all.statuses;
  part.expected_denials = all.expected_denials;
  part.retries = all.retries;
  part.uploads = all.uploads;
  return part;
}

}  // namespace

Books::Books(const Campaign& campaign, const Timeline& timeline) : campaign_(campaign), timeline_(timeline) {
  pages_.resize(timeline.segments().size());
  for (Page& page : pages_) {
    page.cells.resize(campaign.scenarios.size());
    for (std::size_t s = 0; s < page.cells.size(); ++s)
      page.cells[s].resize(campaign.scenarios[s].steps.size());
    page.totals.busy.assign(1, 0);
    page.totals.waited.assign(1, 0);
  }
  for (const Span& span : timeline.spans()) {
    if (!span.fault) continue;
    Aftermath aftermath;
    aftermath.fault = span.name;
    const Nanos left = std::max(Nanos(0), timeline.end() - span.to);
    aftermath.good_bad.resize(
        std::min(Aftermath::kBuckets, static_cast<std::size_t>((left + kBucket - Nanos(1)) / kBucket)));
    After after{span.to, recovery_goals(campaign, timeline, span)};
    for (const RecoveryGoal& goal : after.goals)
      aftermath.goals.push_back(
          {goal.check, std::vector<std::pair<std::uint32_t, std::uint32_t>>(aftermath.good_bad.size())});
    aftermaths_.push_back(std::move(aftermath));
    after_.push_back(std::move(after));
  }
  interval_to_ = campaign.interval;
  next();
}

void Books::begin() {
  interval_cpu_ = segment_cpu_ = cpu_of_thread();
  segment_wait_ = wait_of_thread();
}

Books::Page& Books::page(Nanos intended) {
  const Segment& last = timeline_.segments()[page_];
  if (intended < last.from || intended >= last.to) page_ = timeline_.segment_at(intended);
  return pages_[page_];
}

void Books::arrival(Nanos intended, Nanos lag) {
  SegmentStats& totals = page(intended).totals;
  ++totals.offered;
  totals.lag.record(lag);
  ++part_.row.offered;
}

void Books::late(Nanos intended, Nanos lag) {
  page(intended).totals.lag.record(lag);
}

void Books::sent(Nanos intended, Nanos at) {
  Page& page = this->page(intended);
  if (at < timeline_.phase_end(timeline_.segments()[page_].phase)) ++page.totals.sent;
}

void Books::retried(Nanos intended, std::size_t scenario, std::size_t step) {
  if (sabotage::on("prove-retries-not-counted")) return;
  ++page(intended).cells[scenario][step].stats.retries;
}

void Books::redirected(Nanos intended, std::size_t scenario, std::size_t step) {
  ++page(intended).cells[scenario][step].stats.redirects;
}

void Books::left_out(Nanos intended, std::size_t scenario, std::size_t step) {
  ++page(intended).cells[scenario][step].stats.left_out;
}

void Books::record(const Record& record) {
  if (record.ending.outcome == Outcome::kTimedOut && sabotage::on("prove-time-outs-forgotten")) return;
  Cell& cell = page(record.intended).cells[record.scenario][record.step];
  const auto which = static_cast<std::size_t>(record.ending.outcome);
  OutcomeStats& outcome = cell.stats.outcomes[which];
  ++outcome.count;
  ++part_.row.outcomes[which];
  part_.row.unmet = part_.row.unmet.value_or(0) + (record.ending.met() ? 0 : 1);
  ++cell.stats.reasons[static_cast<std::size_t>(record.ending.reason)];
  if (record.expects_denial) ++cell.stats.expected_denials;
  if (!aftermaths_.empty()) count_aftermath(record);
  if (record.ending.outcome == Outcome::kSkipped) return;

  if (record.body > 0) count_upload(cell.stats.uploads, record);
  outcome.bytes += record.bytes;
  part_.row.bytes += record.bytes;
  if (record.status != 0) {
    if (record.status != cell.status || !cell.count) {
      cell.status = record.status;
      cell.count = &cell.stats.statuses[record.status];
    }
    ++*cell.count;
  }
  const Nanos response = record.done - record.intended;
  outcome.response.record(response);
  part_.response.record(response);
  if (record.sent != kNever) {
    outcome.service.record(record.done - record.sent);
    part_.service.record(record.done - record.sent);
  }
  if (record.first_byte != kNever) outcome.first_byte.record(record.first_byte - record.intended);
}

void Books::count_aftermath(const Record& record) {
  const bool met = record.ending.met();
  for (std::size_t i = 0; i < after_.size(); ++i) {
    if (record.intended < after_[i].from) continue;
    Aftermath& aftermath = aftermaths_[i];
    const auto bucket = static_cast<std::size_t>((record.intended - after_[i].from) / kBucket);
    if (bucket >= aftermath.good_bad.size()) continue;
    ++(met ? aftermath.good_bad[bucket].first : aftermath.good_bad[bucket].second);
    for (std::size_t g = 0; g < after_[i].goals.size(); ++g) {
      const RecoveryGoal& goal = after_[i].goals[g];
      if (goal.of_met && !met) continue;
      if (!goal.is_about(campaign_.scenarios[record.scenario], record.step)) continue;
      const bool within = met && latency_of(record, goal.clock) <= goal.limit;
      auto& counts = aftermath.goals[g].within_beyond[bucket];
      ++(within ? counts.first : counts.second);
    }
  }
}

// ---- boundaries

void Books::next() {
  boundary_ = interval_to_;
  if (segment_ < pages_.size()) boundary_ = std::min(boundary_, timeline_.segments()[segment_].to);
}

void Books::pass(Nanos now, Gauges gauges) {
  while (segment_ < pages_.size() && now >= timeline_.segments()[segment_].to) end_segment(now);
  if (now >= interval_to_) end_interval(now, gauges);
  next();
}

void Books::end_segment(Nanos now) {
  const Nanos cpu = cpu_of_thread();
  pages_[segment_].totals.busy.front() = percent(cpu - segment_cpu_, now - segment_from_);
  const Nanos wait = wait_of_thread();
  pages_[segment_].totals.waited.front() = percent(wait - segment_wait_, now - segment_from_);
  segment_wait_ = wait;
  segment_cpu_ = cpu;
  segment_from_ = now;
  ++segment_;
}

void Books::end_interval(Nanos now, Gauges gauges) {
  const Nanos cpu = cpu_of_thread();
  Interval& row = part_.row;
  row.at = seconds_of(interval_to_);
  row.seconds = seconds_of(interval_to_ - interval_from_);
  row.connections = gauges.connections;
  row.in_flight = gauges.in_flight;
  row.waiting = gauges.waiting;
  row.busy = percent(cpu - interval_cpu_, now - interval_from_);
  interval_cpu_ = cpu;
  interval_from_ = interval_to_;
  interval_to_ += campaign_.interval;
  std::lock_guard lock(lock_);
  done_.push_back(std::exchange(part_, {}));
}

void Books::close(Nanos now, Gauges gauges) {
  if (segment_ < pages_.size()) end_segment(now);
  constexpr Nanos kSliver =
      Millis(1);  // of a run whose end is an interval's: no row unless something ended in it
  if (now - interval_from_ > kSliver || part_.response.count() > 0) {
    interval_to_ = std::max(now, interval_from_ + Nanos(1));
    end_interval(now, gauges);
  }
  std::lock_guard lock(lock_);
  closed_ = true;
}

// ---- for the engine

// A copy, since a segment goes on to grow while others look at it.
void Books::show(const Engine::Wanted& wanted, Nanos now) {
  Engine::Seen seen;
  seen.at = now;
  seen.segments.resize(pages_.size());
  for (std::size_t i = 0; i < pages_.size(); ++i) {
    Page& page = pages_[i];
    std::uint64_t requests = 0;
    for (const auto& scenario : page.cells)
      for (const Cell& cell : scenario)
        for (const OutcomeStats& outcome : cell.stats.outcomes) requests += outcome.count;
    if (!wanted.segments[i] || requests == std::exchange(page.shown, requests)) continue;
    SegmentStats& out = seen.segments[i];
    out.add(page.totals);
    if (i == segment_) {  // it is not over, and has no figures of these yet
      out.busy.front() = percent(cpu_of_thread() - segment_cpu_, now - segment_from_);
      out.waited.front() = percent(wait_of_thread() - segment_wait_, now - segment_from_);
    }
    out.steps.resize(page.cells.size());
    for (std::size_t s = 0; s < page.cells.size(); ++s)
      for (const Cell& cell : page.cells[s]) out.steps[s].push_back(part_of(cell.stats, wanted));
  }
  std::lock_guard lock(lock_);
  shown_ = std::move(seen);
}

bool Books::has_shown() {
  std::lock_guard lock(lock_);
  return shown_.has_value();
}

Engine::Seen Books::take_shown() {
  std::lock_guard lock(lock_);
  return std::exchange(shown_, std::nullopt).value_or(Engine::Seen{});
}

std::size_t Books::ready_intervals() {
  std::lock_guard lock(lock_);
  return done_.size();
}

bool Books::closed() {
  std::lock_guard lock(lock_);
  return closed_;
}

std::vector<IntervalPart> Books::take_intervals(std::size_t most) {
  std::lock_guard lock(lock_);
  std::vector<IntervalPart> out;
  while (!done_.empty() && out.size() < most) {
    out.push_back(std::move(done_.front()));
    done_.pop_front();
  }
  return out;
}

Engine::Books Books::take() {
  Engine::Books out;
  out.segments.reserve(pages_.size());
  for (Page& page : pages_) {
    SegmentStats segment = std::move(page.totals);
    segment.steps.reserve(page.cells.size());
    for (auto& scenario : page.cells) {
      auto& steps = segment.steps.emplace_back();
      steps.reserve(scenario.size());
      for (Cell& cell : scenario) steps.push_back(std::move(cell.stats));
    }
    page.cells.clear();  // there may be a great many
    out.segments.push_back(std::move(segment));
  }
  out.aftermaths = std::move(aftermaths_);
  return out;
}

}  // namespace prove
