#include "identity/key_source.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "base/siphash.h"
#include "config/address.h"
#include "identity/jwks.h"
#include "identity/verification_key.h"
#include "telemetry/oplog.h"

namespace identity {

namespace log = telemetry::log;

namespace {

constexpr base::Seconds kFirstRetry{1};
constexpr base::Seconds kLastRetry{10};
constexpr base::Seconds kShortestTtl{
    1};  // an issuer that allows no keeping at all is still not asked in a loop

std::uint64_t next_epoch() {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

config::Url first_place(const config::JwtIdentity& rules) {
  if (!rules.jwks) throw std::runtime_error("publishes no keys");
  if (rules.jwks->url) {
    config::Url url = *rules.jwks->url;
    if (url.path.empty()) url.path = "/";
    return url;
  }
  auto url = discovery_url(rules.issuer);
  if (!url) throw std::runtime_error("the issuer, which says where to find its keys, " + url.error());
  return *url;
}

// Up to a tenth sooner, so that instances which began together do not ask together.
base::Nanos ahead_of(base::Nanos ttl) {
  std::uint16_t random;
  base::random_bytes(&random, sizeof random);
  const base::Nanos most = ttl * 3 / 4;
  return most - most / 10 / 0xffff * random;  // in this order: the product of a month would overflow
}

base::Nanos retry_after(unsigned failures) {
  return std::min(kLastRetry, kFirstRetry * (1 << std::min(failures - 1, 4U)));
}

}  // namespace

std::string_view label(FetchResult result) {
  constexpr std::array<std::string_view, static_cast<std::size_t>(FetchResult::kCount)> kLabels{
      "success", "unreachable", "status", "too_large", "malformed", "issuer_mismatch", "no_usable_key"};
  return kLabels[static_cast<std::size_t>(result)];
}

bool KeySet::trusts(std::uint64_t fingerprint) const {
  return std::ranges::any_of(keys, [&](const auto& key) { return key->fingerprint() == fingerprint; });
}

KeySource::KeySource(const config::JwtIdentity& rules, base::Mono now)
    : name_(rules.name),
      issuer_(rules.issuer),
      rules_(rules.jwks.value_or(config::Jwks{})),
      algorithms_(rules.algorithms),
      first_(first_place(rules)),
      place_(config::UrlText::show(first_)),
      epoch_(next_epoch()),
      keys_(std::make_shared<const KeySet>(KeySet{{}, epoch_.load()})),
      due_(now) {}

KeySource::~KeySource() = default;

std::shared_ptr<const KeySet> KeySource::keys() const {
  const std::lock_guard guard(lock_);
  return keys_;
}

// ---- requests

// Whether enough time has passed since the last fetch that a request caused.
bool KeySource::cool(base::Mono now, std::uint64_t named) const {
  if (!wanted_at_) return true;
  const Sought& last = sought_[named % sought_.size()];
  const bool in_vain = last.named == named && now < last.at + rules_.cooldown;
  return now >= *wanted_at_ + (in_vain ? rules_.cooldown : std::min(rules_.cooldown, kApart));
}

bool KeySource::may_want(base::Mono now, std::uint64_t named) const {
  const std::lock_guard guard(lock_);
  return !abandoned_ && (flight_ != Flight::kNone || wanted_ || follow_up_ || cool(now, named));
}

bool KeySource::want(base::Mono now, std::uint64_t named) {
  const std::lock_guard guard(lock_);
  if (abandoned_) return false;
  if (flight_ != Flight::kNone) {
    joined_ = true;
  } else if (!wanted_) {
    if (!cool(now, named)) {
      if (!std::exchange(follow_up_, false)) return false;
      following_up_ = true;
    }
    wanted_at_ = now;
    wanted_ = true;
    if (wake_) wake_();
  }
  sought_[named % sought_.size()] = {named, now};
  return true;
}

void KeySource::on_fetched(std::move_only_function<void()> call) {
  {
    const std::lock_guard guard(lock_);
    if (flight_ != Flight::kNone || wanted_) {
      waiting_.push_back(std::move(call));
      return;
    }
  }
  call();
}

// ---- the driver

void KeySource::on_wanted(std::move_only_function<void()> wake) {
  const std::lock_guard guard(lock_);
  wake_ = std::move(wake);
  if (wake_) abandoned_ = false;
}

base::Mono KeySource::stale_at() const {
  if (keys_->keys.empty() || rules_.max_stale.count() == 0) return base::Mono::max();
  return expires_ + rules_.max_stale;
}

base::Mono KeySource::due() const {
  const std::lock_guard guard(lock_);
  if (flight_ != Flight::kNone) return base::Mono::max();
  return wanted_ ? base::Mono::min() : std::min(due_, stale_at());
}

std::optional<config::Url> KeySource::begin(base::Mono now) {
  const std::lock_guard guard(lock_);
  drop_stale(now);
  if (flight_ != Flight::kNone || (!wanted_ && now < due_)) return std::nullopt;
  demanded_ = std::exchange(wanted_, false);
  joined_ = false;
  if (discovered_ && now >= discovered_until_) discovered_.reset();
  flight_ = rules_.url || discovered_ ? Flight::kKeys : Flight::kDiscovery;
  return discovered_ ? *discovered_ : first_;
}

std::optional<config::Url> KeySource::fetched(const Reply& reply, base::Mono now) {
  Calls calls;
  {
    const std::lock_guard guard(lock_);
    if (flight_ == Flight::kNone) return std::nullopt;  // abandoned meanwhile
    if (!reply.complete) {
      failed(FetchResult::kUnreachable, reply.why, now);
    } else if (reply.too_large) {
      failed(FetchResult::kTooLarge, "its reply is larger than " + std::to_string(kMaxBody) + " bytes", now);
    } else if (reply.status != 200) {
      failed(FetchResult::kStatus, "it answered with status " + std::to_string(reply.status), now);
    } else if (flight_ == Flight::kKeys) {
      take(reply, now);
    } else if (found(reply.body, now)) {
      flight_ = Flight::kKeys;
      return discovered_;
    }
    // Counted from here, or a request could go on asking an issuer that takes longer to answer than this.
    if (demanded_) wanted_at_ = now;
    calls = end_flight();
  }
  for (auto& call : calls) call();
  return std::nullopt;
}

void KeySource::abandon() {
  Calls calls;
  {
    const std::lock_guard guard(lock_);
    wanted_ = false;
    abandoned_ = true;
    calls = end_flight();
  }
  for (auto& call : calls) call();
}

KeySource::Calls KeySource::end_flight() {
  flight_ = Flight::kNone;
  // A fetch that failed is no reason for another.
  follow_up_ = joined_ && failures_ == 0 && !following_up_;
  following_up_ = false;
  joined_ = false;
  return std::exchange(waiting_, {});
}

bool KeySource::found(std::string_view document, base::Mono now) {
  auto url = parse_discovery(document, issuer_);
  if (!url) {
    failed(url.error().issuer_mismatch ? FetchResult::kIssuerMismatch : FetchResult::kMalformed,
           "its reply " + url.error().why, now);
    return false;
  }
  discovered_ = *std::move(url);
  discovered_until_ = now + rules_.max_ttl;
  return true;
}

void KeySource::take(const Reply& reply, base::Mono now) {
  auto published = parse_jwks(reply.body, algorithms_);
  if (!published) return failed(FetchResult::kMalformed, "its reply " + published.error(), now);
  say_what_was_skipped(std::move(published->wrong));
  skipped_ = published->skipped;
  if (published->keys.empty())
    return failed(FetchResult::kNoUsableKey, "its reply has no key for the identity's algorithms", now);

  ++fetches_[static_cast<std::size_t>(FetchResult::kSuccess)];
  if (failures_ > 0) log::info("the keys of an issuer can be fetched again", {{"identity", name_}});
  failures_ = 0;
  reason_.clear();
  base::Nanos ttl = reply.lifetime ? std::clamp(*reply.lifetime, rules_.min_ttl, rules_.max_ttl) : rules_.ttl;
  ttl = std::max<base::Nanos>(ttl, kShortestTtl);
  fetched_at_ = now;
  expires_ = now + ttl;
  due_ = now + ahead_of(ttl);
  install(std::move(published->keys));
}

void KeySource::install(std::vector<std::shared_ptr<const VerificationKey>> keys) {
  auto next = std::make_shared<KeySet>(KeySet{std::move(keys), keys_->epoch});
  const auto missing_in = [](const KeySet& set) {
    return [&set](const auto& key) { return !set.trusts(key->fingerprint()); };
  };
  const auto removed = std::ranges::count_if(keys_->keys, missing_in(*next));
  const auto added = std::ranges::count_if(next->keys, missing_in(*keys_));
  if (removed > 0) next->epoch = next_epoch();
  const std::uint64_t epoch = next->epoch;
  keys_ = std::move(next);
  epoch_.store(epoch, std::memory_order_release);  // whoever sees it finds the keys that go with it
  if (removed > 0 || added > 0)
    log::info("the keys of an issuer have changed",
              {{"identity", name_}, {"keys", keys_->keys.size()}, {"added", added}, {"removed", removed}});
}

void KeySource::failed(FetchResult result, std::string why, base::Mono now) {
  ++fetches_[static_cast<std::size_t>(result)];
  ++failures_;
  due_ = now + retry_after(failures_);
  discovered_.reset();  // perhaps they have moved
  if (failures_ == 1 || why != reason_)
    log::warn("the keys of an issuer cannot be fetched",
              {{"identity", name_}, {"url", place_}, {"reason", why}, {"keys", keys_->keys.size()}});
  reason_ = std::move(why);
  drop_stale(now);
}

void KeySource::drop_stale(base::Mono now) {
  if (now < stale_at()) return;
  log::warn("the keys of an issuer are too old and are no longer used",
            {{"identity", name_}, {"age_seconds", (now - fetched_at_) / base::Seconds(1)}});
  install({});
}

void KeySource::say_what_was_skipped(std::vector<std::string> wrong) {
  if (wrong == wrong_) return;
  wrong_ = std::move(wrong);
  for (const std::string& what : wrong_)
    log::warn("a published key is not used", {{"identity", name_}, {"reason", what}});
}

// ---- readiness and metrics

KeySource::Figures KeySource::figures(base::Mono now) const {
  const std::lock_guard guard(lock_);
  Figures out{.name = name_,
              .ready = !keys_->keys.empty(),
              .reason = reason_,
              .keys = keys_->keys.size(),
              .skipped = skipped_,
              .fetches = fetches_};
  if (out.ready) out.age = now - fetched_at_;
  if (!out.ready && out.reason.empty()) out.reason = "its keys have not been fetched yet";
  return out;
}

}  // namespace identity
