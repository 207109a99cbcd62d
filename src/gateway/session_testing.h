// For tests only: a gateway without its threads and listeners, and clients within its loop, over pairs of
// sockets.
//
// Owner:    a test. Thread: the test's; the worker's loop runs in until(). Origins of the tests have their
//           own.
// Lifetime: clients go before the gateway.
// Failure:  through gtest; until() gives up after ten seconds.
//
// What is true of every protocol is asked and told in its own words (Ask, Answer) and run for each (Protocol,
// TEST_P); what is HTTP/1.1's alone is written in bytes (Http1Client::send).
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/load.h"
#include "gateway/worker.h"
#include "http/chars.h"
#include "identity/testing.h"
#include "net/testing.h"

namespace gateway::testing_support {

using Fields = std::vector<std::pair<std::string, std::string>>;

struct Ask {
  std::string method = "GET";
  std::string target = "/";
  Fields fields = {};
  bool has_body = false;  // it follows by Client::body() and end()
  std::optional<std::size_t> length = {};
};

struct Answer {
  std::string field(std::string_view name) const {
    for (const auto& [key, value] : fields)
      if (http::iequals(key, name)) return value;
    return "";
  }
  int status = 0;
  Fields fields;
  std::string body;
  bool whole = false;  // false: it broke off
};

class Client {
 public:
  virtual ~Client() = default;
  virtual void ask(const Ask& ask) = 0;
  virtual void body(std::string_view bytes) = 0;
  virtual void end_body() = 0;
  // Takes in what has come; the next whole answer, or one that broke off.
  virtual std::optional<Answer> answer() = 0;
  virtual void leave() = 0;
};

class Http1Client final : public Client {
 public:
  explicit Http1Client(int fd) : fd_(fd) {}
  ~Http1Client() override { leave(); }
  Http1Client(const Http1Client&) = delete;
  Http1Client& operator=(const Http1Client&) = delete;

  void ask(const Ask& ask) override {
    std::string head = ask.method + " " + ask.target + " HTTP/1.1\r\nHost: test\r\n";
    for (const auto& [name, value] : ask.fields) head.append(name).append(": ").append(value).append("\r\n");
    chunked_ = ask.has_body && !ask.length;
    if (ask.length) head += "Content-Length: " + std::to_string(*ask.length) + "\r\n";
    if (chunked_) head += "Transfer-Encoding: chunked\r\n";
    expects(ask.method);
    send(head + "\r\n");
  }
  void body(std::string_view bytes) override {
    if (!chunked_) return send(bytes);
    char size[20];
    std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
    send(size + std::string(bytes) + "\r\n");
  }
  void end_body() override {
    if (chunked_) send("0\r\n\r\n");
  }
  std::optional<Answer> answer() override {
    char bytes[65536];
    for (ssize_t n; !ended_ && (n = ::recv(fd_, bytes, sizeof bytes, 0)) != -1;) {
      if (n == 0) ended_ = true;
      in_.append(bytes, static_cast<std::size_t>(n));
    }
    flush();
    return next();
  }
  void leave() override {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

  // ---- what only this protocol has
  void send(std::string_view bytes) {  // what the socket does not take goes out with the next answer()
    out_ += bytes;
    flush();
  }
  void expects(std::string method) { asked_.push_back(std::move(method)); }
  bool ended() const { return ended_ && in_.empty(); }  // by the gateway, and all of it was taken in
  int interim() const { return interim_; }              // replies of 1xx so far

 private:
  void flush() {
    while (!out_.empty()) {
      const ssize_t n = ::send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL);
      if (n < 0) break;
      out_.erase(0, static_cast<std::size_t>(n));
    }
  }

  std::optional<Answer> next() {
    const std::size_t end = in_.find("\r\n\r\n");
    if (end == in_.npos) return std::nullopt;
    Answer answer;
    answer.status = std::atoi(in_.c_str() + 9);
    for (std::size_t at = in_.find("\r\n") + 2; at < end + 2;) {
      const std::string line = in_.substr(at, in_.find("\r\n", at) - at);
      answer.fields.emplace_back(line.substr(0, line.find(':')), line.substr(line.find(':') + 2));
      at += line.size() + 2;
    }
    std::size_t used = end + 4;
    if (answer.status < 200) {
      ++interim_;
      in_.erase(0, used);
      return next();
    }
    if (!take_body(answer, used) && !ended_) return std::nullopt;
    in_.erase(0, used);
    if (!asked_.empty()) asked_.pop_front();
    return answer;
  }

