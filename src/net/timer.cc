#include "net/timer.h"

#include <algorithm>

namespace net {

void Wheel::link(Timer& timer) {
  timer.unlink();
  // Beyond one turn of the wheel a timer is parked in the farthest slot and linked again from there.
  timer.linked_at_ = std::min(timer.due_, tick_ + kSlots - 1);
  earliest_ = std::min(earliest_, timer.linked_at_);
  Timer& head = slots_[timer.linked_at_ % kSlots];
  timer.prev_ = head.prev_;
  timer.next_ = &head;
  head.prev_->next_ = &timer;
  head.prev_ = &timer;
}

void Wheel::advance(base::Mono now) {
  const std::uint64_t target = tick_of(now);
  // After a long stall every slot is visited once, not once per tick missed.
  if (target > tick_ + kSlots) tick_ = target - kSlots;
  while (tick_ < target) {
    ++tick_;
    Timer& head = slots_[tick_ % kSlots];
    // The list is taken off first: what a firing timer links anew lands elsewhere or waits for its turn.
    Timer due;
    if (head.next_ == &head) continue;
    due.next_ = head.next_;
    due.prev_ = head.prev_;
    due.next_->prev_ = due.prev_->next_ = &due;
    head.next_ = head.prev_ = &head;
    while (due.next_ != &due) {
      Timer& timer = *due.next_;
      timer.unlink();
      if (timer.due_ == Timer::kNever) continue;
      if (timer.due_ > tick_) {
        link(timer);
        continue;
      }
      timer.due_ = Timer::kNever;
      timer.fire_(timer);
    }
  }
}

int Wheel::wait_ms(base::Mono now) {
  for (std::uint64_t tick = std::max(earliest_, tick_ + 1); tick <= tick_ + kSlots; ++tick) {
    const Timer& head = slots_[tick % kSlots];
    if (head.next_ == &head) continue;
    earliest_ = tick;
    const base::Mono at(kTick * static_cast<base::Nanos::rep>(tick));
    if (at <= now) return 0;
    return static_cast<int>(std::chrono::ceil<base::Millis>(at - now).count());
  }
  earliest_ = ~std::uint64_t{0};
  return -1;
}

}  // namespace net
