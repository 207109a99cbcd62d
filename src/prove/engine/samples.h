// The requests that went wrong and shall be seen: the first few of each step and reason, secrets masked.
//
// Problem:  "failed 1,204: status" says that something is wrong and not what. But whoever keeps requests
//           keeps memory and time, so nothing is kept or copied of what goes well, and one that goes wrong
//           costs a comparison once its kind is known.
// Owner:    a generator, until the engine takes them.  Thread: the generator's.
// Lifetime: the plan outlives it.
// Memory:   kMost samples of 2 × kBytes at the most, whatever the campaign says.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/sabotage.h"
#include "prove/engine/books.h"
#include "prove/engine/plan.h"
#include "prove/wire/cookie_jar.h"

namespace prove {

class Samples {
 public:
  static constexpr std::size_t kMost = 300;
  static constexpr std::size_t kBytes = 4096;  // of a request, and of a reply

  explicit Samples(const Plan& plan);

  bool wants(const Record& record) const {
    if ((record.ending.met() && !all_) || sabotage::on("prove-keeps-no-sample")) return false;
    return kept_.size() < kMost && counts_[record.scenario][record.step][index(record)] < most_;
  }
  struct Evidence {
    const Wire& wire;
    std::string_view reply;    // the bytes that came first; "": none
    std::string_view trouble;  // what the connection or the parser says
    std::string_view body;     // of the reply, what was kept of it
    std::uint64_t found_beyond;
    std::span<const Captured::value_type> replaced;  // values that were sent, or captured in vain
    std::uint64_t length = 0;                        // of the reply's body
    const CookieJar* jar = nullptr;
  };
  void keep(const Record& record, const Evidence& evidence, const Values& values);

  std::vector<Sample> take() { return std::move(kept_); }
  // Of what several generators have kept, what one would have.
  static std::vector<Sample> first_of(std::vector<Sample> samples, std::uint64_t most);

 private:
  static std::size_t index(const Record& record) { return static_cast<std::size_t>(record.ending.reason); }
  std::vector<std::string> secrets(const Step& step, const Evidence& evidence, const Values& values) const;

  const Plan& plan_;
  const std::uint64_t most_;
  const bool all_;
  std::vector<std::size_t> secret_slots_;
  std::vector<std::vector<std::array<std::uint8_t, kReasonNames.size()>>> counts_;  // by scenario and step
  std::vector<Sample> kept_;
};

}  // namespace prove
