#include "cache/loan.h"

#include <algorithm>
#include <cassert>
#include <set>
#include <utility>
#include <vector>

#include "cache/memory.h"

namespace cache {

// ---- Loan

Loan::Loan(Loans& loans, Object object, Keeper keeper)
    : loans_(loans),
      object_(std::move(object)),
      keeper_(keeper),
      began_(base::mono_now()),
      taken_before_(keeper.taken.load(std::memory_order_relaxed)) {
  const std::lock_guard lock(loans_.lock_);
  after_ = loans_.first_;
  if (after_) after_->before_ = this;
  loans_.first_ = this;
}

Loan::~Loan() {
  const std::lock_guard lock(loans_.lock_);
  if (after_) after_->before_ = before_;
  (before_ ? before_->after_ : loans_.first_) = after_;
}

// ---- Loans

// A loan, or all loans of one entry.
struct Loans::Candidate {
  const void* what = nullptr;
  std::uint64_t bytes = 0;
  double pace = 0;  // bytes a second, of the quickest
  Loan* loan = nullptr;
};

Loans::~Loans() {
  assert(!first_);
}

// False: its end would free nothing.
bool Loans::candidate(const Loan& loan, base::Mono now, Candidate& out) const {
  if (loan.state_ != Loan::State::kLent) return false;
  base::Ref<const Entry> entry = loan.object_.entry;
  out.what = &loan;
  out.bytes = loan.object_.bytes;
  if (const Fill* fill = loan.object_.fill.get()) {
    const Fill::Left left = fill->left();
    if (left.growing) return false;
    entry = left.entry;
    out.bytes = base::Chunk::kMaxCapacity;  // of a window a reader keeps what it is being sent
  }
  if (entry) {
    if (memory_.holds(*entry)) return false;
    out.what = entry.get();
    out.bytes = entry->cost();
  }
  const base::Nanos since = now - loan.began_;
  const std::uint64_t taken = loan.keeper_.taken.load(std::memory_order_relaxed) - loan.taken_before_;
  out.pace = since < kGrace ? 1e300 : static_cast<double>(taken) / static_cast<double>(since.count());
  return true;
}

void Loans::recall(std::uint64_t bytes) {
  std::set<net::Loop*> loops;
  {
    const std::lock_guard lock(lock_);
    const base::Mono now = base::mono_now();
    wanted_ += bytes;
    if (now < next_) return;
    next_ = now + kEvery;
    std::uint64_t wanted = std::exchange(wanted_, 0);

    std::vector<Candidate> all;
    for (Loan* loan = first_; loan; loan = loan->after_) {
      Candidate one{.loan = loan};
      if (candidate(*loan, now, one)) all.push_back(one);
    }
    // Those of one entry side by side, the quickest first; then one of each, the slowest first.
    std::ranges::sort(all, [](const Candidate& a, const Candidate& b) {
      return a.what != b.what ? std::less<>()(a.what, b.what) : a.pace > b.pace;
    });
    std::vector<std::pair<std::size_t, std::size_t>> objects;  // of `all`: from and to
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (i == 0 || all[i].what != all[i - 1].what) objects.emplace_back(i, i);
      objects.back().second = i + 1;
    }
    std::ranges::sort(objects, {}, [&](const auto& object) { return all[object.first].pace; });
    for (const auto& [from, to] : objects) {
      if (wanted == 0 || all[from].pace >= 1e300) break;
      wanted -= std::min(wanted, all[from].bytes);
      for (std::size_t i = from; i < to; ++i) {
        all[i].loan->state_ = Loan::State::kRecalled;
        loops.insert(&all[i].loan->keeper_.loop);
      }
    }
  }
  for (net::Loop* loop : loops) loop->post([this] { deliver(); });
}

void Loans::deliver() {
  const std::lock_guard lock(lock_);
  for (Loan* loan = first_; loan; loan = loan->after_) {
    if (loan->state_ != Loan::State::kRecalled || &loan->keeper_.loop != net::Loop::current()) continue;
    loan->state_ = Loan::State::kReturned;
    recalled_.fetch_add(1, std::memory_order_relaxed);
    loan->keeper_.cut(loan->keeper_.context);
  }
}

}  // namespace cache
