#include "prove/engine/engine.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <stdexcept>
#include <thread>

#include "prove/engine/generator.h"

namespace prove {
namespace {

// From start() to the first arrival: threads are made and users are set up meanwhile.
constexpr base::Nanos kRunUp = Millis(20);

// Each user of the load keeps a connection for each target of his scenario.
void make_room_for_connections(const Plan& plan) {
  constexpr std::uint64_t kOthers = 64;  // descriptors that the process has for other things
  std::uint64_t needed = kOthers, most_users = 0, most_targets = 1;
  for (const PlannedScenario& scenario : plan.scenarios) {
    std::set<std::size_t> targets;
    for (const PlannedStep& step : scenario.steps) targets.insert(step.target);
    needed += scenario.scenario->connections * targets.size();
    most_targets = std::max<std::uint64_t>(most_targets, targets.size());
  }
  bool open = false;
  for (const Phase& phase : plan.campaign.phases) {
    open |= phase.rate.has_value();
    if (phase.users) most_users = std::max({most_users, phase.users->first, phase.users->second});
  }
  needed = (open ? needed : kOthers) + most_users * most_targets;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed) return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, std::max<rlim_t>(needed, limit.rlim_cur));
  ::setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < needed)
    throw std::runtime_error(
        fmt::format("{}: its connections need {} descriptors and the limit is {} (ulimit -n)",
                    plan.campaign.file, needed, limit.rlim_max));
}

void add(IntervalPart& sum, const IntervalPart& part) {
  Interval& row = sum.row;
  row.at = std::max(row.at, part.row.at);
  row.seconds = std::max(row.seconds, part.row.seconds);
  for (std::size_t i = 0; i < kOutcomes; ++i) row.outcomes[i] += part.row.outcomes[i];
  row.unmet = row.unmet.value_or(0) + part.row.unmet.value_or(0);
  row.offered += part.row.offered;
  row.bytes += part.row.bytes;
  row.connections += part.row.connections;
  row.in_flight += part.row.in_flight;
  row.waiting += part.row.waiting;
  row.busy = std::max(row.busy, part.row.busy);
  sum.response.add(part.response);
  sum.service.add(part.service);
}

using Buckets = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

void add(Buckets& mine, const Buckets& theirs) {
  for (std::size_t b = 0; b < mine.size(); ++b) {
    mine[b].first += theirs[b].first;
    mine[b].second += theirs[b].second;
  }
}

void fill_percentiles(IntervalPart& part) {
  part.row.p50 = part.response.percentile(50);
  part.row.p90 = part.response.percentile(90);
  part.row.p95 = part.response.percentile(95);
  part.row.p99 = part.response.percentile(99);
  part.row.max = part.response.max();
  part.row.service_p99 = part.service.percentile(99);
}

}  // namespace

struct Engine::Impl {
  Impl(const Campaign& campaign, const Timeline& timeline, const MintedTokens& tokens)
      : plan(campaign, tokens) {
    make_room_for_connections(plan);
    const std::uint64_t n = std::max<std::uint64_t>(1, campaign.generators);
    for (std::uint64_t g = 0; g < n; ++g)
      generators.push_back(std::make_unique<Generator>(plan, timeline, Share{g, n}));
  }

  Plan plan;
  Clock clock;
  std::vector<std::unique_ptr<Generator>> generators;
  std::vector<std::thread> threads;
  Wanted wanted;
  std::vector<std::vector<SegmentStats>> known;  // of each generator, what its books have shown so far
};

Engine::Engine(const Campaign& campaign, const Timeline& timeline, const MintedTokens& tokens)
    : impl_(std::make_unique<Impl>(campaign, timeline, tokens)) {}

Engine::~Engine() {
  interrupt();
  for (std::thread& thread : impl_->threads) thread.join();
}

void Engine::start() {
  impl_->clock.began = base::mono_now() + kRunUp;
  for (auto& generator : impl_->generators)
    impl_->threads.emplace_back([this, &generator] { generator->run(impl_->clock); });
}

base::Mono Engine::began() const {
  return impl_->clock.began;
}

std::vector<IntervalPart> Engine::take_intervals() {
  std::size_t common = ~std::size_t{0};
  std::size_t most = 0;
  for (auto& generator : impl_->generators) {
    const bool closed = generator->books().closed();  // asked first: what is closed grows no more
    const std::size_t ready = generator->books().ready_intervals();
    if (!closed) common = std::min(common, ready);
    most = std::max(most, ready);
  }
  const std::size_t n = std::min(common, most);
  std::vector<IntervalPart> sums(n);
  for (auto& generator : impl_->generators) {
    std::vector<IntervalPart> parts = generator->books().take_intervals(n);
    for (std::size_t i = 0; i < parts.size(); ++i) add(sums[i], parts[i]);
  }
  for (IntervalPart& sum : sums) fill_percentiles(sum);
  return sums;
}

void Engine::interrupt() {
  for (auto& generator : impl_->generators) generator->interrupt();
}

void Engine::end() {
  for (auto& generator : impl_->generators) generator->end();
}

void Engine::want_books(Wanted wanted) {
  impl_->wanted = std::move(wanted);
}

void Engine::ask_books() {
  for (auto& generator : impl_->generators) generator->show_books(impl_->wanted);
}

std::optional<Engine::Seen> Engine::take_books() {
  for (auto& generator : impl_->generators)
    if (!generator->books().has_shown()) return std::nullopt;
  Seen sum;
  impl_->known.resize(impl_->generators.size());
  for (std::size_t g = 0; g < impl_->generators.size(); ++g) {
    Seen one = impl_->generators[g]->books().take_shown();
    std::vector<SegmentStats>& known = impl_->known[g];
    known.resize(one.segments.size());
    sum.segments.resize(one.segments.size());
    sum.at = std::max(sum.at, one.at);
    for (std::size_t i = 0; i < known.size(); ++i) {
      if (!one.segments[i].steps.empty()) known[i] = std::move(one.segments[i]);
      sum.segments[i].add(known[i]);
    }
  }
  return sum;
}

bool Engine::done() const {
  return std::ranges::all_of(impl_->generators, [](auto& generator) { return generator->books().closed(); });
}

Engine::Books Engine::finish() {
  for (std::thread& thread : impl_->threads) thread.join();
  impl_->threads.clear();
  Books sum;
  std::uint64_t unconnected = 0;
  std::vector<Sample> samples;
  for (auto& generator : impl_->generators) {
    Books part = generator->books().take();
    unconnected += generator->unconnected();
    std::ranges::move(generator->samples().take(), std::back_inserter(samples));
    if (sum.segments.empty()) {
      sum = std::move(part);
      continue;
    }
    for (std::size_t i = 0; i < sum.segments.size(); ++i) sum.segments[i].add(part.segments[i]);
    for (std::size_t i = 0; i < sum.aftermaths.size(); ++i) {
      add(sum.aftermaths[i].good_bad, part.aftermaths[i].good_bad);
      for (std::size_t g = 0; g < sum.aftermaths[i].goals.size(); ++g)
        add(sum.aftermaths[i].goals[g].within_beyond, part.aftermaths[i].goals[g].within_beyond);
    }
  }
  sum.unconnected = unconnected;
  sum.samples = Samples::first_of(std::move(samples), impl_->plan.campaign.samples);
  return sum;
}

}  // namespace prove
