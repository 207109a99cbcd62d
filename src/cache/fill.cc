#include "cache/fill.h"

#include <algorithm>
#include <map>

#include "base/sabotage.h"

namespace cache {

using base::Code;
using base::fail;
using Kind = base::Account::Kind;

namespace {
constexpr std::size_t kFirst = 16 << 10;  // most bodies are small
constexpr std::size_t kTight = 16 << 10;  // a piece, where there is no memory
}  // namespace

// ---- Fills

Fills::Joined Fills::join(KeyView key, net::Loop& loop) {
  const auto make = [&] { return base::make_ref<Fill>(*this, std::string(key.bytes), key.hash, loop); };
  if (sabotage::on("single-flight-off")) return {make(), true};
  for (;;) {
    Joined joined = flights_.join(key.bytes, make);
    if (joined.leader || !writes_.overtook(joined.flight->resource_, joined.flight->asked_at_)) return joined;
    flights_.remove(*joined.flight);  // what it brings is from before a write that this asker may know of
  }
}

void Fills::close() {
  closing_.store(true, std::memory_order_relaxed);
  for (const auto& fill : flights_.all()) fill->give_up_unread();
}

bool Fills::reserve(std::uint64_t bytes) {
  const std::uint64_t before = buffered_.fetch_add(bytes, std::memory_order_relaxed);
  if (before + bytes <= budget_.load(std::memory_order_relaxed)) return true;
  release(bytes);
  return false;
}

void Fills::remember_passed(const KeyView& key, base::Mono now) {
  Passed& slot = passed_[key.hash % kPassedSlots];
  slot.hash.store(key.hash, std::memory_order_relaxed);
  slot.until.store((now + kPassedFor).time_since_epoch().count(), std::memory_order_relaxed);
}

bool Fills::passed_lately(const KeyView& key, base::Mono now) const {
  const Passed& slot = passed_[key.hash % kPassedSlots];
  return slot.hash.load(std::memory_order_relaxed) == key.hash &&
         slot.until.load(std::memory_order_relaxed) > now.time_since_epoch().count();
}

void Fills::forget_passed() {
  for (Passed& slot : passed_) slot.until.store(0, std::memory_order_relaxed);
}

// ---- Fill: the feeder's side

Fill::Fill(Fills& table, std::string key_bytes, std::uint64_t hash, net::Loop& feeder_loop)
    : table_(table),
      key_(std::move(key_bytes)),
      hash_(hash),
      resource_(resource_of(key_)),
      asked_at_(base::mono_now()),
      feeder_loop_(feeder_loop),
      feeder_event_(feeder_loop) {}

bool Fill::begin(FillHead head) {
  {
    std::lock_guard lock(lock_);
    if (abandoned_) return false;
    head_ = std::move(head);
    // A known length is reserved as a whole, so that a fill does not find the budget spent half-way.
    const std::uint64_t want = head_.length.value_or(0);
    const bool memory = table_.account_.try_hold(Kind::kObjects, want);
    storable_ = memory && table_.reserve(want);
    if (memory) promised_ = want;
    if (storable_)
      reserved_ = want;
    else
      settle();
    if (!memory) wanted_bytes_ += want;
    state_ = State::kFilling;
    wake_readers();
    if (storable_) return true;
  }
  leave_table();  // a window from the start: who comes later must find the start still there
  return true;
}

base::Ref<base::Chunk> Fill::make_chunk() {
  base::Account& account = table_.account_;
  std::size_t size = size_ < (64 << 10) ? kFirst : base::Chunk::kMaxCapacity;
  if (head_.length)
    size = static_cast<std::size_t>(
        std::clamp<std::uint64_t>(*head_.length - size_, 1, base::Chunk::kMaxCapacity));
  const std::size_t cost = base::Chunk::cost(size);
  if (storable_ && head_.length) {  // promised
    const std::uint64_t kept = std::min<std::uint64_t>(promised_, cost);
    promised_ -= kept;
    account.release(Kind::kObjects, kept);
  } else if (!account.fits(cost)) {
    wanted_bytes_ += cost;
    size = std::min(size, kTight);
    give_up_storing();
  }
  return base::Chunk::make(size, &account);
}

// No memory: from here on it is a window.
void Fill::give_up_storing() {
  {
    std::lock_guard lock(lock_);
    if (!std::exchange(storable_, false)) return;
    settle();
  }
  leave_table();
}

void Fill::settle() {
  table_.release(std::exchange(reserved_, 0));
  table_.account_.release(Kind::kObjects, std::exchange(promised_, 0));
}

bool Fill::publish(const base::Ref<base::Chunk>& chunk, std::size_t used) {
  bool outgrown = false, too_large = false;
  {
    std::lock_guard lock(lock_);
    if (abandoned_) return false;
    if (pieces_.empty() || pieces_.back().chunk.get() != chunk.get())
      pieces_.push_back({base::Ref<const base::Chunk>(chunk.get()), size_, 0});
    Piece& last = pieces_.back();
    size_ += used - last.used;
    last.used = used;
    if (storable_ && size_ > reserved_) {
      const std::uint64_t more = size_ - reserved_;
      if (size_ <= table_.max_object() && table_.reserve(more)) {
        reserved_ = size_;
      } else {
        storable_ = false;
        outgrown = true;
        too_large = size_ > table_.max_object();
      }
    }
    wake_readers();
  }
  if (too_large) table_.remember_passed(key(), base::mono_now());
  if (outgrown) leave_table();  // who comes now could not read from the start
  return true;
}

std::uint64_t Fill::slowest() const {
  std::uint64_t least = size_;
  for (const auto& waiter : waiters_)
    if (!waiter->dropped) least = std::min(least, waiter->position);
  return least;
}

net::Task<bool> Fill::room() {
  for (;;) {
    {
      std::lock_guard lock(lock_);
      if (abandoned_) co_return false;
      if (storable_) co_return true;
      const std::uint64_t least = slowest();
      // Bytes that everybody has read are let go; who is reading one holds a reference of its own.
      while (!pieces_.empty() && pieces_.front().at + pieces_.front().used <= least && pieces_.size() > 1)
        pieces_.pop_front();
      const std::uint64_t window = table_.account_.fits(base::Chunk::kMaxCapacity) ? kWindow : 1;
      if (size_ - least < window) co_return true;
      const base::Mono now = base::mono_now();
      bool dropped = false;
      for (const auto& waiter : waiters_) {
        if (waiter->position == least && now - waiter->moved > kPatience) {
          waiter->dropped = true;
          dropped = true;
        }
      }
      if (dropped) {
        wake_readers();
        continue;
      }
    }
    if (co_await feeder_event_.wait(feeder_loop_.now() + base::Millis(500)) == net::Wake::kCancelled)
      co_return false;
  }
}

void Fill::complete() {
  feeder_event_.disarm();
  base::Ref<const Entry> entry;
  bool store, kept = false;
  {
    std::lock_guard lock(lock_);
    store = storable_ && (!head_.length || *head_.length == size_);
  }
  if (store) {
    Entry::Parts parts;
    parts.key = key();
    parts.status = head_.status;
    parts.fields = head_.fields;
    parts.etag = head_.etag;
    parts.last_modified = head_.last_modified;
    parts.stored_at = head_.stored_at;
    parts.initial_age = head_.initial_age;
    parts.freshness = head_.freshness;
    parts.resource = resource_;
    parts.asked_at = asked_at_;
    parts.coded = head_.coded;
    parts.account = &table_.account_;
    for (const Piece& piece : pieces_) parts.body.push_back(piece.chunk);  // only this task changes pieces_
    entry = Entry::make(std::move(parts));
    kept = table_.store_(table_.context_, entry);
  }
  {
    std::lock_guard lock(lock_);
    state_ = State::kDone;
    entry_ = std::move(entry);
    kept_ = kept;
    settle();
    wake_readers();
  }
  leave_table();  // after the store, so that there is no moment in which neither has it
}

void Fill::pass() {
  feeder_event_.disarm();
  leave_table();
  std::lock_guard lock(lock_);
  state_ = State::kPassed;
  wake_readers();
}

void Fill::fail(base::Error error) {
  feeder_event_.disarm();
  leave_table();
  std::lock_guard lock(lock_);
  state_ = State::kFailed;
  error_ = error;
  settle();
  wake_readers();
}

Fill::Left Fill::left() const {
  std::lock_guard lock(lock_);
  const bool running = state_ == State::kAsking || state_ == State::kFilling;
  return {.growing = running && storable_, .entry = entry_};
}

void Fill::leave_table() {
  table_.flights_.remove(*this);
}

void Fill::wake_readers() {
  // One message a loop, however many of its readers wait.
  std::map<net::Loop*, std::vector<base::Ref<Waiter>>> by_loop;
  const base::Mono now = base::mono_now();
  for (const auto& waiter : waiters_) {
    if (!waiter->waiting) continue;
    waiter->waiting = false;
    waiter->moved = now;  // its patience begins with what there is to read, not with the wait for it
    by_loop[&waiter->loop].push_back(waiter);
  }
  for (auto& [loop, waiters] : by_loop) {
    if (loop == net::Loop::current()) {
      for (auto& waiter : waiters) waiter->event.set();
      continue;
    }
    loop->post([list = std::move(waiters)] {
      for (const auto& waiter : list) waiter->event.set();
    });
  }
}

void Fill::wake_feeder() {
  if (net::Loop::current() == &feeder_loop_)
    feeder_event_.set();
  else
    feeder_loop_.post([self = base::Ref<Fill>(this)] { self->feeder_event_.set(); });
}

void Fill::detach(const base::Ref<Waiter>& waiter, bool satisfied) {
  bool nudge;
  {
    std::lock_guard lock(lock_);
    std::erase(waiters_, waiter);
    wanted_ = wanted_ || satisfied;
    nudge = state_ == State::kFilling && !storable_ && !waiters_.empty();
  }
  if (nudge)
    wake_feeder();
  else
    give_up_unread();
}

void Fill::give_up_unread() {
  {
    std::lock_guard lock(lock_);
    const bool running = state_ == State::kAsking || state_ == State::kFilling;
    const bool keep = wanted_ && storable_ && !table_.closing_.load(std::memory_order_relaxed);
    if (!running || abandoned_ || keep || !waiters_.empty()) return;
    abandoned_ = true;
  }
  leave_table();
  feeder_loop_.post([self = base::Ref<Fill>(this)] {
    self->cancel_.request();
    self->feeder_event_.cancel();
  });
}

// ---- Reader

Reader::Reader(base::Ref<Fill> fill, net::Loop& loop)
    : fill_(std::move(fill)), waiter_(base::make_ref<Fill::Waiter>(loop)) {
  std::lock_guard lock(fill_->lock_);
  waiter_->moved = base::mono_now();
  if (fill_->too_late()) {
    // It was given up, or let go of its first bytes, between our finding it and our joining.
    waiter_->dropped = true;
    return;
  }
  fill_->waiters_.push_back(waiter_);
}

Reader::~Reader() {
  fill_->detach(waiter_, satisfied_);
}

net::Task<Reader::Start> Reader::start(net::Cancel* cancel) {
  const net::CancelLink link(cancel, waiter_->event);
  for (;;) {
    {
      std::lock_guard lock(fill_->lock_);
      if (waiter_->dropped) co_return Start::kAlone;
      switch (fill_->state_) {
        case Fill::State::kFilling:
        case Fill::State::kDone:
          co_return Start::kServe;
        case Fill::State::kPassed:
          co_return Start::kAlone;
        case Fill::State::kFailed:
          error_ = fill_->error_;
          co_return Start::kFailed;
        case Fill::State::kAsking:
          waiter_->waiting = true;
      }
    }
    if (co_await waiter_->event.wait() == net::Wake::kCancelled) {
      error_ = {Code::kClientGone, "the client has left"};
      co_return Start::kFailed;
    }
  }
}

base::Ref<const Entry> Reader::entry() const {
  std::lock_guard lock(fill_->lock_);
  return fill_->entry_;
}

bool Reader::kept() const {
  std::lock_guard lock(fill_->lock_);
  return fill_->kept_;
}

net::Task<> Reader::whole(base::Mono until, net::Cancel* cancel) {
  const net::CancelLink link(cancel, waiter_->event);
  for (;;) {
    {
      std::lock_guard lock(fill_->lock_);
      if (fill_->state_ != Fill::State::kFilling || !fill_->storable_ || waiter_->dropped) co_return;
      waiter_->waiting = true;
    }
    if (co_await waiter_->event.wait(until) != net::Wake::kReady) break;
  }
  std::lock_guard lock(fill_->lock_);
  waiter_->waiting = false;
}

bool Reader::keeps_all() const {
  std::lock_guard lock(fill_->lock_);
  return fill_->storable_;
}

void Reader::seek(std::uint64_t offset) {
  std::lock_guard lock(fill_->lock_);
  position_ = offset;  // next() tells the feeder
}

net::Task<base::Result<std::string_view>> Reader::next(net::Cancel* cancel) {
  const net::CancelLink link(cancel, waiter_->event);
  for (;;) {
    bool nudge = false;
    std::string_view bytes;
    {
      std::lock_guard lock(fill_->lock_);
      // Asking for more says that what was given is done with.
      if (waiter_->position != position_) {
        waiter_->position = position_;
        waiter_->moved = base::mono_now();
        nudge = !fill_->storable_;
      }
      if (waiter_->dropped) co_return fail(Code::kSlowReader, "the reader was too slow for the others");
      if (position_ < fill_->size_) {
        const auto after = std::upper_bound(fill_->pieces_.begin(), fill_->pieces_.end(), position_,
                                            [](std::uint64_t at, const Fill::Piece& p) { return at < p.at; });
        const Fill::Piece& piece = *std::prev(after);
        held_ = piece.chunk;
        const std::uint64_t skip = position_ - piece.at;
        bytes = {piece.chunk->data() + skip, piece.used - static_cast<std::size_t>(skip)};
        position_ += bytes.size();
      } else if (fill_->state_ == Fill::State::kDone) {
        co_return std::string_view{};
      } else if (fill_->state_ == Fill::State::kFailed) {
        co_return std::unexpected(fill_->error_);
      } else {
        waiter_->waiting = true;
      }
    }
    if (nudge) fill_->wake_feeder();
    if (!bytes.empty()) co_return bytes;
    if (co_await waiter_->event.wait() == net::Wake::kCancelled)
      co_return fail(Code::kClientGone, "the client has left");
  }
}

}  // namespace cache
