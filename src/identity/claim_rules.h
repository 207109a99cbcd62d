// What must hold for the claims of a token, compiled: `require` of a route or of the admin listener.
//
// Owner:    the snapshot, one for each list of rules.
// Thread:   immutable, so any.
// Lifetime: that of the snapshot. The rules it was made from may go.
// Failure:  none on the data path: what is absent or of another type does not pass. A path that does not
//           parse cannot come from a configuration; the constructor throws std::invalid_argument.
// Standard: RFC 7519 §4.1.3 for `aud`.
//
// The meaning, in full:
// - All rules of the list hold. No rules: nothing is asked.
// - A path goes through objects by name, through arrays by `[0]`, and through all elements by `[*]`. A step
//   through anything else leads nowhere. With `[*]` several places are looked at and one that passes is
//   enough.
// - equals, in: the same type and value. Numbers are compared as numbers, exactly, however they are written:
//   3 and 3.0 are equal, 9007199254740993 and 9007199254740992.0 are not. A text never equals a number.
// - contains: an array has such an element, or a text is it, as issuers write a list of one, `aud` among
//   them. The claims `scope` and `scp` as a text are lists of words (RFC 6749 §3.3), so that
//   `contains: read` is met by "read write" and not by "readers" or "no-read".
// - substring: a text holds that text within it.
// - gt, lt, gte, lte: numbers only.
// - exists: true when something other than null is there; false when nothing is, so it is the opposite of
//   true also with `[*]`.
// - Where nothing is, or null, every other test fails. `not` is the plain opposite of its rule and so passes
//   there: to ask for a claim with another value, ask for `exists` too.
//
// Usage:    if (!route.require.hold(principal)) → 403
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "config/model.h"
#include "identity/principal.h"

namespace identity {

class ClaimRules {
 public:
  explicit ClaimRules(std::span<const config::ClaimRule> rules);
  ClaimRules(ClaimRules&&) noexcept;
  ClaimRules& operator=(ClaimRules&&) noexcept;
  ~ClaimRules();

  bool empty() const { return id_ == 0; }

  // The answer is kept with the principal, so that its JSON is parsed once for these rules, not once a
  // request.
  bool hold(const Principal& principal) const;

  // The same for the same rules within this process, whichever snapshot they stand in; 0: no rules. Keyed, so
  // that nobody can write rules or claims that meet another's number.
  std::uint64_t id() const { return id_; }

 private:
  struct Rule;
  std::vector<Rule> rules_;
  std::uint64_t id_ = 0;
};

}  // namespace identity
