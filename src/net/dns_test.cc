#include "net/dns.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace net {
namespace {

using base::Millis;
using base::Seconds;

// Answers each question for A by what its name begins with: "good", "none" (no such name), "sick" (SERVFAIL);
// all others not at all. Nothing is known for AAAA.
class Server {
 public:
  Server() : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    address_ = *Endpoint::parse("127.0.0.1", 0);
    if (::bind(fd_, address_.raw(), address_.length) != 0) std::abort();
    ::getsockname(fd_, address_.raw(), &address_.length);
    thread_ = std::thread([this] {
      while (!closing_) serve();
    });
  }
  ~Server() {
    closing_ = true;
    thread_.join();
    ::close(fd_);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  const Endpoint& address() const { return address_; }
  int asked() const { return asked_; }  // for A

 private:
  void serve() {
    pollfd wait{.fd = fd_, .events = POLLIN, .revents = 0};
    if (::poll(&wait, 1, 10) <= 0) return;
    std::array<char, 512> in;
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    const ssize_t n = ::recvfrom(fd_, in.data(), in.size(), 0, reinterpret_cast<sockaddr*>(&peer), &size);
    if (n < 20) return;
    std::string text(in.data(), static_cast<std::size_t>(n));
    const std::string name = text.substr(13, 4);
    const std::size_t end = text.find('\0', 12) + 5;  // of the question
    const bool a = text[end - 3] == 1;
    if (a) ++asked_;
    if (name != "good" && name != "none" && name != "sick") return;
    const bool found = a && name == "good";
    std::string out = text.substr(0, 2) + "\x81" +
                      (name == "none"   ? '\x83'
                       : name == "sick" ? '\x82'
                                        : '\x80');
    out +=
        std::string("\0\1\0", 3) + (found ? '\1' : '\0') + std::string(4, '\0') + text.substr(12, end - 12);
    if (found) out += std::string("\xc0\x0c\0\1\0\1\0\0\0\x07\0\4\xc0\0\2\1", 16);
    ::sendto(fd_, out.data(), out.size(), 0, reinterpret_cast<const sockaddr*>(&peer), size);
  }

  const int fd_;
  Endpoint address_;
  std::atomic<int> asked_{0};
  std::atomic<bool> closing_{false};
  std::thread thread_;
};

// What has been told, by whichever thread.
class Ear {
 public:
  LookUps::Told hears() {
    return [this](const Answer& answer) {
      const std::lock_guard guard(lock_);
      told_.push_back(answer);
      more_.notify_all();
    };
  }
  // The answer with that number; nothing after ten seconds.
  std::optional<Answer> heard(std::size_t number = 0) {
    std::unique_lock guard(lock_);
    if (!more_.wait_for(guard, Seconds(10), [&] { return told_.size() > number; })) return std::nullopt;
    return told_[number];
  }
  std::size_t count() {
    const std::lock_guard guard(lock_);
    return told_.size();
  }

 private:
  std::mutex lock_;
  std::condition_variable more_;
  std::vector<Answer> told_;
};

std::atomic<int> system_asked = 0;
std::atomic<bool> hold = false;
std::vector<Endpoint> by_the_system(const std::string&, std::uint16_t port) {
  ++system_asked;
  while (hold) ::poll(nullptr, 0, 1);
  return {*Endpoint::parse("192.0.2.9", port)};
}

class DnsTest : public ::testing::Test {
 protected:
  DnsTest() { system_asked = 0, hold = false; }
  ~DnsTest() override { hold = false; }
  // The address, or "none", or "" where nothing is told.
  std::string ask(Dns& dns, const std::string& host, bool in_dns = false) {
    Ear ear;
    dns.ask({.host = host, .failing = false, .in_dns = in_dns}, ear.hears());
    const auto answer = ear.heard();
    if (!answer) return "";
    return answer->addresses.empty() ? "none" : answer->addresses.front().host();
  }
  LookUpRules rules(Millis timeout = Millis(5'000), Millis longest = Millis(60'000)) const {
    return {.servers = {server.address()}, .timeout = timeout, .tries = 1, .longest = longest};
  }
  Server server;
};

TEST_F(DnsTest, TellsAddressesAndTheirTtl) {
  Dns dns(rules(), &by_the_system);
  Ear ear;
  dns.ask({.host = "good.test"}, ear.hears());
  const auto answer = ear.heard();
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->addresses.size(), 1U);
  EXPECT_EQ(answer->addresses[0].host(), "192.0.2.1");
  EXPECT_EQ(answer->ttl, base::Nanos(Seconds(7)));
  EXPECT_EQ(system_asked, 0);
}

