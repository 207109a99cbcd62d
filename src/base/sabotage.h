// Mistakes that can be switched on, so that it can be shown that campaigns notice them (`make sabotage`).
//
// Owner:    nobody; names that were switched on stay so for the life of the process.
// Thread:   any, once arm() has run in main, before the first thread.
// Failure:  arm() throws one line for a name that is not in the list. A name misspelt in code does not
//           compile, in any build.
//
// Only the preset `sabotage` defines SEKISHO_SABOTAGE. Everywhere else every question is answered `false`
// while compiling, so that neither names nor code reach the binary; scripts/check-sabotage holds every
// release to that. There, SEKISHO_SABOTAGE=name,name in the environment says what is wrong with this process.
// A name becomes an index while compiling, so asking costs the load of one byte.
//
// Usage:    if (!signed_by_us && !sabotage::on("signature-not-checked")) return refuse();
//           if (sabotage::one_in("reply-corrupt", 500)) body.back() ^= 1;
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace sabotage {

struct Row {
  std::string_view mark;  // "sabotage:" and the name: what a search for strings finds
  std::string_view what;
};

inline constexpr std::string_view kMark = "sabotage:";

inline constexpr std::array kRows{
    // who is calling
    Row{"sabotage:signature-not-checked", "A token is believed whoever has signed it."},
    Row{"sabotage:expiry-not-checked", "A token never ends."},
    Row{"sabotage:remembered-past-expiry", "A token that was verified once is believed after its end."},
    Row{"sabotage:audience-not-checked", "A token that was made for somebody else is taken."},
    Row{"sabotage:issuer-not-checked", "A token of another issuer is taken."},
    Row{"sabotage:alg-none-accepted", "A token that says it is not signed is taken."},
    Row{"sabotage:auth-off", "Nobody is asked for a token."},
    Row{"sabotage:authorization-forwarded", "The caller's token goes on to the origin."},
    Row{"sabotage:token-logged", "A token in the query stands in the access log."},
    Row{"sabotage:claims-not-checked", "Any good token opens a route, whatever its claims."},
    Row{"sabotage:withdrawn-key-trusted",
        "A token that was verified once is believed when its issuer has withdrawn the key."},
    Row{"sabotage:forwarded-believed-from-anybody",
        "Whoever sends X-Forwarded-For is taken for the address that it names."},
    // how often
    Row{"sabotage:rates-ignored", "No rate limit is asked."},
    Row{"sabotage:concurrency-ignored", "No limit of requests at a time is asked."},
    Row{"sabotage:failures-ignored", "An address may try tokens for ever."},
    // the cache
    Row{"sabotage:cache-off", "Nothing is ever found in the cache."},
    Row{"sabotage:wrong-object", "One in 100 hits answers with the object of another key."},
    Row{"sabotage:key-ignores-query", "Requests that differ in their query share one object."},
    Row{"sabotage:stale-forever", "What is stored is served after its lifetime."},
    Row{"sabotage:single-flight-off", "Everybody who misses asks the origin."},
    Row{"sabotage:hit-before-identity",
        "What is in the cache is served before anybody is asked for a token."},
    Row{"sabotage:no-store-ignored", "The origin's no-store does not keep a reply out of the cache."},
    Row{"sabotage:origin-error-stored", "An origin's 5xx is stored like a good reply."},
    // replies
    Row{"sabotage:reply-delayed", "Every reply is held back for 20 ms or a little more."},
    Row{"sabotage:cpu-wasted", "Every request costs 8 µs of CPU time more."},
    Row{"sabotage:worker-stuck", "Every 2 s one worker sleeps for 300 ms."},
    Row{"sabotage:reply-corrupt", "One bit is wrong in the body of one in 500 replies."},
    Row{"sabotage:reply-dropped", "One in 300 connections is reset in the middle of a reply."},
    Row{"sabotage:reply-short", "One in 500 replies has a byte less than its Content-Length says."},
    Row{"sabotage:range-off-by-one", "A part of an object begins a byte too early."},
    Row{"sabotage:conditions-ignored", "Who asks whether an object has changed is sent all of it."},
    Row{"sabotage:origin-failure-200", "The failure of an origin is answered with 200."},
    Row{"sabotage:connection-per-request", "Every connection is closed after its first reply."},
    // what is told of it
    Row{"sabotage:metrics-frozen", "/metrics answers what it answered first."},
    Row{"sabotage:hit-counted-as-miss", "A hit counts as a miss."},
    Row{"sabotage:miss-counted-as-hit", "A miss counts as a hit."},
    Row{"sabotage:access-line-lost", "One in 200 requests is missing from the access log."},
    // what it takes
    Row{"sabotage:memory-leak", "Every request leaves 2 KiB behind."},
    Row{"sabotage:descriptor-leak", "One in 50 requests leaves a descriptor open."},
    Row{"sabotage:connection-limit-ignored", "limits.connections bounds nothing."},
    Row{"sabotage:connection-count-leak", "A connection that has ended counts as open."},
    // how it changes and ends
    Row{"sabotage:reload-drops-cache", "A reload empties the cache."},
    Row{"sabotage:reload-ignored", "A reload says that it was done, and nothing has changed."},
    Row{"sabotage:reload-resets-connections", "A reload cuts every connection."},
    Row{"sabotage:reload-opens-door", "After a reload nobody is asked for a token."},
    Row{"sabotage:bad-reload-ends", "A reload of a bad configuration ends the process."},
    Row{"sabotage:drain-cuts-in-flight", "SIGTERM cuts the requests that are under way."},
    Row{"sabotage:drain-keeps-ready", "/ready says yes after SIGTERM."},
    Row{"sabotage:drain-without-delay", "SIGTERM closes the listeners before anybody could go elsewhere."},
    Row{"sabotage:sigterm-ignored", "SIGTERM does nothing."},
    // the harness itself: each is caught by a row of the tables of verdicts (tests/test_prove_sabotage.py)
    Row{"sabotage:prove-failures-are-fast", "A request that failed took as long as it took to fail."},
    Row{"sabotage:prove-time-outs-forgotten", "Requests that timed out are in no figure."},
    Row{"sabotage:prove-retries-not-counted", "What is sent again is counted nowhere."},
    Row{"sabotage:prove-resends-in-silence",
        "What a connection lost is sent again though nobody asked for it."},
    Row{"sabotage:prove-status-not-checked", "Any status is as expected."},
    Row{"sabotage:prove-limits-are-well", "A 429 is as good as a 200."},
    Row{"sabotage:prove-body-not-checked", "Any body is as expected."},
    Row{"sabotage:prove-broken-goal-passes", "A broken guardrail fails nothing."},
    Row{"sabotage:prove-unknown-goal-passes", "What cannot be told is PASS."},
    Row{"sabotage:prove-mishap-passes", "A mishap spoils nothing."},
    Row{"sabotage:prove-rate-counts-failures", "The rate counts every request."},
    Row{"sabotage:prove-failed-is-one-outcome", "`failed` leaves out what was limited or timed out."},
    Row{"sabotage:prove-one-request-shows-all", "A share needs no sample."},
    Row{"sabotage:prove-values-raw", "Values are not encoded in paths."},
    Row{"sabotage:prove-line-breaks-sent", "A value may begin a header line of its own."},
    Row{"sabotage:prove-first-field-only", "Of repeated fields the first is all that counts."},
    Row{"sabotage:prove-unseen-is-zero", "A label value that never was is 0."},
    Row{"sabotage:prove-uploads-are-whole", "Every body was taken by the target."},
    Row{"sabotage:prove-recovers-for-a-second", "A recovery is one good second."},
    Row{"sabotage:prove-ab-drops-failures", "`ab` takes a run that FAILs for one that passes."},
    Row{"sabotage:prove-ab-drops-invalid", "`ab` forgets the runs that are INVALID."},
    Row{"sabotage:prove-ab-fast-failures", "`ab` takes who fails fast for fast."},
    Row{"sabotage:prove-ab-unsure-is-same", "`ab` calls the same what it could not tell apart."},
    Row{"sabotage:prove-keeps-no-sample", "No failed request can be seen."},
    Row{"sabotage:prove-shows-secrets", "Samples show the credentials that they were sent with."},
    Row{"sabotage:prove-family-of-one", "Of a process only its head is measured."},
};

// A name of the list, turned into its place there by the compiler.
class Hook {
 public:
  consteval Hook(const char* name) {  // NOLINT(google-explicit-constructor): hooks read better without
    while (index < kRows.size() && kRows[index].mark.substr(kMark.size()) != name) ++index;
    if (index == kRows.size()) throw "no such sabotage in the list";
  }
  std::size_t index = 0;
};

#ifdef SEKISHO_SABOTAGE

inline constexpr bool kBuilt = true;
inline std::array<bool, kRows.size()> armed{};

inline bool on(Hook hook) {
  return armed[hook.index];
}
bool one_in(Hook hook, unsigned n);          // at random, the same in every run
bool every(Hook hook, base::Millis period);  // once a period, whoever asks first
bool after_first(Hook hook);                 // not the first who asks

#else

inline constexpr bool kBuilt = false;

consteval bool on(Hook) {
  return false;
}
consteval bool one_in(Hook, unsigned) {
  return false;
}
consteval bool every(Hook, base::Millis) {
  return false;
}
consteval bool after_first(Hook) {
  return false;
}

#endif

// Exist in the sabotaged build only: called where a question above was answered with yes.
std::string arm();  // reads the environment; a line that says what is wrong with this process
void leak_memory(std::size_t bytes);
void leak_descriptor();
void sleep(base::Millis time);  // of the whole thread
void burn(base::Nanos time);    // CPU

}  // namespace sabotage
