// How an origin has fared of late, as requests met it: one figure for the whole process.
//
// Owner:    Healths: the process. Health: shared by the snapshots that name it, so that a reload forgets
//           nothing.
// Thread:   any; a spin lock for a few stores, on misses and passes only.
// Failure:  none.
//
// A worker that has just been refused knows something that the others do not: so all of them tell the same
// Health, and whoever chooses, waits or gives up by it (readiness and metrics today) sees all of it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error_table.h"
#include "base/spin.h"

namespace upstream {

// What a call says of its origin. A client that left, a place that did not come free, or a limit of ours say
// nothing.
enum class Says : std::uint8_t { kWell, kFailed, kNothing };

class Health {
 public:
  struct Figures {
    std::uint64_t well = 0, failed = 0;  // calls since the start
    std::uint64_t in_a_row = 0;          // failures; 0: the last call went well, or there was none
    base::OriginOutcome last = base::OriginOutcome::kReply;  // of those that said something
    base::Mono failing_since{};                              // with in_a_row, its first
  };

  void heard(base::OriginOutcome outcome, Says says, base::Mono now);
  Figures figures() const;

 private:
  mutable base::SpinLock lock_;
  Figures figures_;
};

// All healths, found again by the origin's name when a snapshot is built.
class Healths {
 public:
  std::shared_ptr<Health> get(std::string_view name);

  struct Named {
    std::string name;
    Health::Figures figures;
  };
  std::vector<Named> figures() const;  // of those in use, by name

 private:
  mutable std::mutex lock_;
  std::map<std::string, std::weak_ptr<Health>, std::less<>> healths_;
};

}  // namespace upstream
