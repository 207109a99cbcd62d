// Who is calling: what a verified token says, kept for as long as it may be believed.
//
// Owner:    every Ref; a worker's Remembered and the exchanges under way share one.
// Thread:   the worker's that verified it: what verdict() remembers is not guarded. All else is immutable and
//           the count is atomic, so another thread may hold and read it.
// Lifetime: the last Ref frees it. A reload that retires its Verifier leaves it valid for requests under way.
// Failure:  none.
// Standard: RFC 7519 §4.
#pragma once

#include <array>
#include <boost/json/fwd.hpp>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/ref.h"

namespace identity {

struct Principal : base::Shared<Principal> {
  Principal() = default;
  Principal(const Principal&) = delete;  // the views below point into the object
  Principal& operator=(const Principal&) = delete;

  // With room for a payload behind it, in one block; `fill` writes the payload there.
  template <class Fill>
  static base::Ref<Principal> make(std::size_t payload_size, Fill fill) {
    base::Ref<Principal> made(new (::operator new(sizeof(Principal) + payload_size)) Principal());
    char* const bytes = reinterpret_cast<char*>(made.get() + 1);
    fill(bytes);
    made->payload = {bytes, payload_size};
    return made;
  }
  // The block is larger than the type, so the compiler's sized delete would be told a wrong size.
  static void operator delete(void* p) { ::operator delete(p); }

  std::string_view
      payload;  // the JSON object that was signed, byte for byte: strict, without duplicate members
  std::string_view issuer;   // "" when the token names none
  std::string_view subject;  // "" when the token names none
  // Who acts for the subject: `act.sub` (RFC 8693 §4.1), else `azp` (OpenID Connect Core §2), else
  // `client_id` (RFC 9068 §2.2); "" when the token names none in a string. For the audit log; nothing is
  // decided by it.
  std::string_view agent;

  base::Wall expires = base::Wall::max();      // the claim `exp`; max: the token has none and needs none
  base::Wall usable_from = base::Wall::min();  // `nbf` with the verifier's leeway taken off
  base::Wall usable_until =
      base::Wall::max();  // `exp` with the leeway put on; no longer usable at this instant

  // By whom and by what it was verified, so that it can be forgotten with its key.
  std::uint64_t verifier = 0;  // Verifier::id()
  std::uint64_t key = 0;       // VerificationKey::fingerprint()
  std::uint64_t epoch = 0;     // of the published keys at that time; 0: the verifier has none

  bool usable(base::Wall now) const { return usable_from <= now && now < usable_until; }

  // What logs call the caller. The bytes are the token's: whoever writes them, escapes them.
  std::string_view name() const { return subject.empty() ? issuer : subject; }

  // Sets issuer, subject and agent: views into the payload, or into copies of what its escapes spelt.
  void keep(std::string_view iss, std::string_view sub, std::string_view acts);

  // What rules of a route said of these claims, so that they are evaluated once a token and not once a
  // request: the answers to the last few sets of rules, by an id that is never 0.
  std::optional<bool> verdict(std::uint64_t rules) const {
    for (const Verdict& one : verdicts_)
      if (one.rules == rules) return one.passes;
    return std::nullopt;
  }
  void remember_verdict(std::uint64_t rules, bool passes) const {
    verdicts_[next_verdict_] = {rules, passes};
    next_verdict_ = (next_verdict_ + 1) % verdicts_.size();
  }

  std::string actor() const;  // `act.sub`, "" when there is none; parsed anew at each call, as are claims

  // All claims, parsed anew at each call.
  // Include <boost/json/value.hpp> to use it.
  boost::json::value claims() const;

  // Bytes of memory, for bounds.
  std::size_t cost() const;

 private:
  struct Verdict {
    std::uint64_t rules = 0;
    bool passes = false;
  };

  std::string unescaped_;
  mutable std::array<Verdict, 4> verdicts_{};
  mutable std::size_t next_verdict_ = 0;
};

}  // namespace identity
