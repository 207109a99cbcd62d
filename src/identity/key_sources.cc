#include "identity/key_sources.h"

#include "config/fingerprint.h"

namespace identity {

std::shared_ptr<KeySource> KeySources::source_for(const config::JwtIdentity& rules) {
  if (!rules.jwks) return nullptr;
  const std::uint64_t fingerprint = config::fingerprint(rules, config::Decides::kTransport);
  const std::lock_guard guard(lock_);
  std::erase_if(known_, [](const auto& one) { return one.second.expired(); });
  std::weak_ptr<KeySource>& known = known_[fingerprint];
  if (auto source = known.lock()) return source;
  auto source = std::make_shared<KeySource>(rules, base::mono_now());
  known = source;
  return source;
}

KeySources& key_sources() {
  static KeySources sources;
  return sources;
}

}  // namespace identity
