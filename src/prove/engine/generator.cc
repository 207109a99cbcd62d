#include "prove/engine/generator.h"

#include <sys/prctl.h>
#include <time.h>

#include <algorithm>
#include <functional>

namespace prove {
namespace {

constexpr std::size_t kScratch = 256 << 10;

// The lowest number on top of the heap.
bool later(const User* a, const User* b) {
  return a->number() > b->number();
}

// Of `count` things, those that fall to one generator; with fewer things than generators each has one all the
// same.
std::uint64_t part_of(std::uint64_t count, Share share) {
  return std::max<std::uint64_t>(1, count / share.of + (share.index < count % share.of ? 1 : 0));
}

}  // namespace

Generator::Generator(const Plan& plan, const Timeline& timeline, Share share)
    : plan_(plan),
      timeline_(timeline),
      share_(share),
      books_(plan.campaign, timeline),
      samples_(plan),
      scratch_(kScratch),
      cursors_(plan.data.size(), Cursor{share.index, share.of}),
      random_(plan.campaign.seed + 0x51ed * (share.index + 1)),
      end_(timeline.end()),
      pools_(plan.scenarios.size()),
      scope_(loop_) {
  const Campaign& campaign = plan.campaign;
  for (const Target& target : campaign.targets)
    signers_.push_back(target.access_key_id.empty() ? nullptr : std::make_unique<Signer>(target));
  for (const ProofSpec& proof : campaign.proofs)
    provers_.push_back(std::make_unique<Prover>(plan.tokens.keyrings.at(proof.name)));
  std::vector<bool> open(plan.scenarios.size());
  std::uint64_t most_users = 0;
  for (const Phase& phase : campaign.phases) {
    if (phase.users) most_users = std::max({most_users, phase.users->first, phase.users->second});
    if (phase.rate)
      for (const std::size_t scenario : Mix(campaign, phase).scenarios()) open[scenario] = true;
  }
  for (std::size_t s = 0; s < open.size(); ++s) {
    if (!open[s]) continue;
    const std::uint64_t n = part_of(plan.scenarios[s].scenario->connections, share);
    for (std::uint64_t i = 0; i < n; ++i)
      users_.push_back(std::make_unique<User>(*this, users_.size() * share.of + share.index, s));
  }
  for (std::uint64_t u = share.index; u < most_users; u += share.of)
    users_.push_back(std::make_unique<User>(*this, u, User::kAnyScenario));
}

Generator::~Generator() = default;

void Generator::run(const Clock& clock) {
  clock_ = clock;
  ::prctl(PR_SET_TIMERSLACK, 1);
  for (const auto& user : users_) scope_.spawn(user->run());
  loop_.on_turn([](void* self) { return static_cast<Generator*>(self)->turn(); }, this);
  loop_.run();
}

void Generator::interrupt() {
  loop_.post([this] {
    if (finished_) return;
    over_ = true;
    arrivals_.reset();
    wanted_.reset();
    cut(clock_.now());
  });
}

void Generator::end() {
  loop_.post([this] {
    if (over_) return;
    over_ = true;
    arrivals_.reset();
    wanted_.reset();
    end_ = std::min(end_, clock_.now());
  });
}

void Generator::show_books(const Engine::Wanted& wanted) {
  loop_.post([this, &wanted] { books_.show(wanted, clock_.now()); });
}

// ---- what is due

base::Nanos Generator::turn() {
  if (finished_) return base::Nanos(0);
  const Nanos now = clock_.now();
  waiter_.woke(now);
  if (now < Nanos(0) && !over_) return waiter_.until(Nanos(0), now);
  if (!begun_) {
    begun_ = true;
    books_.begin();
    if (!over_) enter_phase(0);
  }
  while (true) {
    take_arrivals(now);
    if (over_ || now < timeline_.phase_end(phase_)) break;
    enter_phase(phase_ + 1);
  }
  wake_sleepers(now);
  wake_users(now);
  if (now >= books_.next_boundary()) books_.pass(now, gauges());
  end_if_done(now);
  if (finished_) return Nanos(0);
  const Nanos wait = waiter_.until(next_due(now), clock_.now());
  if (!arrivals_ || wait.count() <= 0 || wait > waiter_.together()) return wait;
  // Each reply would be a wake-up of its own, and most of a busy thread's time goes into those. So replies
  // are taken together as sends are: they read late by as much at the most, never early. Only where arrivals
  // set the pace, since users who wait for their replies would slow the load down.
  const timespec rest{.tv_sec = 0, .tv_nsec = wait.count()};
  ::nanosleep(&rest, nullptr);
  return Nanos(0);
}

void Generator::enter_phase(std::size_t phase_number) {
  arrivals_.reset();
  wanted_.reset();
  phase_ = phase_number;
  if (phase_ >= plan_.campaign.phases.size()) {
    over_ = true;
    return;
  }
  mix_.emplace(plan_.campaign, phase());
  if (mix_->empty()) return;
  if (phase().rate)
    arrivals_.emplace(phase(), share_,
                      plan_.campaign.seed + 0x2545f491 * (phase_ * share_.of + share_.index + 1));
  if (phase().users) wanted_.emplace(phase());
}

Nanos Generator::next_due(Nanos now) const {
  Nanos due = books_.next_boundary();
  if (!sleepers_.empty()) due = std::min(due, sleepers_.front().until);
  if (over_) return cut_ ? due : std::min(due, std::max(now, end_ + plan_.campaign.grace));
  const Nanos start = timeline_.phase_start(phase_);
  due = std::min(due, timeline_.phase_end(phase_));
  if (arrivals_ && arrivals_->next() != Nanos::max()) due = std::min(due, start + arrivals_->next());
  if (wanted_ && !resting_.empty()) {
    const Nanos starts = wanted_->starts(resting_.front()->number());
    if (starts != Nanos::max() && start + starts > now) due = std::min(due, start + starts);
  }
  return due;
}

void Generator::take_arrivals(Nanos now) {
  if (!arrivals_) return;
  const Nanos start = timeline_.phase_start(phase_);
  while (arrivals_->next() <= now - start) {
    const Nanos intended = start + arrivals_->next();
    arrivals_->pop();
    books_.arrival(intended, clock_.now() - intended);
    const std::size_t scenario = mix_->pick(random_);
    Pool& pool = pools_[scenario];
    if (!pool.idle.empty()) {
      User& user = *pool.idle.pop();
      start_user(user, scenario, intended);
      user.resume();
    } else if (waiting_ < plan_.campaign.backlog) {
      pool.waiting.push(intended);
      ++waiting_;
    } else {
      overflow(scenario, intended);
    }
  }
}

void Generator::overflow(std::size_t scenario, Nanos intended) {
  for (std::size_t i = 0; i < plan_.scenarios[scenario].steps.size(); ++i) {
    if (const Course* course = plan_.scenarios[scenario].course.get(); course && !course->surely(i, 0))
      continue;
    books_.record({.scenario = scenario,
                   .step = i,
                   .intended = intended,
                   .done = intended,
                   .ending = {Outcome::kSkipped, Reason::kBacklog},
                   .expects_denial = plan_.scenarios[scenario].steps[i].expectation.denial()});
  }
}

void Generator::put_to_sleep(Sleeper sleeper) {
  sleepers_.push_back(sleeper);
  std::ranges::push_heap(sleepers_, std::greater<>());
}

void Generator::wake_sleepers(Nanos now) {
  while (!sleepers_.empty() && sleepers_.front().until <= now) {
    std::ranges::pop_heap(sleepers_, std::greater<>());
    const Sleeper sleeper = sleepers_.back();
    sleepers_.pop_back();
    if (!sleeper.between_journeys) {
      sleeper.user->resume();
    } else if (begin_journey(*sleeper.user, now)) {
      // How late he is says how well thinking is timed; where all begin at once, it says how many they are.
      if (sleeper.user->journeys() > 0) books_.late(sleeper.until, clock_.now() - sleeper.until);
      sleeper.user->resume();
    }
  }
}

void Generator::wake_users(Nanos now) {
  while (wanted_ && !resting_.empty()) {
    const Nanos since = now - timeline_.phase_start(phase_);
    if (resting_.front()->number() >= wanted_->wanted(since)) return;
    std::ranges::pop_heap(resting_, later);
    User& user = *resting_.back();
    resting_.pop_back();
    if (begin_journey(user, now)) user.resume();
  }
}

// ---- for users

void Generator::start_user(User& user, std::size_t scenario, Nanos intended) {
  ++active_;
  user.go(scenario, intended);
}

bool Generator::next_journey(User& user) {
  if (user.on_journey()) {
    --active_;
    user.rest();
  }
  if (!user.open_model()) {
    const Nanos now = clock_.now();
    // Who failed at once would try again at once, and for ever, with nobody else having a turn.
    if (!over_ && (user.free_at() > now || !user.went_well())) {
      put_to_sleep({std::max(user.free_at(), now), &user, true});
      return false;
    }
    return begin_journey(user, now);
  }
  if (cut_) return false;
  Pool& pool = pools_[user.scenario()];
  if (pool.waiting.empty()) {
    pool.idle.push(&user);
    return false;
  }
  --waiting_;
  start_user(user, user.scenario(), pool.waiting.pop());
  return true;
}

// Closed model: the next journey if the user is wanted, else he rests.
bool Generator::begin_journey(User& user, Nanos now) {
  if (over_) return false;
  if (wanted_) {
    const Nanos start = timeline_.phase_start(phase_);
    const Nanos starts = wanted_->starts(user.number());
    if (now < timeline_.phase_end(phase_) && user.number() < wanted_->wanted(now - start)) {
      start_user(user, mix_->pick(user.random()), std::max(user.free_at(), start + starts));
      return true;
    }
  }
  resting_.push_back(&user);
  std::ranges::push_heap(resting_, later);
  return false;
}

// ---- the end

void Generator::end_if_done(Nanos now) {
  if (!over_) return;
  if (!cut_ && now >= end_ + plan_.campaign.grace) cut(now);
  if (active_ == 0 && waiting_ == 0) finish(now);
}

void Generator::cut(Nanos now) {
  cut_ = true;
  for (std::size_t s = 0; s < pools_.size(); ++s) {
    while (!pools_[s].waiting.empty()) {
      Record record{.scenario = s, .intended = pools_[s].waiting.pop(), .done = now};
      record.ending = {Outcome::kTimedOut, Reason::kInFlight};
      for (; record.step < plan_.scenarios[s].steps.size(); ++record.step) {
        if (const Course* course = plan_.scenarios[s].course.get(); course && !course->surely(record.step, 0))
          continue;
        record.expects_denial = plan_.scenarios[s].steps[record.step].expectation.denial();
        books_.record(record);
        record.ending = {Outcome::kSkipped, Reason::kEarlierStep};
      }
    }
  }
  waiting_ = 0;
  for (const auto& user : users_)
    if (user->on_journey()) user->cut();
  for (const Sleeper& sleeper : std::exchange(sleepers_, {}))
    if (!sleeper.between_journeys) sleeper.user->resume();
}

void Generator::finish(Nanos now) {
  books_.close(now, gauges());
  finished_ = true;
  for (const auto& user : users_) user->resume();  // without a journey: he leaves
  loop_.stop();
}

Gauges Generator::gauges() const {
  return {.connections = connections_, .in_flight = active_ - thinking_, .waiting = waiting_};
}

}  // namespace prove
