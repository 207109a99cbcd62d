#include "net/offload.h"

#include <signal.h>

namespace net {

Offload::Offload(unsigned threads) {
  for (unsigned i = 0; i < threads; ++i) {
    threads_.emplace_back([this] {
      sigset_t all;  // signals are the main thread's
      ::sigfillset(&all);
      ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
      work();
    });
  }
}

Offload::~Offload() {
  {
    std::lock_guard lock(lock_);
    closing_ = true;
  }
  more_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void Offload::push(Job job) {
  {
    std::lock_guard lock(lock_);
    jobs_.push_back(std::move(job));
  }
  more_.notify_one();
}

void Offload::work() {
  for (;;) {
    Job job;
    {
      std::unique_lock lock(lock_);
      more_.wait(lock, [this] { return closing_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    job();
  }
}

}  // namespace net
