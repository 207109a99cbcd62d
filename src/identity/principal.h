// Who is calling: what a verified token says, kept for as long as it may be believed.
//
// Owner:    every Ref; a worker's Remembered and the exchanges under way share one.
// Thread:   immutable, so any; the count is atomic.
// Lifetime: the last Ref frees it. A reload that retires its Verifier leaves it valid for requests under way.
// Failure:  none.
// Standard: RFC 7519 §4.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstddef>
#include <new>
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

  base::Wall expires = base::Wall::max();      // the claim `exp`; max: the token has none and needs none
  base::Wall usable_from = base::Wall::min();  // `nbf` with the verifier's leeway taken off
  base::Wall usable_until =
      base::Wall::max();  // `exp` with the leeway put on; no longer usable at this instant

  bool usable(base::Wall now) const { return usable_from <= now && now < usable_until; }

  // What logs call the caller. The bytes are the token's: whoever writes them, escapes them.
  std::string_view name() const { return subject.empty() ? issuer : subject; }

  // Sets issuer and subject: views into the payload, or into copies of what its escapes spelt.
  void keep(std::string_view iss, std::string_view sub);

  // All claims, parsed anew at each call: for rules, which are evaluated once a token, not once a request.
  // Include <boost/json/value.hpp> to use it.
  boost::json::value claims() const;

  // Bytes of memory, for bounds.
  std::size_t cost() const;

 private:
  std::string unescaped_;
};

}  // namespace identity
