#include "net/dns.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <map>
#include <mutex>
#include <system_error>
#include <utility>

#include "net/dns_question.h"

namespace net {

namespace {

constexpr int kSystemThreads = 2;

void leave_signals_to_main() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

// What comes to the thread from others.
struct Dns::Mail {
  struct Asked {
    Wish wish;
    Told told;
  };
  struct Found {
    std::uint64_t number;
    std::vector<Endpoint> addresses;
  };

  Mail() : bell(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (bell < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  }
  ~Mail() { ::close(bell); }
  Mail(const Mail&) = delete;
  Mail& operator=(const Mail&) = delete;

  void ring() const {
    const std::uint64_t one = 1;
    (void)!::write(bell, &one, sizeof one);
  }
  void silence() const {
    std::uint64_t count;
    (void)!::read(bell, &count, sizeof count);
  }

  const int bell;
  std::mutex lock;
  std::vector<Asked> asked;
  std::vector<Found> found;
  bool closing = false;
};

// Shared with its threads, which are detached: one that sits in getaddrinfo() may come back in a minute.
class Dns::SystemThreads {
 public:
  static std::shared_ptr<SystemThreads> start(System system, const std::shared_ptr<Mail>& mail) {
    auto made = std::make_shared<SystemThreads>();
    for (int i = 0; i < kSystemThreads; ++i)
      std::thread([made, system, mail] {
        leave_signals_to_main();
        made->work(system, *mail);
      }).detach();
    return made;
  }

  void ask(std::string host, std::uint64_t number, base::Mono give_up) {
    {
      const std::lock_guard guard(lock_);
      jobs_.push_back({.host = std::move(host), .number = number, .give_up = give_up});
    }
    more_.notify_one();
  }

  void close() {
    {
      const std::lock_guard guard(lock_);
      closing_ = true;
      jobs_.clear();
    }
    more_.notify_all();
  }

 private:
  struct Job {
    std::string host;
    std::uint64_t number;
    base::Mono give_up;
  };

  void work(System system, Mail& mail) {
    for (;;) {
      Job job;
      {
        std::unique_lock guard(lock_);
        more_.wait(guard, [this] { return closing_ || !jobs_.empty(); });
        if (closing_) return;
        job = std::move(jobs_.front());
        jobs_.pop_front();
      }
      if (base::mono_now() >= job.give_up) continue;  // nobody waits any more
      auto addresses = system(job.host, 0);
      {
        const std::lock_guard guard(mail.lock);
        mail.found.push_back({.number = job.number, .addresses = std::move(addresses)});
      }
      mail.ring();
    }
  }

  std::mutex lock_;
  std::condition_variable more_;
  std::deque<Job> jobs_;
  bool closing_ = false;
};

// All that is looked up just now. Its thread's.
class Dns::Desk {
 public:
  Desk(LookUpRules rules, std::shared_ptr<Mail> mail, std::shared_ptr<SystemThreads> system)
      : rules_(std::move(rules)), mail_(std::move(mail)), system_(std::move(system)) {}
  ~Desk() { system_->close(); }
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;

  void work() {
    while (read_mail()) {
      begin();
      wait();
      finish();
    }
  }

 private:
  struct Waiting {
    Told told;
    bool in_dns;
  };
  struct LookUp {
    bool failing = false;
    std::vector<Waiting> waiting{};
    base::Mono give_up{};
    std::unique_ptr<DnsQuestion> question{};  // null: it waits for a place, or the system is asked
    std::uint64_t number = 0;                 // of the system's answer; 0: it is not asked
  };

  bool read_mail() {
    std::vector<Mail::Asked> asked;
    std::vector<Mail::Found> found;
    {
      const std::lock_guard guard(mail_->lock);
      if (mail_->closing) return false;
      asked.swap(mail_->asked);
      found.swap(mail_->found);
    }
    for (Mail::Found& one : found) {
      const auto at = std::ranges::find(running_, one.number, [](const auto& l) { return l.second.number; });
      if (at == running_.end()) continue;  // too late
      const Answer answer{.addresses = std::move(one.addresses), .ttl = std::nullopt};
      for (Waiting& waiting : at->second.waiting) waiting.told(waiting.in_dns ? Answer{} : answer);
      running_.erase(at);
    }
    for (Mail::Asked& one : asked) take(std::move(one));
    return true;
  }

