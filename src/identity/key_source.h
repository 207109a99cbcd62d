// What an issuer publishes: its keys, how old they are, and when to ask for them again. A state machine
// without sockets; gateway::KeyRefresh drives it.
//
// Owner:    shared: every Verifier that reads it, the driver, readiness. KeySources keeps one for each issuer
//           across reloads.
// Thread:   any; a lock inside that is never held across a wait. Requests with a remembered token read
//           epoch() and nothing else; those with a new one take the lock for a copy of a pointer.
// Lifetime: a KeySet lives as long as somebody holds it; callbacks are called once, or dropped with the
//           source.
// Units:    base::Mono for all that is due.
// Failure:  none here: what went wrong with a fetch is kept for readiness, counted and logged once, and the
//           last good keys serve on for `max_stale`.
// Standard: RFC 7517 §5 (JWK Set), OpenID Connect Discovery 1.0 §4, RFC 9111 §5.2.2.1 (max-age).
//
// For the driver:   source.on_wanted([..] { post to my loop });
//                   wait until source.due() or until called;
//                   auto url = source.begin(now);
//                   while (url) url = source.fetched(<the reply of *url>, now);
//
// For a request:    Refused why;
//                   auto principal = verifiers.verify(token, wall, &why);
//                   while (!principal && why.ask && why.ask->want(mono, why.named)) {
//                     co_await gateway::keys_fetched(*why.ask, loop, until);   // want() is soon false
//                     principal = verifiers.verify(token, wall, &why);
//                   }
//
// Asked for again when: three quarters of the keys' time have passed (with jitter, so that instances spread);
// a token names a key that is not there (want(): one fetch at a time; `cooldown` between two such fetches for
// a name that was asked for in vain, kApart for one that was not, so that who makes names up keeps no new key
// from being found; and a single one that follows up on another);
// a fetch has failed (1, 2, 4 … 10 s). The keys' time is max-age of the reply within min_ttl and max_ttl,
// `ttl` where it says nothing.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "config/model.h"

namespace identity {

class VerificationKey;

// Published keys as of one moment. Immutable.
struct KeySet {
  std::vector<std::shared_ptr<const VerificationKey>> keys;
  // Names this set and all later ones that hold its keys. Never the same for two sources of one process.
  std::uint64_t epoch = 0;

  bool trusts(std::uint64_t fingerprint) const;
};

// How a refresh ended; the label `result` of sekisho_jwks_fetches_total.
enum class FetchResult : std::uint8_t {
  kSuccess,
  kUnreachable,     // no connection, no reply in time, or it broke off
  kStatus,          // a reply other than 200; redirects are not followed
  kTooLarge,        // more than kMaxBody bytes
  kMalformed,       // no JSON, no JWK Set, no discovery document
  kIssuerMismatch,  // the discovery document is another issuer's
  kNoUsableKey,     // nothing in the set that verifies by the identity's algorithms
  kCount
};
std::string_view label(FetchResult result);

class KeySource {
 public:
  static constexpr std::size_t kMaxBody = 1 << 20;  // bytes of a reply
  static constexpr base::Seconds kApart{3};         // between two fetches for names that are new to us

  struct Reply {
    bool complete = false;  // false: unreachable, timed out or broken off; `why` says what
    bool too_large = false;
    std::uint16_t status = 0;
    std::string body;
    std::optional<base::Seconds> lifetime{};  // what its Cache-Control says; 0: it is not to be kept
    std::string why;
  };
  struct Figures {  // for readiness and metrics, as of one moment
    std::string name;
    bool ready = false;  // there are keys, and not too old ones
    std::string
        reason;  // what is wrong: why there are none, or why the last fetch failed; "" when nothing is
    std::size_t keys = 0;
    std::size_t skipped = 0;  // of the last set: secrets, keys for encryption, malformed, of other kinds
    std::optional<base::Nanos> age{};  // of the keys; none when there are none
    std::array<std::uint64_t, static_cast<std::size_t>(FetchResult::kCount)> fetches{};
  };

  // Due at once. Throws std::runtime_error with one line where the rules name no place to ask (no url and an
  // issuer that is no URL).
  KeySource(const config::JwtIdentity& rules, base::Mono now);
  ~KeySource();
  KeySource(const KeySource&) = delete;
  KeySource& operator=(const KeySource&) = delete;

