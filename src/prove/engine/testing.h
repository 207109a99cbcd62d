// For tests only: campaigns made in code, and a server with a thread for each connection that answers as a
// test says.
//
// Owner:    a test.  Thread: the handler runs on many; a handler that waits forever is ended by the server's
//           own end.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "net/testing.h"
#include "prove/engine/engine.h"

namespace prove::testing {

using net::testing::Peer;

class Server {
 public:
  // One request has come: its head, and which request of the connection it is. False: the connection ends.
  using Handler = std::function<bool(Peer&, const std::string& head, int number)>;

  explicit Server(Handler handler) : handler_(std::move(handler)) {
    std::tie(listener_, port_) = net::testing::listen_on_loopback(1024);
    thread_ = std::thread([this] { accept(); });
  }
  ~Server() {
    closing_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
    {
      std::lock_guard guard(lock_);
      for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const { return port_; }
  int connections() const { return connections_; }
  int requests() const { return requests_; }

  static bool reply(Peer& peer, std::string_view body, std::string_view status = "200 OK",
                    std::string_view fields = "") {
    return peer.write("HTTP/1.1 " + std::string(status) +
                      "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + std::string(fields) +
                      "\r\n" + std::string(body));
  }

 private:
  void accept() {
    while (!closing_) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      ++connections_;
      std::lock_guard guard(lock_);
      open_.insert(fd);
      threads_.emplace_back([this, fd] { serve(fd); });
    }
  }
  void serve(int fd) {
    Peer peer(fd);
    for (int number = 0;; ++number) {
      const std::string head = peer.read_head();
      if (head.empty()) break;
      ++requests_;
      if (!handler_(peer, head, number)) break;
    }
    std::lock_guard guard(lock_);
    open_.erase(fd);
    peer.close();
  }

  Handler handler_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> closing_{false};
  std::atomic<int> connections_{0}, requests_{0};
  std::thread thread_;
  std::mutex lock_;
  std::set<int> open_;
  std::vector<std::thread> threads_;  // filled by the accepting thread alone, looked at when that has ended
};

// A campaign against one target, to be changed by the test before it runs.
struct Draft {
  explicit Draft(std::uint16_t port) {
    campaign.file = "test.yaml";
    campaign.name = "test";
    Target target;
    target.name = "target";
    target.url.host = "127.0.0.1";
    target.url.port = port;
    campaign.targets.push_back(target);
    campaign.interval = Millis(50);
    campaign.grace = Millis(20'000);  // a busy machine makes a test slow, and must not make it fail
  }

  Template text(std::string_view t) { return Template::compile(t, campaign.slots).value(); }

  Scenario& scenario(std::string name = "s", std::uint64_t connections = 4) {
    Scenario& s = campaign.scenarios.emplace_back();
    s.name = std::move(name);
    s.connections = connections;
    return s;
  }
  Step& step(std::string_view path = "/", std::string method = "GET") {
    Step& s = campaign.scenarios.back().steps.emplace_back();
    s.name = method + " " + std::string(path);
    s.method = std::move(method);
    s.path = text(path);
    s.timeout = Millis(20'000);
    return s;
  }
  Phase& open(double rate, Millis duration) {
    Phase& p = campaign.phases.emplace_back();
    p.name = "phase " + std::to_string(campaign.phases.size());
    p.rate = {rate, rate};
    p.duration = duration;
    return p;
  }
  Phase& closed(std::uint64_t users, Millis duration) {
    Phase& p = campaign.phases.emplace_back();
    p.name = "phase " + std::to_string(campaign.phases.size());
    p.users = {users, users};
    p.duration = duration;
    return p;
  }

  struct Run {
    Engine::Books books;
    std::vector<IntervalPart> intervals;

    // Over all segments.
    StepStats step(std::size_t scenario = 0, std::size_t step = 0) const {
      StepStats sum;
      for (const SegmentStats& segment : books.segments) sum.add(segment.steps[scenario][step]);
      return sum;
    }
    std::uint64_t count(Outcome outcome, std::size_t scenario = 0, std::size_t step = 0) const {
      return this->step(scenario, step).outcomes[static_cast<std::size_t>(outcome)].count;
    }
    std::uint64_t reason(Reason reason, std::size_t scenario = 0, std::size_t step = 0) const {
      return this->step(scenario, step).reasons[static_cast<std::size_t>(reason)];
    }
  };
  // To its end; `meanwhile` is asked now and then, with the engine at hand.
  Run run(const MintedTokens& tokens = {}, const std::function<void(Engine&)>& meanwhile = {}) {
    const Timeline timeline = Timeline::of(campaign);
    Engine engine(campaign, timeline, tokens);
    engine.start();
    Run out;
    while (!engine.done()) {
      ::poll(nullptr, 0, 5);
      if (meanwhile) meanwhile(engine);
    }
    out.intervals = engine.take_intervals();
    out.books = engine.finish();
    return out;
  }

  Campaign campaign;
};

}  // namespace prove::testing
