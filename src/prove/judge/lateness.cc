#include "prove/judge/lateness.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "prove/judge/bounds.h"

namespace prove {
namespace {

constexpr std::array kShares = {0.0,  50.0, 75.0, 90.0,  95.0,  98.0, 99.0,
                                99.5, 99.8, 99.9, 99.95, 99.99, 100.0};
constexpr double kTwice = 2;  // once when it was taken up, once when its reply was read

}  // namespace

Lateness::Lateness(const Total& total, const Validity& validity, std::uint64_t users)
    : lag_(total.lag),
      requests_(std::max(1.0, static_cast<double>(total.requests()))),
      seconds_(total.seconds),
      users_(static_cast<double>(users)) {
  bursts_ = seconds_of(lag_.percentile(99)) > seconds_of(validity.send_lag);
  most_ = kTwice * seconds_of(lag_.max());
  mean_ = bursts_ ? most_ : kTwice * seconds_of(lag_.mean());
  busy_ = total.busy > validity.busy;
  if (users == 0) return;
  boundless_ = busy_;
  const double alone = total.waited / 100 * total.seconds;
  waited_ = alone * users_;
  most_ += alone;
  mean_ += waited_ / requests_;
}

std::uint64_t Lateness::unheard(std::uint64_t timed_out, double timeout) const {
  constexpr double kOwn = 0.1;
  if (busy_) return timed_out;
  return std::min(timed_out,
                  static_cast<std::uint64_t>(std::ceil(share_beyond(kOwn * timeout) * requests_ - 1e-9)));
}

std::vector<double> Lateness::steps() const {
  if (bursts_ && waited_ <= 0) return {most_};
  std::vector<double> delays = {0, most_};
  if (!bursts_)
    for (const double percent : kShares) delays.push_back(kTwice * seconds_of(lag_.percentile(percent)));
  double delay = waited_ / requests_;
  while (delay > 0 && delay < most_) {
    delays.push_back(delay);
    delay *= 2;
  }
  return delays;
}

double Lateness::share_beyond(double delay) const {
  if (delay >= most_) return 0;
  double share = 0;
  if (bursts_ && delay < kTwice * seconds_of(lag_.max())) return 1;
  if (lag_.count() > 0)
    for (const double percent : kShares)
      if (kTwice * seconds_of(lag_.percentile(percent)) <= delay) share = kTwice * (1 - percent / 100);
  if (lag_.count() > 0 && kTwice * seconds_of(lag_.min()) > delay) share = 1;
  if (waited_ > 0) share += delay > 0 ? waited_ / (requests_ * delay) : 1;
  return std::min(1.0, share);
}

}  // namespace prove