  const std::string& name() const { return name_; }  // the identity's
  const config::Jwks& rules() const { return rules_; }
  const std::string& place() const { return place_; }  // the URL that is asked first, for messages

  // ---- for verifiers
  std::shared_ptr<const KeySet> keys() const;  // never null; empty until the first came, and when too old
  // Changes when, and only when, a key that was there is gone.
  const std::atomic<std::uint64_t>& epoch() const { return epoch_; }
  bool trusts(std::uint64_t fingerprint) const { return keys()->trusts(fingerprint); }

  // ---- for requests
  // A token names a key that is not there, or there are none: is it worth to wait for a fetch? True starts
  // one or joins the one under way. After such a wait, ask again: a fetch that was joined may have been
  // answered before the issuer's last change, so that one more is granted. `named`: a keyed hash of the key's
  // name, 0 for a token without one.
  bool want(base::Mono now, std::uint64_t named = 0);
  bool may_want(base::Mono now, std::uint64_t named = 0) const;  // the same answer, without asking
  // Called once, on the driver's thread, after the fetch that is under way or due has ended, however it
  // ended; at once, on this thread, when there is none.
  void on_fetched(std::move_only_function<void()> call);

  // ---- for the driver
  // `wake` is called from any thread, under the lock of the source: it may post to a loop and nothing more.
  // After on_wanted(nullptr) has returned, it is not called any more.
  void on_wanted(std::move_only_function<void()> wake);
  base::Mono due() const;
  // The url to GET (Accept: application/json, no redirects); its path is as written, the query included.
  std::optional<config::Url> begin(base::Mono now);                        // none: nothing is due
  std::optional<config::Url> fetched(const Reply& reply, base::Mono now);  // none: this refresh has ended
  void abandon();  // the driver stops: whoever waits goes on; no failure

  // ---- for readiness and metrics
  Figures figures(base::Mono now) const;

 private:
  enum class Flight : std::uint8_t { kNone, kDiscovery, kKeys };
  struct Sought {  // a name that was waited for
    std::uint64_t named = 0;
    base::Mono at = base::Mono::min();
  };
  using Calls = std::vector<std::move_only_function<void()>>;

  // With the lock held.
  Calls end_flight();
  bool found(std::string_view document, base::Mono now);
  void take(const Reply& reply, base::Mono now);
  void install(std::vector<std::shared_ptr<const VerificationKey>> keys);
  void failed(FetchResult result, std::string why, base::Mono now);
  void drop_stale(base::Mono now);
  base::Mono stale_at() const;
  bool cool(base::Mono now, std::uint64_t named) const;
  void say_what_was_skipped(std::vector<std::string> wrong);

  const std::string name_;
  const std::string issuer_;
  const config::Jwks rules_;
  const std::vector<config::Algorithm> algorithms_;
  const config::Url first_;  // what is asked first: the keys, or the discovery document
  const std::string place_;
  std::atomic<std::uint64_t> epoch_;

  mutable std::mutex lock_;
  std::shared_ptr<const KeySet> keys_;
  Flight flight_ = Flight::kNone;
  std::optional<config::Url> discovered_;  // where the keys are
  base::Mono discovered_until_{};
  base::Mono due_;                       // of the next refresh
  base::Mono fetched_at_{}, expires_{};  // of the keys; without meaning while there are none
  std::optional<base::Mono> wanted_at_;  // the last fetch that a request caused: its end
  std::array<Sought, 256> sought_{};     // each at a place of its own; newer ones take it
  bool wanted_ = false;                  // by a request; the driver has not begun yet
  bool abandoned_ = false;               // nobody drives it any more, so that nothing is worth a wait
  bool demanded_ = false;                // the fetch under way was wanted
  bool joined_ = false;                  // a request waits for a fetch that had begun before it asked
  bool follow_up_ = false;               // for its sake one more is granted, cooldown or not
  bool following_up_ = false;            // that one is wanted, or under way
  unsigned failures_ = 0;                // in a row
  std::string reason_;                   // of the last one
  std::vector<std::string> wrong_;       // what was said of keys that are not used, so that it is said once
  std::size_t skipped_ = 0;
  std::array<std::uint64_t, static_cast<std::size_t>(FetchResult::kCount)> fetches_{};
  Calls waiting_;
  std::move_only_function<void()> wake_;
};

}  // namespace identity
