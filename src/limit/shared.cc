#include "limit/shared.h"

#include <openssl/evp.h>

#include <cassert>
#include <charconv>
#include <cstring>
#include <new>

#include "telemetry/oplog.h"

namespace limit {

namespace {

namespace log = telemetry::log;

// GCRA for `n` tokens at once, of which it grants as many as there are. Microseconds of Redis' clock; the
// stored time has a resolution of a quarter of one. The debt is cut to the window, so that a smaller limit,
// or a clock that was set back, holds from the next draw on.
constexpr std::string_view kScript = R"(
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, window, n = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full_at = tonumber(redis.call('GET', KEYS[1]) or now) or now
local debt = math.min(math.max(full_at - now, 0), window)
local granted = math.min(n, math.floor((window - debt) / interval + 0.000001))
if granted > 0 then
  debt = debt + granted * interval
  redis.call('SET', KEYS[1], string.format('%.2f', now + debt), 'PX', math.ceil(debt / 1000))
end
return {granted, math.ceil(debt)}
)";

void append_hex(std::span<const unsigned char> bytes, std::string& out) {
  for (const unsigned char c : bytes) {
    out += "0123456789abcdef"[c >> 4];
    out += "0123456789abcdef"[c & 15];
  }
}

const std::string& script_name() {  // as EVALSHA wants it
  static const std::string name = [] {
    unsigned char digest[EVP_MAX_MD_SIZE];
    std::size_t size = 0;
    if (EVP_Q_digest(nullptr, "SHA1", nullptr, kScript.data(), kScript.size(), digest, &size) != 1)
      std::abort();
    std::string out;
    append_hex({digest, size}, out);
    return out;
  }();
  return name;
}

std::string_view write(std::array<char, 40>& out, std::int64_t nanos) {  // as microseconds
  const auto [end, error] = std::to_chars(out.data(), out.data() + out.size(),
                                          static_cast<double>(nanos) / 1000, std::chars_format::fixed, 3);
  return {out.data(), end};
}

}  // namespace

// What a caller is called in Redis: nobody who reads the keys there finds out who it is without guessing
// right.
class SharedLink::Digest {
 public:
  Digest() : method_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), context_(EVP_MD_CTX_new()) {
    if (!method_ || !context_) throw std::bad_alloc();
  }
  ~Digest() {
    EVP_MD_CTX_free(context_);
    EVP_MD_free(method_);
  }
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;

  void append(std::span<const std::string_view> parts, std::string& out) {
    std::array<unsigned char, 32> digest;
    EVP_DigestInit_ex2(context_, method_, nullptr);
    for (const std::string_view part : parts) {
      const std::uint64_t size = part.size();  // before each part: no two lists of parts read the same
      EVP_DigestUpdate(context_, &size, sizeof size);
      EVP_DigestUpdate(context_, part.data(), part.size());
    }
    EVP_DigestFinal_ex(context_, digest.data(), nullptr);
    append_hex(std::span(digest).first(16), out);
  }

 private:
  EVP_MD* method_;
  EVP_MD_CTX* context_;
};

struct SharedLink::Waiter {
  explicit Waiter(net::Loop& loop) : event(loop) {}
  net::Event event;
  Refill* refill = nullptr;  // null: answered
  Waiter *before = nullptr, *after = nullptr;
};

struct SharedLink::Refill : redis::Call {
  explicit Refill(SharedLink& l) : Call(&Refill::done), link(l) {}
  static void done(redis::Call& call, redis::Reply* reply, base::Error) {
    auto& self = static_cast<Refill&>(call);
    self.link.answered(self, reply);
  }

  void append(Waiter& waiter) {
    waiter.refill = this;
    waiter.before = last;
    (last ? last->after : first) = &waiter;
    last = &waiter;
    ++waiting;
  }
  void remove(Waiter& waiter) {
    (waiter.before ? waiter.before->after : first) = waiter.after;
    (waiter.after ? waiter.after->before : last) = waiter.before;
    waiter.refill = nullptr;
    --waiting;
  }

  SharedLink& link;
  std::uint64_t key = 0;
  Quota quota;
  std::uint64_t tokens = 0;
  std::string name;  // in Redis
  base::Mono sent{};
  bool whole_script = false;
  Waiter *first = nullptr, *last = nullptr;  // as they came
  std::uint64_t waiting = 0;
  Refill* same_head = nullptr;                 // or the next spare one
  Refill *before = nullptr, *after = nullptr;  // as sent
};

SharedLink::SharedLink(SharedBuckets& shared, redis::Connection& redis, std::string prefix,
                       SharedMetrics& metrics, base::Nanos patience)
    : shared_(shared),
      redis_(redis),
      prefix_(std::move(prefix)),
      metrics_(metrics),
      patience_(patience),
      digest_(std::make_unique<Digest>()) {}

SharedLink::~SharedLink() {
  while (oldest_) {
    redis_.forget(*oldest_);
    retire(*oldest_);
  }
}

std::vector<std::vector<std::string>> SharedLink::prelude() {
  return {{"SCRIPT", "LOAD", std::string(kScript)}};
}

SharedLink::Answer SharedLink::draw(const Policy& policy, Buckets::Key key,
                                    std::span<const std::string_view> parts, base::Mono now,
                                    base::Mono until) {
  if (!redis_.ready() || now < distrust_until_) return lost();
  const bool again = until != base::Mono{};
  const bool waits = !slow(now) && (!again || now < until);
  const Leases::Taken taken =
      shared_.leases().take(key.hash, policy.quota, now, {redis_.round_trip(), again, waits});
  if (taken.outcome == Leases::Outcome::kRefused) return {Draw::kRefused, taken.debt};
  const bool empty = taken.outcome == Leases::Outcome::kEmpty;
  if (taken.refill > 0 && !find(key.hash) && !refill(policy, key.hash, parts, taken.refill, now) && empty)
    return lost();
  if (!empty) return {Draw::kGranted, taken.debt};
  return waits ? Answer{Draw::kWait, taken.debt} : borrow(policy, key, now);
}

