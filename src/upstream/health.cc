#include "upstream/health.h"

namespace upstream {

void Health::heard(base::OriginOutcome outcome, Says says, base::Mono now) {
  if (says == Says::kNothing) return;
  const std::lock_guard lock(lock_);
  figures_.last = outcome;
  if (says == Says::kWell) {
    ++figures_.well;
    figures_.in_a_row = 0;
    return;
  }
  ++figures_.failed;
  if (figures_.in_a_row++ == 0) figures_.failing_since = now;
}

Health::Figures Health::figures() const {
  const std::lock_guard lock(lock_);
  return figures_;
}

std::shared_ptr<Health> Healths::get(std::string_view name) {
  const std::lock_guard lock(lock_);
  std::erase_if(healths_, [](const auto& one) { return one.second.expired(); });
  std::weak_ptr<Health>& known = healths_[std::string(name)];
  std::shared_ptr<Health> health = known.lock();
  if (!health) known = health = std::make_shared<Health>();
  return health;
}

std::vector<Healths::Named> Healths::figures() const {
  const std::lock_guard lock(lock_);
  std::vector<Named> out;
  for (const auto& [name, known] : healths_)
    if (const auto health = known.lock()) out.push_back({name, health->figures()});
  return out;
}

}  // namespace upstream
