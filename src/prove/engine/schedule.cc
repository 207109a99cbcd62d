#include "prove/engine/schedule.h"

#include <algorithm>
#include <cmath>

#include "prove/model/seconds.h"

namespace prove {
namespace {

Nanos ramp_of(const Phase& phase) {
  return std::min<Nanos>(phase.ramp.value_or(phase.duration), phase.duration);
}

Ramp rate_of(const Phase& phase) {
  const auto [from, to] = phase.rate.value_or(std::pair{0.0, 0.0});
  return {from, to, ramp_of(phase), phase.duration};
}

Ramp users_of(const Phase& phase) {
  const auto [from, to] = phase.users.value_or(std::pair{std::uint64_t{0}, std::uint64_t{0}});
  return {static_cast<double>(from), static_cast<double>(to), ramp_of(phase), phase.duration};
}

}  // namespace

Ramp::Ramp(double from, double to, Nanos ramp, Nanos duration)
    : from_(ramp.count() > 0 ? from : to),
      to_(to),
      ramp_(seconds_of(ramp)),
      at_ramp_end_((from_ + to_) / 2 * ramp_),
      duration_(duration) {}

double Ramp::at(Nanos t) const {
  const double s = seconds_of(t);
  return s >= ramp_ ? to_ : from_ + (to_ - from_) * s / ramp_;
}

double Ramp::integral(Nanos t) const {
  const double s = seconds_of(t);
  if (s >= ramp_) return at_ramp_end_ + to_ * (s - ramp_);
  return from_ * s + (to_ - from_) * s * s / (2 * ramp_);
}

Nanos Ramp::when_integral(double n) const {
  double s = 0;
  if (n > at_ramp_end_ || ramp_ == 0) {
    if (to_ <= 0) return Nanos::max();
    s = ramp_ + (n - at_ramp_end_) / to_;
  } else if (from_ == to_) {
    s = from_ > 0 ? n / from_ : 0;
  } else if (n > 0) {
    // The root of k/2 s² + from s − n that lies in the ramp, in the form that does not lose digits when k is
    // small.
    const double k = (to_ - from_) / ramp_;
    s = 2 * n / (from_ + std::sqrt(std::max(0.0, from_ * from_ + 2 * k * n)));
  }
  const auto at = Nanos(static_cast<Nanos::rep>(std::llround(s * 1e9)));
  return at < duration_ ? at : Nanos::max();
}

Nanos Ramp::when_above(double level) const {
  if (from_ > level) return Nanos(0);
  if (to_ <= level) return Nanos::max();
  const auto at = Nanos(static_cast<Nanos::rep>((level - from_) / (to_ - from_) * ramp_ * 1e9) + 1);
  return at < duration_ ? at : Nanos::max();
}

ArrivalSchedule::ArrivalSchedule(const Phase& phase, Share share, std::uint64_t seed)
    : rate_(rate_of(phase)),
      kind_(phase.arrivals),
      share_(share),
      random_(seed),
      count_(kind_ == Arrivals::kEven ? static_cast<double>(share.index) : random_.exponential()),
      total_(rate_.total()) {
  place();
}

void ArrivalSchedule::pop() {
  if (kind_ == Arrivals::kEven)
    count_ += static_cast<double>(share_.of);
  else
    count_ += random_.exponential();
  place();
}

void ArrivalSchedule::place() {
  const double n = kind_ == Arrivals::kEven ? count_ : count_ * static_cast<double>(share_.of);
  // A total of 10,000 computed as 10,000.0000001 has no arrival of that number.
  next_ = n >= total_ - 1e-6 ? Nanos::max() : rate_.when_integral(n);
}

UserSchedule::UserSchedule(const Phase& phase) : users_(users_of(phase)) {}

std::uint64_t UserSchedule::wanted(Nanos t) const {
  return static_cast<std::uint64_t>(std::ceil(std::max(0.0, users_.at(t))));
}

Mix::Mix(const Campaign& campaign, const Phase& phase) {
  double sum = 0;
  for (std::size_t i = 0; i < campaign.scenarios.size(); ++i) {
    const Scenario& scenario = campaign.scenarios[i];
    const bool named = phase.only.empty() || std::ranges::find(phase.only, scenario.name) != phase.only.end();
    if (!named || scenario.weight <= 0) continue;
    sum += scenario.weight;
    parts_.push_back({i, sum});
  }
}

std::vector<std::size_t> Mix::scenarios() const {
  std::vector<std::size_t> out;
  out.reserve(parts_.size());
  for (const Part& part : parts_) out.push_back(part.scenario);
  return out;
}

}  // namespace prove
