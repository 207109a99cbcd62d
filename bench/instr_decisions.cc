// Cases of what is decided about a request: its route, its token, the cache; and of signing one for an
// origin.
#include <array>
#include <string>
#include <vector>

#include "cache/memory.h"
#include "gateway/render.h"
#include "gateway/router.h"
#include "identity/remembered.h"
#include "identity/testing.h"
#include "identity/verifier.h"
#include "instr.h"
#include "origin/sigv4.h"

namespace instr {
namespace {

// ---- routes

// Every route in turn, with an object behind it, as in src/gateway/router_bench.cc.
template <std::size_t kRoutes>
void route(Run& run) {
  std::vector<std::string> prefixes = {"/"};
  for (std::size_t i = 1; i < kRoutes; ++i)
    prefixes.push_back(i % 2 == 0 ? "/service" + std::to_string(i) + "/"
                                  : "/team" + std::to_string(i % 100) + "/bucket" + std::to_string(i) + "/");
  const gateway::Router router(prefixes);
  std::vector<std::string> paths;
  paths.reserve(prefixes.size());
  for (const std::string& prefix : prefixes) paths.push_back(prefix + "images/2026/11/object.jpg");
  std::size_t i = 0;
  run.each([&] {
    i = (i + 7919) % paths.size();
    auto match = router.match(paths[i]);
    expect(match && match->route == i, "the route is found");
  });
}

// ---- tokens; times as in identity/testing.h

constexpr std::string_view kUsual =
    R"({"iss":"https://id.test","aud":"sekisho","sub":"4f5e6d7c-8b9a-4001-a2b3-c4d5e6f70819","iat":1899999000,)"
    R"("exp":2000000000,"jti":"R1x9Q2mV7bT0aYc3","scope":"read write"})";
constexpr std::string_view kTenClaims =
    R"({"iss":"https://id.test","aud":["account","sekisho"],"sub":"4f5e6d7c-8b9a-4001-a2b3-c4d5e6f70819",)"
    R"("iat":1899999000,"nbf":1899999000,"exp":2000000000,"jti":"R1x9Q2mV7bT0aYc3","scope":"read write admin",)"
    R"("email":"ann@example.com","realm_access":{"roles":["offline_access","uma_authorization","reader"]}})";

// A signature of ECDSA is another one each time it is made, and what it costs to verify differs with it. So
// this one was made once; its private key is not kept.
const std::string kEsKey = R"(-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAECAeFd+KKn3J1mpnUESozo0YOzgFN
LzgZ8iUsnoyfV2fu3MXYEhTXwKm9SegWF9VbIR3TYJFvY9vbyjTtjMXIJg==
-----END PUBLIC KEY-----
)";
constexpr std::string_view kEsToken =
    "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lkLnRlc3QiLCJhdWQiOiJzZWtpc2hvIiwic3V"
    "iIjoiNGY1ZTZkN2MtOGI5YS00MDAxLWEyYjMtYzRkNWU2ZjcwODE5IiwiaWF0IjoxODk5OTk5MDAwLCJleHAiOjIwMDAwMDA"
    "wMDAsImp0aSI6IlIxeDlRMm1WN2JUMGFZYzMiLCJzY29wZSI6InJlYWQgd3JpdGUifQ.OgmMrJ-uEpj9WEyk08Zecn871IWz"
    "NRICcs9fJoSeUxfgzYkuZaDrRDZHl4ioEzW7JwebZoqvsg2KtHrgZSAvtg";

void verify(Run& run, const config::JwtIdentity& rules, std::string_view token) {
  const identity::Verifier verifier(rules);
  run.each([&] { expect(verifier.verify(token, identity::kNow).has_value(), "the token is accepted"); });
}
void hs256_cold(Run& run) {
  verify(run, identity::hs256_rules(), identity::hs256_token(identity::kHsHeader, kUsual));
}
void hs256_cold_ten_claims(Run& run) {
  verify(run, identity::hs256_rules(), identity::hs256_token(identity::kHsHeader, kTenClaims));
}
void es256_cold(Run& run) {
  verify(run, identity::es256_rules(kEsKey), kEsToken);
}

void token_remembered(Run& run) {
  identity::Remembered remembered;
  const identity::Verifiers verifiers({std::make_shared<const identity::Verifier>(identity::hs256_rules())});
  const std::string token = identity::hs256_token(identity::kHsHeader, kUsual);
  remembered.insert(token, *verifiers.verify(token, identity::kNow), identity::kNow);
  run.each([&] {
    expect(remembered.find(verifiers, token, identity::kNow) != nullptr, "the token is remembered");
  });
}

// ---- the cache

constexpr std::size_t kObjects = 1'000;

std::string path_of(std::size_t i) {
  return "/images/2026/11/object-" + std::to_string(i) + ".json";
}
cache::KeyView key_of(std::string_view path, std::span<char> scratch) {
  return *cache::make_key({.origin = cache::OriginId{1}, .path = path}, scratch);
}
base::Ref<const cache::Entry> entry_of(const cache::KeyView& key) {
  static const std::string body(1024, 'b');
  return cache::Entry::make({.key = key,
                             .fields = "Content-Type: application/json\r\nETag: \"0123456789abcdef\"\r\n",
                             .etag = "\"0123456789abcdef\"",
                             .body = {base::Chunk::copy_of(body)},
                             .stored_at = base::mono_now(),
                             .freshness = std::chrono::hours(1)});
}

// The key from its parts, its hash, the entry or none, and letting go of it.
void cache_get(Run& run, std::size_t first, bool there) {
  cache::Memory memory(64 << 20);
  std::array<char, 256> scratch;
  for (std::size_t i = 0; i < kObjects; ++i) memory.put(entry_of(key_of(path_of(i), scratch)));
  std::vector<std::string> paths;
  paths.reserve(kObjects);
  for (std::size_t i = 0; i < kObjects; ++i) paths.push_back(path_of(first + i));
  const base::Mono now = base::mono_now();
  std::size_t i = 0;
  run.each([&] {
    i = (i + 379) % kObjects;
    const auto entry = memory.find(key_of(paths[i], scratch), now);
    expect((entry != nullptr) == there, "the entry is there, or is not");
  });
}
void cache_hit(Run& run) {
  cache_get(run, 0, true);
}
void cache_miss(Run& run) {
  cache_get(run, kObjects, false);
}

// Into a full cache: each new entry evicts one. The entry's own allocation and copy are in it.
void cache_set(Run& run) {
  cache::Memory memory(1 << 20);
  std::array<char, 256> scratch;
  std::size_t i = 10'000'000;
  while (memory.stats().evictions < 2 * kObjects) memory.put(entry_of(key_of(path_of(i++), scratch)));
  run.each([&] { expect(memory.put(entry_of(key_of(path_of(i++), scratch))), "the entry is kept"); });
}

// ---- signatures and heads of our own

void sigv4_sign(Run& run) {
  origin::Signer signer({.access_key_id = "AKIAIOSFODNN7EXAMPLE",
                         .secret_access_key = base::Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
                         .session_token = base::Secret(""),
                         .region = "eu-central-1"});
  base::Wall now = identity::kNow;
  run.each([&] {
    keep(signer.sign({.method = "GET",
                      .host = "photos.s3.eu-central-1.amazonaws.com",
                      .path = "/2026/11/holiday%20in%20Kyoto/IMG_20261104_101533.jpg",
                      .query = "",
                      .now = now}));
    now += base::Nanos(1);
  });
}

// The whole reply to a hit but its status line: our own fields, and the entry with its body of 1 KiB behind
// them.
void compose_hit(Run& run) {
  std::array<char, 256> scratch;
  const auto entry = entry_of(key_of(path_of(1), scratch));
  const auto x = std::make_unique<gateway::Exchange>();
  x->reset();
  x->request_id = "0123456789abcdef0123456789";
  x->cache = gateway::CacheUse::kHit;
  run.each([&] {
    gateway::begin_fields(*x);
    gateway::append_cache_fields(*x, base::Seconds(42), entry->freshness());
    x->out.text().append(entry->tail());
    keep(x->out.text());
  });
  expect(x->out.lines().starts_with("X-Request-Id: ") && x->out.lines().size() > 1024,
         "the reply is composed");
}

constexpr Case kCases[] = {
    {"gateway/route-1", 20'000, route<1>},
    {"gateway/route-10", 20'000, route<10>},
    {"gateway/route-50", 20'000, route<50>},
    {"gateway/route-10000", 20'000, route<10'000>},
    {"gateway/compose-hit", 10'000, compose_hit},
    {"identity/hs256-cold", 1'000, hs256_cold},
    {"identity/hs256-cold-ten-claims", 1'000, hs256_cold_ten_claims},
    {"identity/es256-cold", 20, es256_cold},
    {"identity/token-remembered", 10'000, token_remembered},
    {"origin/sigv4-sign", 1'000, sigv4_sign},
    {"cache/get-hit", 10'000, cache_hit},
    {"cache/get-miss", 10'000, cache_miss},
    {"cache/set-1k", 2'000, cache_set},
};

}  // namespace

std::span<const Case> decision_cases() {
  return kCases;
}

}  // namespace instr
