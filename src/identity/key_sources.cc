#include "identity/key_sources.h"

#include <string>
#include <string_view>

#include "base/siphash.h"
#include "config/address.h"

namespace identity {

namespace {

// An injective rendering: every text is led by its length.
class Print {
 public:
  Print& operator<<(std::string_view text) {
    *this << text.size();
    text_ += text;
    return *this;
  }
  Print& operator<<(std::uint64_t n) {
    text_.append(reinterpret_cast<const char*>(&n), sizeof n);
    return *this;
  }
  std::uint64_t hash() const { return base::siphash(text_); }

 private:
  std::string text_;
};

std::uint64_t fingerprint_of(const config::JwtIdentity& rules) {
  const config::Jwks& jwks = *rules.jwks;
  Print print;
  print << rules.name << rules.issuer << rules.algorithms.size();
  for (const config::Algorithm one : rules.algorithms) print << static_cast<std::uint64_t>(one);
  print << (jwks.url ? config::UrlText::show(*jwks.url) : "");
  for (const auto time : {jwks.min_ttl, jwks.max_ttl, jwks.ttl, jwks.cooldown, jwks.max_stale})
    print << static_cast<std::uint64_t>(time.count());
  print << static_cast<std::uint64_t>(jwks.timeout.count());
  print << std::uint64_t{jwks.tls.verify} << jwks.tls.ca_file << jwks.tls.server_name;
  return print.hash();
}

}  // namespace

std::shared_ptr<KeySource> KeySources::source_for(const config::JwtIdentity& rules) {
  if (!rules.jwks) return nullptr;
  const std::uint64_t fingerprint = fingerprint_of(rules);
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
