// Where the values of a scenario's templates come from: rows of data, minted tokens, functions, and what is
// built in.
//
// Owner:    the plan of a run, one for each scenario.
// Thread:   immutable after construction, any; Values, Random and Cursors belong to the caller's generator.
// Lifetime: data sets and tokens outlive it.
//
// All are chosen when a journey begins and stay for all its steps, so that what one step stores another can
// ask for. Only what the scenario names is chosen: a sequence goes on for whom it is used by.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "prove/engine/data.h"
#include "prove/engine/engine.h"
#include "prove/model/function.h"

namespace prove {

class Sources {
 public:
  Sources(const Campaign& campaign, const Scenario& scenario, const std::vector<Dataset>& data,
          const MintedTokens& tokens);

  bool any() const { return !data_.empty() || !tokens_.empty() || !made_.empty() || !built_in_.empty(); }

  struct Who {
    std::uint64_t user = 0, iteration = 0;
  };
  // `cursors`: one for each data set of the campaign.
  void fill(Values& values, Random& random, std::vector<Cursor>& cursors, Who who) const;

 private:
  enum class BuiltIn : std::uint8_t { kIteration, kUser, kUuid, kRandom, kNow };
  template <class T>
  struct From {
    std::size_t slot;
    T source;
  };

  const std::vector<Dataset>* all_data_;
  std::vector<std::size_t> data_;  // indices of data sets
  std::vector<From<const std::vector<std::string>*>> tokens_;
  std::vector<From<Function>> made_;
  std::vector<From<BuiltIn>> built_in_;
};

}  // namespace prove