  void take(Mail::Asked asked) {
    const auto [at, fresh] = running_.try_emplace(asked.wish.host);
    LookUp& one = at->second;
    if (fresh) {
      one.failing = asked.wish.failing;
      one.give_up = base::mono_now() + rules_.longest;
      (one.failing ? failing_ : queue_).push_back(at->first);
    }
    one.waiting.push_back({.told = std::move(asked.told), .in_dns = asked.wish.in_dns});
  }

  void begin() {
    begin(queue_, kAtATime);
    begin(failing_, kFailing);
  }
  void begin(std::deque<std::string>& queue, std::size_t places) {
    while (!queue.empty() && in_dns_ < places) {
      const auto at = running_.find(queue.front());
      queue.pop_front();
      at->second.question = std::make_unique<DnsQuestion>(rules_, at->first);
      ++in_dns_;
    }
  }

  static bool is_open(const LookUp& one) {
    return one.question && one.question->outcome() == DnsQuestion::Outcome::kNone;
  }

  void wait() {
    polled_.assign(1, {.fd = mail_->bell, .events = POLLIN, .revents = 0});
    base::Millis patience(running_.empty() ? -1 : 1000);
    const base::Mono now = base::mono_now();
    for (auto& [host, one] : running_) {
      // A millisecond more, since poll() rounds down.
      const auto left = std::chrono::duration_cast<base::Millis>(one.give_up - now) + base::Millis(1);
      patience = std::clamp(left, base::Millis(0), patience);
      if (!one.question) continue;
      if (is_open(one)) one.question->poll_for(polled_);
      patience = is_open(one) ? std::min(patience, one.question->patience()) : base::Millis(0);
    }
    if (::poll(polled_.data(), polled_.size(), static_cast<int>(patience.count())) < 0)
      for (pollfd& one : polled_) one.revents = 0;
    if (polled_[0].revents != 0) mail_->silence();
    for (auto& [host, one] : running_)
      if (is_open(one)) one.question->turn(polled_);
  }

  void finish() {
    const base::Mono now = base::mono_now();
    for (auto at = running_.begin(); at != running_.end();)
      at = is_over(at->first, at->second, now) ? running_.erase(at) : std::next(at);
  }

  bool is_over(const std::string& host, LookUp& one, base::Mono now) {
    const auto outcome = one.question ? one.question->outcome() : DnsQuestion::Outcome::kNone;
    const bool late = now >= one.give_up;
    if (outcome == DnsQuestion::Outcome::kNone && !late) return false;
    if (outcome == DnsQuestion::Outcome::kDenied && !late && may_ask_system(one)) {
      leave_dns(one);
      one.number = ++last_number_;
      system_->ask(host, one.number, one.give_up);
      return false;
    }
    const Answer none;
    for (Waiting& waiting : one.waiting)
      waiting.told(outcome == DnsQuestion::Outcome::kFound ? one.question->answer() : none);
    if (!one.question && one.number == 0) std::erase(one.failing ? failing_ : queue_, host);
    leave_dns(one);
    return true;
  }

  void leave_dns(LookUp& one) {
    if (std::exchange(one.question, nullptr)) --in_dns_;
  }
  bool may_ask_system(const LookUp& one) const {
    return rules_.system && !std::ranges::all_of(one.waiting, &Waiting::in_dns);
  }

  const LookUpRules rules_;
  const std::shared_ptr<Mail> mail_;
  const std::shared_ptr<SystemThreads> system_;
  std::map<std::string, LookUp> running_;
  std::deque<std::string> queue_, failing_;  // for a place
  std::size_t in_dns_ = 0;
  std::uint64_t last_number_ = 0;
  std::vector<pollfd> polled_;
};

Dns::Dns(LookUpRules r, System system) : LookUps(std::move(r)), mail_(std::make_shared<Mail>()) {
  thread_ = std::thread(
      [desk = std::make_unique<Desk>(rules, mail_, SystemThreads::start(system, mail_))]() mutable {
        leave_signals_to_main();
        desk->work();
        desk = nullptr;  // and all that is under way
      });
}

Dns::~Dns() {
  {
    const std::lock_guard guard(mail_->lock);
    mail_->closing = true;
  }
  mail_->ring();
  thread_.join();
  const std::lock_guard guard(mail_->lock);  // which threads of the system may keep for a while
  mail_->asked.clear();
}

void Dns::ask(Wish wish, Told told) {
  {
    const std::lock_guard guard(mail_->lock);
    mail_->asked.push_back({.wish = std::move(wish), .told = std::move(told)});
  }
  mail_->ring();
}

}  // namespace net
