#include "telemetry/labels.h"

#include <algorithm>

namespace telemetry {

LabelRegistry::LabelRegistry(std::size_t bound) : bound_(bound), names_{"other", "none"} {}

LabelId LabelRegistry::intern(std::string_view value) {
  const std::lock_guard lock(mutex_);
  const auto known = std::ranges::find(names_, value);
  if (known != names_.end()) return static_cast<LabelId>(known - names_.begin());
  if (names_.size() >= bound_) return kOther;
  names_.emplace_back(value);
  return static_cast<LabelId>(names_.size() - 1);
}

std::vector<std::string> LabelRegistry::names() const {
  const std::lock_guard lock(mutex_);
  return names_;
}

LabelRegistry& routes() {
  static LabelRegistry registry(kMaxRoutes);
  return registry;
}

LabelRegistry& origins() {
  static LabelRegistry registry(kMaxOrigins);
  return registry;
}

}  // namespace telemetry