  // True: it is there whole. Else `answer` has what has come so far.
  bool take_body(Answer& answer, std::size_t& used) {
    const bool none =
        (!asked_.empty() && asked_.front() == "HEAD") || answer.status == 204 || answer.status == 304;
    const std::string length = answer.field("Content-Length");
    if (none) {
      answer.whole = true;
    } else if (http::iequals(answer.field("Transfer-Encoding"), "chunked")) {
      for (std::size_t size = 1; size > 0 && !answer.whole;) {
        const std::size_t line = in_.find("\r\n", used);
        if (line == in_.npos) return false;
        size = std::stoul(in_.substr(used, line - used), nullptr, 16);
        if (in_.size() < line + 2 + size + 2) return false;
        answer.body.append(in_, line + 2, size);
        used = line + 2 + size + 2;
        answer.whole = size == 0;
      }
    } else if (!length.empty()) {
      answer.body = in_.substr(used, std::stoul(length));
      used += answer.body.size();
      answer.whole = answer.body.size() == std::stoul(length);
    } else {  // until the end
      answer.body = in_.substr(used);
      used = in_.size();
      answer.whole = ended_;
    }
    return answer.whole;
  }

  int fd_;
  bool chunked_ = false;  // the body being sent
  bool ended_ = false;
  int interim_ = 0;
  std::string in_, out_;
  std::deque<std::string> asked_;  // methods of what is not answered yet
};

// A name, and how a client of it comes to a gateway's end of a pair of sockets.
struct Protocol {
  const char* name;
  std::unique_ptr<Client> (*client)(int fd);
};
inline constexpr Protocol kHttp1{
    "Http1", [](int fd) -> std::unique_ptr<Client> { return std::make_unique<Http1Client>(fd); }};

class SessionTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ::signal(SIGPIPE, SIG_IGN); }
  ~SessionTest() override {
    worker_.finish_drain();
    worker_.run();
  }

  // All of a configuration but `listen`.
  void configure(const std::string& text) {
    worker_.prepare(std::make_shared<const Snapshot>(
        config::load_text("listen: 127.0.0.1:8080\n" + text, "test.yaml",
                          [](const std::string&) { return identity::kSecret; }),
        Registries{.rates = rates_, .gates = gates_, .healths = healths_}));
    worker_.commit();
  }
  // One route, to an http origin at that port of this host.
  void configure_origin(std::uint16_t port, const std::string& more = "", const std::string& rest = "") {
    configure("origins: { app: { type: http, url: \"http://127.0.0.1:" + std::to_string(port) + "\" } }\n" +
              rest + "\nroutes: [ { path: /, origin: app" + (more.empty() ? "" : ", ") + more + " } ]\n");
  }

  // The client's end of a new connection.
  int connect() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    worker_.tasks().spawn(Connection::run(
        std::make_unique<Connection>(worker_, ends[1], *net::Endpoint::parse("192.0.2.7", 40000),
                                     serve::Opening::kRequest, connections_.take())));
    return ends[0];
  }

  // Lets the worker run until `done` says so.
  bool until(const std::function<bool()>& done) {
    bool met = false;
    worker_.tasks().spawn(poll(worker_.loop(), done, met));
    worker_.run();
    return met;
  }
  Answer answer_to(Client& client) {
    std::optional<Answer> got;
    EXPECT_TRUE(until([&] { return (got = client.answer()).has_value(); })) << "no answer";
    return got.value_or(Answer{});
  }
  std::uint64_t open_connections() const { return connections_.open(); }
  std::uint64_t queued() const {  // requests that wait for a place
    std::uint64_t all = 0;
    for (const auto& [of, name, stats] : gates_.stats()) all += stats.queued;
    return all;
  }

  // An origin that ends with the test: nobody keeps a connection to it.
  class Server : public net::testing::TestServer {
   public:
    template <class Script>
    Server(SessionTest& test, Script script) : TestServer(std::move(script)), worker_(test.worker_) {}
    ~Server() {
      for (const auto& [name, origin] : worker_.snapshot()->origins) origin->close_idle();
    }

   private:
    Worker& worker_;
  };

 private:
  static net::Task<> poll(net::Loop& loop, const std::function<bool()>& done, bool& met) {
    net::Event pause(loop);
    const base::Mono give_up = base::mono_now() + base::Seconds(10);
    while (!(met = done()) && base::mono_now() < give_up)
      co_await pause.wait(base::mono_now() + base::Millis(1));
    loop.stop();
  }
  static bool store(void* memory, base::Ref<const cache::Entry> entry) {
    return static_cast<cache::Memory*>(memory)->put(std::move(entry));
  }

  cache::Memory memory_{64 << 20};
  base::Account account_{1ULL << 40};
  cache::Fills fills_{16 << 20, 64 << 20, account_, &store, &memory_, memory_.writes()};
  cache::Loans loans_{memory_};
  net::Dns look_ups_;
  limit::Rates rates_{config::Limits{}};
  limit::Failures failures_{config::Limits{}};
  limit::Gates gates_;
  upstream::Healths healths_;
  telemetry::WorkerMetrics metrics_;
  limit::Connections connections_{1000};
  Worker worker_{{.memory = memory_,
                  .fills = fills_,
                  .loans = loans_,
                  .account = account_,
                  .look_ups = look_ups_,
                  .rates = rates_,
                  .failures = failures_,
                  .connections = connections_},
                 metrics_,
                 nullptr};
};

}  // namespace gateway::testing_support
