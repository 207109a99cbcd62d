#include "net/descriptors.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "telemetry/oplog.h"

namespace net {

namespace {
constexpr std::array<std::string_view, static_cast<std::size_t>(Descriptors::For::kCount)> kLabels{
    "pipe", "kept", "client", "request"};
constexpr base::Nanos kPause = base::Millis(100);
}  // namespace

Descriptors& descriptors() {
  static Descriptors of_the_process;
  return of_the_process;
}

void Descriptors::limit(std::uint64_t all) {
  const std::uint64_t kept_back = std::min(std::clamp<std::uint64_t>(all / 8, 64, 4096), all / 2);
  const std::uint64_t most = all - kept_back;
  most_waiting_.store(kept_back / 2, std::memory_order_relaxed);
  const std::array<std::uint64_t, kKinds> bounds{most / 2, most / 4 * 3, most - most / 8, most};
  for (std::size_t i = 0; i < kKinds; ++i) bounds_[i].store(bounds[i], std::memory_order_relaxed);
}

void Descriptors::refuse(For what) {
  refused_[static_cast<std::size_t>(what)].add();
  if (what != For::kPipe) scarce();
}

void Descriptors::scarce() {
  const std::int64_t now = base::mono_now().time_since_epoch().count();
  std::int64_t last = told_.load(std::memory_order_relaxed);
  if (last != 0 && now - last < kPause.count()) return;
  if (!told_.compare_exchange_strong(last, now, std::memory_order_relaxed)) return;
  telemetry::log::warn("descriptors are scarce: idle connections to origins are closed",
                       {{"used", used_.load(std::memory_order_relaxed)}, {"limit", bound(For::kRequest)}});
  const std::lock_guard guard(lock_);
  if (call_) call_();
}

void Descriptors::on_scarce(std::function<void()> call) {
  const std::lock_guard guard(lock_);
  call_ = std::move(call);
}

void Descriptors::expose(telemetry::Page& page) const {
  page.single("sekisho_descriptors_used", "gauge",
              "Descriptors that are counted: sockets, pipes, files of replies.",
              used_.load(std::memory_order_relaxed));
  page.single("sekisho_descriptors_limit", "gauge", "How many of these requests may use.",
              bound(For::kRequest));
  page.family(
      "sekisho_descriptors_refused_total", "counter",
      "Times that there was none: for a pipe (the body was copied), for an idle connection to an origin "
      "(it was closed), for a client, for a request (503, or no second attempt to connect).");
  for (std::size_t i = 0; i < kKinds; ++i) page.sample({{"for", kLabels[i]}}, refused_[i].read());
}

}  // namespace net
