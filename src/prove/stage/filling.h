// The values of calls outside the load: {{index}}, tokens, and what calls of the setup have captured.
//
// Problem:  an account that the setup made has a number that nobody knew beforehand, and users, later calls
//           and the teardown need it. What the target says of it must not make a line or a field of its own.
// Owner:    Stage.  Thread: keep() that of the setup, before any other asks; then immutable, any.
// Lifetime: campaign and tokens outlive it.
// Failures: std::runtime_error with one line, which shows no value.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "prove/engine/engine.h"
#include "prove/model/model.h"

namespace prove {

class Filling {
 public:
  using Rows = std::vector<std::vector<std::string>>;

  Filling(const Campaign& campaign, const MintedTokens& tokens) : campaign_(campaign), tokens_(tokens) {}

  // The call with its values: those of number `index`, from the first again where there are fewer.
  Call filled(Call call, std::uint64_t index) const;
  // One more row of what `call` captures.
  void keep(const Call& call, std::vector<std::string> row) { rows_[call.fills].push_back(std::move(row)); }
  const std::map<std::string, Rows>& rows() const { return rows_; }  // by data set
  // `text`, a message that may hold some of these values, without those that are secret.
  std::string masked(std::string text) const;

 private:
  std::string value(const std::string& name, std::uint64_t index) const;

  const Campaign& campaign_;
  const MintedTokens& tokens_;
  std::map<std::string, Rows> rows_;
};

}  // namespace prove
