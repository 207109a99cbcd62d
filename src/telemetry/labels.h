// Label values that become known at run time (routes, origins), as small numbers.
//
// Owner:    the process: routes() and origins() live as long as it, so that series survive a reload.
// Thread:   any; a lock inside. Called when a snapshot is built and when metrics are scraped, never for a
//           request: the snapshot keeps the ids.
// Failures: none; past the bound every further value shares the id kOther. An id is never given back, so the
//           bound is what limits the series of a process, however often it reloads.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace telemetry {

using LabelId = std::uint32_t;

class LabelRegistry {
 public:
  static constexpr LabelId kOther = 0;  // "other": more values than the bound
  static constexpr LabelId kNone = 1;   // "none": no route matched

  // At most `bound` ids, those two included.
  explicit LabelRegistry(std::size_t bound);

  LabelId intern(std::string_view value);
  std::vector<std::string> names() const;  // by id

 private:
  const std::size_t bound_;
  mutable std::mutex mutex_;
  std::vector<std::string> names_;
};

inline constexpr std::size_t kMaxRoutes = 1000;
inline constexpr std::size_t kMaxOrigins = 256;

LabelRegistry& routes();   // by configured path
LabelRegistry& origins();  // by configured name

}  // namespace telemetry
