// When two configurations are one: what the table of keys says that an origin or an identity decides,
// rendered and hashed. ADR 0016 says what belongs to which.
//
// Owner:    none; plain values.
// Thread:   any; pure functions. A few microseconds: for start and reload, not for requests.
// Failure:  none.
//
// Two kinds:
//   - fingerprint(): 64 bits, keyed by this process, over the secrets, too. Tells a reload what it may keep.
//   - answer_id(): 128 bits of SHA-256, the same in every process and never made of a secret. It names what
//     is cached, in memory and one day on disk.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "config/keys.h"
#include "config/model.h"

namespace config {

// An injective rendering: a number has eight bytes, a text its length before it. Wiped when it goes, as
// secrets may be in there.
class Print {
 public:
  Print();
  ~Print();
  Print(const Print&) = delete;
  Print& operator=(const Print&) = delete;

  void add(std::string_view text);
  void add(std::uint64_t n);
  void add(const base::Secret& secret) { add(secret.reveal()); }
  // The rows of a section that decide any of `what`, each led by its name, and of those within it.
  void add(const Section& section, const void* owner, Decides what);

  std::string_view bytes() const { return bytes_; }
  std::uint64_t hash() const;  // keyed by this process

 private:
  std::string bytes_;
};

// Equal for two origins of one name that may share connections and everything else.
std::uint64_t fingerprint(const Origin& origin);

// Who answers, whatever it is called here: two origins have the same exactly when they reply the same to the
// same question, as far as the configuration can say.
struct AnswerId {
  std::uint64_t high = 0, low = 0;
  friend bool operator==(const AnswerId&, const AnswerId&) = default;
};
AnswerId answer_id(const Origin& origin);

// kAnswer: equal when what one has verified is good for the other. kTransport: equal when published keys may
// be shared.
std::uint64_t fingerprint(const JwtIdentity& identity, Decides what);

// Equal when what the one says of a token the other says, too.
std::uint64_t fingerprint(std::span<const ClaimRule> rules);

}  // namespace config
