// The sources of published keys that are in use, so that a reload which leaves an issuer alone keeps its
// keys.
//
// Owner:    the process (key_sources()); tests make their own.
// Thread:   any; a lock inside. Called when a snapshot is built.
// Lifetime: a source lives as long as somebody holds it, here is only how to find it again.
// Failure:  source_for() throws std::runtime_error with one line, as KeySource does.
//
// Usage:    auto source = identity::key_sources().source_for(rules);        // null: publishes nothing
//           auto verifier = std::make_shared<const identity::Verifier>(rules, source);
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "config/model.h"
#include "identity/key_source.h"

namespace identity {

class KeySources {
 public:
  std::shared_ptr<KeySource> source_for(const config::JwtIdentity& rules);

 private:
  std::mutex lock_;
  std::map<std::uint64_t, std::weak_ptr<KeySource>> known_;  // by config::fingerprint()
};

KeySources& key_sources();  // of the process

}  // namespace identity
