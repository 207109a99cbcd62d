#include "net/loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <system_error>

#include "net/descriptors.h"

namespace net {

namespace {
thread_local Loop* current_loop = nullptr;
constexpr int kBatch = 256;

// Deadlines are whole milliseconds and take the call that every kernel has; only a schedule that counts in
// nanoseconds takes the newer one. Both go straight to the kernel, for the reason that stream.cc gives.
int poll(int epoll, std::array<epoll_event, kBatch>& events, base::Nanos wait) {
  constexpr base::Millis kLongest{std::numeric_limits<int>::max()};
  const auto ms = wait < kLongest ? std::chrono::duration_cast<base::Millis>(wait) : kLongest;
  if (wait == Loop::kForever || ms == wait || ms == kLongest) {
    const int timeout = wait == Loop::kForever ? -1 : static_cast<int>(ms.count());
    return static_cast<int>(
        ::syscall(SYS_epoll_pwait, epoll, events.data(), kBatch, timeout, nullptr, std::size_t{8}));
  }
  const timespec timeout{.tv_sec = wait.count() / 1'000'000'000, .tv_nsec = wait.count() % 1'000'000'000};
  return static_cast<int>(
      ::syscall(SYS_epoll_pwait2, epoll, events.data(), kBatch, &timeout, nullptr, std::size_t{8}));
}

}  // namespace

Watch::Watch(Loop& l) : Timer(&Watch::on_deadline), Cancellable(&Watch::on_cancel), loop(l) {}

void Watch::on_deadline(Timer& timer) {
  auto& watch = static_cast<Watch&>(timer);
  watch.expired = true;
  watch.wake_all();
}

void Watch::on_cancel(Cancellable& target) {
  auto& watch = static_cast<Watch&>(target);
  watch.cancelled = true;
  watch.wake_all();
}

void Watch::wake_all() {
  if (reader == writer) writer = nullptr;  // one coroutine, in Stream::either(): resume it once
  if (reader) loop.ready(std::exchange(reader, nullptr));
  if (writer) loop.ready(std::exchange(writer, nullptr));
}

Loop::Loop() : now_(base::mono_now()), wheel_(now_) {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  wakeup_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (epoll_ < 0 || wakeup_ < 0) throw std::system_error(errno, std::generic_category(), "event loop");
  descriptors().taken(2);
  epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.ptr = nullptr}};
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wakeup_, &event);
}

Loop::~Loop() {
  retired_.clear();
  ::close(wakeup_);
  ::close(epoll_);
  descriptors().given_back(2);
}

Loop* Loop::current() {
  return current_loop;
}

void Loop::stop() {
  stopped_.store(true, std::memory_order_release);
  post([] {});
}

void Loop::post(Posted fn) {
  bool first;
  {
    std::lock_guard lock(mailbox_lock_);
    first = mailbox_.empty();
    mailbox_.push_back(std::move(fn));
  }
  if (first) {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t n =
        ::write(wakeup_, &one, sizeof one);  // fails only when already signalled
  }
}

Watch* Loop::watch(int fd) {
  auto watch = std::make_unique<Watch>(*this);
  watch->fd = fd;
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.ptr = watch.get()}};
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) {
    ::close(fd);
    return nullptr;
  }
  descriptors().taken();
  return watch.release();
}

void Loop::unwatch(Watch* watch) {
  ::close(watch->fd);  // the last close takes it out of epoll as well
  descriptors().given_back();
  watch->fd = -1;
  watch->on_hangup = watch->on_input = nullptr;
  watch->Timer::clear();
  retired_.emplace_back(watch);
}

void Loop::dispatch(Watch& watch, std::uint32_t events) {
  if (watch.fd < 0) return;  // closed earlier in this batch
  if (events & (EPOLLERR | EPOLLHUP)) events |= EPOLLIN | EPOLLOUT | EPOLLRDHUP;
  if (events & EPOLLRDHUP) {
    watch.hangup = true;
    events |= EPOLLIN;
    if (watch.on_hangup) watch.on_hangup->request();
  }
  if (events & EPOLLOUT) watch.writable = true;
  if (events & EPOLLIN) {
    watch.readable = true;
    if (watch.reader)
      std::exchange(watch.reader, nullptr).resume();
    else if (watch.on_input)
      watch.on_input->request();
    if (watch.fd < 0) return;
  }
  if (watch.writable && watch.writer) std::exchange(watch.writer, nullptr).resume();
}

void Loop::run_ready() {
  // A coroutine made ready by another of this round runs in the next one, after the sockets had a look-in.
  running_.swap(ready_);
  for (auto h : running_) h.resume();
  running_.clear();
}

void Loop::run_posted() {
  std::uint64_t count;
  [[maybe_unused]] const ssize_t n = ::read(wakeup_, &count, sizeof count);
  std::vector<Posted> batch;
  {
    std::lock_guard lock(mailbox_lock_);
    batch.swap(mailbox_);
  }
  for (auto& fn : batch) fn();
}

void Loop::run() {
  current_loop = this;
  std::array<epoll_event, kBatch> events;
  while (!stopped_.load(std::memory_order_acquire)) {
    base::Nanos wait = turn_ ? turn_(turn_context_) : kForever;
    if (!ready_.empty()) {
      wait = base::Nanos(0);
    } else if (const int ms = wheel_.wait_ms(now_); ms >= 0) {
      wait = std::min<base::Nanos>(wait, base::Millis(ms));
    }
    const int n = poll(epoll_, events, wait);
    now_ = base::mono_now();
    const base::Mono woke = now_;
    bool mail = false;
    for (int i = 0; i < n; ++i) {
      auto* watch = static_cast<Watch*>(events[static_cast<std::size_t>(i)].data.ptr);
      if (!watch)
        mail = true;
      else
        dispatch(*watch, events[static_cast<std::size_t>(i)].events);
    }
    if (mail) run_posted();
    wheel_.advance(now_);
    run_ready();
    retired_.clear();
    if (n > 0) busy_.store((base::mono_now() - woke).count(), std::memory_order_relaxed);
  }
  // What was posted before stop() still runs.
  run_posted();
  while (!ready_.empty()) run_ready();
  retired_.clear();
  stopped_.store(false, std::memory_order_release);  // a test runs its loop once for each thing it awaits
  current_loop = nullptr;
}

}  // namespace net