TEST_F(DnsTest, SilentNamesHoldUpNoOther) {
  Dns dns(rules(Millis(60'000)), &by_the_system);
  Ear silent;
  for (std::size_t i = 0; i < Dns::kFailing + 10; ++i)
    dns.ask({.host = "mute" + std::to_string(i) + ".test", .failing = true}, silent.hears());
  EXPECT_EQ(ask(dns, "good.test"), "192.0.2.1");
  EXPECT_EQ(silent.count(), 0U);
}

TEST_F(DnsTest, AsksOnceForAllWhoWantToKnowAtATime) {
  Dns dns(rules(Millis(300)), &by_the_system);
  Ear ear;
  for (int i = 0; i < 5; ++i) dns.ask({.host = "mute.test"}, ear.hears());
  ASSERT_TRUE(ear.heard(4));
  EXPECT_EQ(server.asked(), 1);
}

TEST_F(DnsTest, AsksTheSystemOnlyForWhatDnsDeniesAndNeverKnew) {
  Dns dns(rules(Millis(50)), &by_the_system);
  EXPECT_EQ(ask(dns, "none.test"), "192.0.2.9");
  EXPECT_EQ(system_asked, 1);
  EXPECT_EQ(ask(dns, "none.test", true), "none") << "what the system says may be stale";
  EXPECT_EQ(ask(dns, "sick.test"), "none");
  EXPECT_EQ(ask(dns, "mute.test"), "none");
  EXPECT_EQ(system_asked, 1);
  LookUpRules named = rules();
  named.system = false;
  Dns only(named, &by_the_system);
  EXPECT_EQ(ask(only, "none.test"), "none");
  EXPECT_EQ(system_asked, 1);
}

TEST_F(DnsTest, WhatTheSystemSaysIsNotForWhoHasHadItFromDns) {
  Dns dns(rules(), &by_the_system);
  Ear knew, never_knew;
  hold = true;  // so that both are there when it is told
  dns.ask({.host = "none.test"}, never_knew.hears());
  dns.ask({.host = "none.test", .in_dns = true}, knew.hears());
  hold = false;
  ASSERT_TRUE(knew.heard() && never_knew.heard());
  EXPECT_TRUE(knew.heard()->addresses.empty());
  EXPECT_EQ(never_knew.heard()->addresses.size(), 1U);
}

TEST_F(DnsTest, ASystemThatHangsHoldsUpNeitherDnsNorWhoAskedNorTheEnd) {
  hold = true;
  {
    Dns dns(rules(Millis(5'000), Millis(200)), &by_the_system);
    Ear ear;
    for (int i = 0; i < 4; ++i) dns.ask({.host = "none" + std::to_string(i) + ".test"}, ear.hears());
    EXPECT_EQ(ask(dns, "good.test"), "192.0.2.1");
    ASSERT_TRUE(ear.heard(3)) << "told when the time is over";
    EXPECT_TRUE(ear.heard(0)->addresses.empty());
  }
  EXPECT_LE(system_asked, 2);
}

TEST_F(DnsTest, ALookUpAsAWholeHasItsTime) {
  Dns dns(rules(Millis(30'000), Millis(100)), &by_the_system);
  EXPECT_EQ(ask(dns, "mute.test"), "none");
}

TEST_F(DnsTest, WhatIsUnderWayAtTheEndIsDropped) {
  Ear ear;
  {
    Dns dns(rules(Millis(30'000)), &by_the_system);
    for (int i = 0; i < 3; ++i) dns.ask({.host = "mute" + std::to_string(i) + ".test"}, ear.hears());
  }
  EXPECT_EQ(ear.count(), 0U);
}

}  // namespace
}  // namespace net
