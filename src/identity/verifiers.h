// What a route accepts: the tokens of one identity, or of several.
//
// Owner:    gateway::Snapshot.
// Thread:   immutable, so any.
// Lifetime: that of its snapshot; principals outlive it.
// Failure:  as Verifier. Of several refusals the one that came furthest is told: "expired" says more than
//           "unknown key".
//
// With several, the `iss` of the token chooses whom to ask: the verifiers of that issuer and those that check
// none, in order. It is read before any signature is checked and decides nothing else.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/ref.h"
#include "identity/principal.h"
#include "identity/verifier.h"

namespace identity {

class Verifiers {
 public:
  explicit Verifiers(std::vector<std::shared_ptr<const Verifier>> accepted);

  // `refused` (may be null) tells of the source of keys that may know the key of a token that was refused;
  // none when asking changes nothing. What to do with it: key_source.h.
  base::Result<base::Ref<const Principal>> verify(std::string_view token, base::Wall now,
                                                  Refused* refused = nullptr) const;

  std::size_t size() const { return accepted_.size(); }
  const Verifier& operator[](std::size_t i) const { return *accepted_[i]; }

  // For Remembered: whose entries count.
  struct Accepted {
    std::uint64_t id;
    const std::atomic<std::uint64_t>* epoch;  // of its published keys
    const Verifier* verifier;
  };
  std::span<const Accepted> accepted() const { return ids_; }

 private:
  std::vector<std::shared_ptr<const Verifier>> accepted_;
  std::vector<Accepted> ids_;
  std::size_t max_token_ = 0;
};

}  // namespace identity
