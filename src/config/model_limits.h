// How much and how often, in the model: limits of requests, rates, places.
//
// Owner, thread, lifetime: as model.h says.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/model_net.h"

namespace config {

struct Rate {  // 100/s, 10/m, 5/10s
  std::uint64_t count = 0;
  base::Nanos per{0};
  // The time one request's token takes to come back.
  base::Nanos interval() const {
    return count == 0 ? base::Nanos(0) : per / static_cast<base::Nanos::rep>(count);
  }
};

enum class RateKey : std::uint8_t { kAddress, kPrincipal, kRoute };

struct RateLimit {  // of `rates`: token buckets, one for each distinct value of `per`
  std::string name;
  int line = 0;
  Rate rate;
  std::uint64_t burst = 0;   // tokens of a full bucket; default: the rate's count
  std::vector<RateKey> per;  // in no order, none twice; empty: one bucket for everybody
  bool shared = false;       // counted in Redis, together with other instances
};

struct Failures {             // of verifications, by address; what admit asks about
  Rate rate{10, Seconds(1)};  // count 0: not limited
  std::uint64_t burst = 50;
};

struct Concurrency {        // requests at a time
  std::uint64_t max = 0;    // beyond it they wait
  std::uint64_t queue = 0;  // this many at most, else 503 at once
  Millis wait{1'000};       // this long at most, else 503
};

enum class RateFields : std::uint8_t { kBoth, kStandard, kOff };  // RateLimit…; and x-ratelimit-…

struct Limits {
  std::uint64_t head = 16 << 10;    // bytes of a request head, else 431
  std::uint64_t target = 8 << 10;   // bytes of a request target, else 414
  std::uint64_t fields = 100;       // header fields, else 431
  std::uint64_t body = 1ULL << 30;  // bytes of a request body, else 413
  std::uint64_t least_rate = 240;   // bytes a second of who sends a body or takes a reply; 0: however few
  Millis least_rate_span{10'000};   // of waiting for it, on the average of which it must hold
  std::uint64_t connections = 0;    // open client connections, else 503; 0: what RLIMIT_NOFILE allows
  std::uint64_t connections_per_address = 0;  // of these; 0: a quarter of them, but 16 at the least
  std::vector<std::string> rates;             // names of `rates` that hold for every route
  Failures failures;
  Millis lag{1'000};                // a request that waited longer for its turn is shed, 503; 0: never
  std::uint64_t memory = 32 << 20;  // bytes of all buckets kept by address or principal
  std::uint64_t ipv6_prefix = 64;   // addresses of one such network share their buckets
  RateFields rate_fields = RateFields::kBoth;  // `headers`: what replies say of the buckets
};

}  // namespace config
