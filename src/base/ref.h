// Intrusive reference counts: Shared (any thread) and Local (one worker, no atomic operation).
//
// Usage:   struct Entry : base::Shared<Entry> { … };   base::Ref<const Entry> e(new Entry);
// Failure: none. The last Ref deletes; a cycle leaks, so owners point down only.
//
// Why not std::shared_ptr: one word instead of two, one allocation, and in the Local form no locked
// instruction on the path of a cached hit.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace base {

template <class Derived>
class Shared {
 public:
  void retain() const { count_.fetch_add(1, std::memory_order_relaxed); }
  void release() const {
    if (count_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete static_cast<const Derived*>(this);
  }

 protected:
  Shared() = default;
  Shared(const Shared&) {}
  Shared& operator=(const Shared&) { return *this; }
  ~Shared() = default;

 private:
  mutable std::atomic<std::uint32_t> count_{0};
};

template <class Derived>
class Local {
 public:
  void retain() const { ++count_; }
  void release() const {
    if (--count_ == 0) delete static_cast<const Derived*>(this);
  }

 protected:
  Local() = default;
  Local(const Local&) {}
  Local& operator=(const Local&) { return *this; }
  ~Local() = default;

 private:
  mutable std::uint32_t count_ = 0;
};

template <class T>
class Ref {
 public:
  Ref() = default;
  Ref(std::nullptr_t) {}  // NOLINT(google-explicit-constructor)
  explicit Ref(T* p) : p_(p) {
    if (p_) p_->retain();
  }
  Ref(const Ref& other) : Ref(other.p_) {}
  Ref(Ref&& other) noexcept : p_(std::exchange(other.p_, nullptr)) {}
  template <class U>
    requires std::is_convertible_v<U*, T*>
  Ref(Ref<U> other) : p_(other.detach()) {}  // NOLINT(google-explicit-constructor)
  Ref& operator=(Ref other) noexcept {
    std::swap(p_, other.p_);
    return *this;
  }
  ~Ref() {
    if (p_) p_->release();
  }

  T* get() const { return p_; }
  T* operator->() const { return p_; }
  T& operator*() const { return *p_; }
  explicit operator bool() const { return p_ != nullptr; }
  T* detach() { return std::exchange(p_, nullptr); }
  friend bool operator==(const Ref& a, const Ref& b) { return a.p_ == b.p_; }

 private:
  T* p_ = nullptr;
};

template <class T, class... Args>
Ref<T> make_ref(Args&&... args) {
  return Ref<T>(new T(std::forward<Args>(args)...));
}

}  // namespace base
