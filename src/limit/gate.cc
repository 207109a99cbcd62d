#include "limit/gate.h"

namespace limit {

using base::Code;

struct Gate::Waiter : base::Shared<Waiter> {
  explicit Waiter(net::Loop& l) : loop(l), event(l) {}

  // The waiter has been granted its slot: tells its loop. Without the gate's lock.
  void tell() {
    if (&loop == net::Loop::current()) return event.set();
    loop.post([self = base::Ref<Waiter>(this)] { self->event.set(); });
  }

  net::Loop& loop;
  net::Event event;      // of its loop's thread
  bool granted = false;  // this and the list: under the gate's lock
  Waiter* before = nullptr;
  Waiter* after = nullptr;
};

void Slot::give_back() {
  std::exchange(gate_, nullptr)->leave();
}

Gate::Gate(const config::Concurrency& rules) : rules_(rules) {}

std::shared_ptr<Gate> Gate::make(const config::Concurrency& rules) {
  return std::shared_ptr<Gate>(new Gate(rules));
}

std::optional<Slot> Gate::try_enter() {
  {
    const std::lock_guard lock(lock_);
    if (first_ || stats_.in_use >= rules_.max) return std::nullopt;
    ++stats_.in_use;
    ++stats_.entered;
  }
  return Slot(shared_from_this());
}

net::Task<base::Result<Slot>> Gate::enter(net::Loop& loop, net::Cancel* cancel) {
  const std::shared_ptr<Gate> self = shared_from_this();
  const base::Ref<Waiter> waiter =
      base::make_ref<Waiter>(loop);  // here, since nothing is allocated under the lock
  base::Mono deadline;
  switch (join(*waiter, deadline)) {
    case Joined::kEntered:
      co_return Slot(self);
    case Joined::kFull:
      co_return base::fail(Code::kConcurrency, "too many requests at a time, and the queue is full");
    case Joined::kQueued:
      break;
  }
  {
    const net::CancelLink link(cancel, waiter->event);
    co_await waiter->event.wait(deadline);
  }
  waiter->event.disarm();  // the message of who granted it may be under way still and outlive this
  const bool gone = cancel && cancel->requested();
  Slot slot = granted(*waiter, gone) ? Slot(self) : Slot();
  if (gone) co_return base::fail(Code::kClientGone, "the client has left");
  if (!slot)
    co_return base::fail(Code::kConcurrency, "too many requests at a time, and no place came free in time");
  co_return slot;
}

Gate::Joined Gate::join(Waiter& waiter, base::Mono& deadline) {
  const std::lock_guard lock(lock_);
  if (!first_ && stats_.in_use < rules_.max) {  // left since the caller tried
    ++stats_.in_use;
    ++stats_.entered;
    return Joined::kEntered;
  }
  if (stats_.queued >= rules_.queue) {
    ++stats_.refused;
    return Joined::kFull;
  }
  waiter.before = last_;
  (last_ ? last_->after : first_) = &waiter;
  last_ = &waiter;
  ++stats_.queued;
  deadline = waiter.loop.now() + rules_.wait;
  return Joined::kQueued;
}

// What became of a waiter that woke, by whatever: it has the slot, or it is out of the queue now.
bool Gate::granted(Waiter& waiter, bool gone) {
  const std::lock_guard lock(lock_);
  if (waiter.granted) return true;
  unlink(waiter);
  ++(gone ? stats_.left : stats_.timed_out);
  return false;
}

void Gate::unlink(Waiter& waiter) {
  (waiter.before ? waiter.before->after : first_) = waiter.after;
  (waiter.after ? waiter.after->before : last_) = waiter.before;
  --stats_.queued;
}

base::Ref<Gate::Waiter> Gate::admit_next() {
  if (!first_ || stats_.in_use >= rules_.max) return nullptr;
  base::Ref<Waiter> waiter(first_);
  unlink(*waiter);
  waiter->granted = true;
  ++stats_.in_use;
  ++stats_.entered;
  ++stats_.waited;
  return waiter;
}

void Gate::leave() {
  base::Ref<Waiter> next;
  {
    const std::lock_guard lock(lock_);
    --stats_.in_use;
    next = admit_next();
  }
  if (next) next->tell();
}

void Gate::configure(const config::Concurrency& rules) {
  {
    const std::lock_guard lock(lock_);
    rules_ = rules;
  }
  while (true) {
    base::Ref<Waiter> next;
    {
      const std::lock_guard lock(lock_);
      next = admit_next();
    }
    if (!next) return;
    next->tell();
  }
}

GateStats Gate::stats() const {
  const std::lock_guard lock(lock_);
  GateStats out = stats_;
  out.max = rules_.max;
  return out;
}

std::shared_ptr<Gate> Gates::get(Of of, std::string_view name, const config::Concurrency& rules) {
  const std::lock_guard lock(lock_);
  std::erase_if(gates_, [](const auto& one) { return one.second.expired(); });
  std::weak_ptr<Gate>& known = gates_[{of, std::string(name)}];
  std::shared_ptr<Gate> gate = known.lock();
  if (!gate) known = gate = Gate::make(rules);
  return gate;
}

std::vector<Gates::Named> Gates::stats() const {
  const std::lock_guard lock(lock_);
  std::vector<Named> out;
  for (const auto& [key, known] : gates_)
    if (const auto gate = known.lock()) out.push_back({key.first, key.second, gate->stats()});
  return out;
}

}  // namespace limit