SharedLink::Answer SharedLink::borrow(const Policy& policy, Buckets::Key key, base::Mono now) {
  metrics_.fallbacks.add();
  const Leases::Taken taken = shared_.leases().borrow(key.hash, policy.quota, now);
  return {taken.outcome == Leases::Outcome::kGranted ? Draw::kGranted : Draw::kRefused, taken.debt};
}

void SharedLink::give_back(const Policy& policy, Buckets::Key key) {
  shared_.leases().give_back(key.hash, policy.quota);
}

net::Task<> SharedLink::wait_for_lease(const Policy&, Buckets::Key key, base::Mono until,
                                       net::Cancel* cancel) {
  Refill* const refill = find(key.hash);
  if (!refill) co_return;
  metrics_.waits.add();
  Waiter waiter(redis_.loop());
  refill->append(waiter);
  {
    const net::CancelLink link(cancel, waiter.event);
    co_await waiter.event.wait(until);
  }
  if (waiter.refill) refill->remove(waiter);
}

// A Redis that is there and does not answer must hold up nobody else.
bool SharedLink::slow(base::Mono now) const {
  return redis_.round_trip() >= patience_ || (oldest_ && now - oldest_->sent >= patience_);
}

SharedLink::Answer SharedLink::lost() {
  metrics_.fallbacks.add();
  if (!std::exchange(lost_, true)) log::warn("shared rate limits count here alone: redis does not answer");
  return {};
}

SharedLink::Refill* SharedLink::find(std::uint64_t key) const {
  Refill* refill = by_key_[key % kHeads];
  while (refill && refill->key != key) refill = refill->same_head;
  return refill;
}

bool SharedLink::refill(const Policy& policy, std::uint64_t key, std::span<const std::string_view> parts,
                        std::uint64_t tokens, base::Mono now) {
  if (!spare_) spare_ = refills_.emplace_back(std::make_unique<Refill>(*this)).get();
  Refill& refill = *spare_;
  spare_ = refill.same_head;
  refill.key = key;
  refill.quota = policy.quota;
  refill.tokens = tokens;
  refill.sent = now;
  const std::uint64_t id = policy.id;
  refill.name = prefix_;
  refill.name += "rate:";
  std::array<char, 16> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), id, 16);
  refill.name.append(digits.data(), end);
  refill.name += ':';
  digest_->append(parts, refill.name);
  if (!send(refill, false)) {
    refill.same_head = std::exchange(spare_, &refill);
    return false;
  }
  refill.same_head = std::exchange(by_key_[key % kHeads], &refill);
  enqueue(refill);
  return true;
}

base::Result<> SharedLink::send(Refill& refill, bool whole_script) {
  refill.whole_script = whole_script;
  std::array<char, 40> interval, window;
  std::array<char, 20> tokens;
  const auto [end, error] = std::to_chars(tokens.data(), tokens.data() + tokens.size(), refill.tokens);
  return redis_.send(refill, {whole_script ? "EVAL" : "EVALSHA", whole_script ? kScript : script_name(), "1",
                              refill.name, write(interval, refill.quota.interval),
                              write(window, refill.quota.window), std::string_view(tokens.data(), end)});
}

void SharedLink::answered(Refill& refill, redis::Reply* reply) {
  // Somebody has emptied Redis' scripts since we connected: the whole script brings it back.
  if (reply && reply->is_error("NOSCRIPT") && !refill.whole_script && send(refill, true)) return;
  std::array<std::int64_t, 2> answer{};
  const bool good = reply && reply->integers(answer) && answer[0] >= 0 && answer[1] >= 0 &&
                    static_cast<std::uint64_t>(answer[0]) <= refill.tokens;
  if (good) {
    metrics_.leases.add();
    // As Redis saw it; half of the way here has gone by since.
    const std::int64_t debt = std::max<std::int64_t>(
        std::min(answer[1], Quota::kLongest / 1000) * 1000 - redis_.round_trip().count() / 2, 0);
    shared_.leases().put(refill.key, refill.quota, refill.tokens, static_cast<std::uint64_t>(answer[0]), debt,
                         refill.waiting, base::mono_now());
    if (std::exchange(lost_, false)) log::info("rate limits are shared again");
  } else if (reply) {
    distrust(reply->error_code());
  }
  retire(refill);
}

void SharedLink::distrust(std::string_view error) {
  distrust_until_ = base::mono_now() + kDistrust;
  log::warn("redis does not count rate limits", {{"error", error}});
}

void SharedLink::enqueue(Refill& refill) {
  refill.after = nullptr;
  refill.before = newest_;
  (newest_ ? newest_->after : oldest_) = &refill;
  newest_ = &refill;
}

void SharedLink::retire(Refill& refill) {
  (refill.before ? refill.before->after : oldest_) = refill.after;
  (refill.after ? refill.after->before : newest_) = refill.before;
  Refill** at = &by_key_[refill.key % kHeads];
  while (*at != &refill) at = &(*at)->same_head;
  *at = refill.same_head;
  refill.same_head = std::exchange(spare_, &refill);
  while (Waiter* const waiter = refill.first) {
    refill.remove(*waiter);
    waiter->event.set();
  }
}

}  // namespace limit
