// Which of a name's addresses is tried when: "happy eyeballs", without sockets. dial.cc moves it.
//
// Owner:    Race: one connect(). Laggards: a Resolver, for all that is dialled on its loop.
// Thread:   the loop's own.
// Lifetime: a Race ends with the first address that accepts; a laggard is forgotten after kRemembered.
// Standard: RFC 8305 §4 (families in turn), §5 (a next attempt after 250 ms, or at once when one has failed),
//           §8 (the values). That is of TCP: a TLS handshake does not take part.
// Failure:  none.
//
// An address that had 250 ms and was overtaken, or that had not answered when time was up, is tried last for
// a minute: one that is black-holed costs 250 ms once, and not for each new connection.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "net/address.h"

namespace net {

class Laggards {
 public:
  static constexpr base::Nanos kRemembered = base::Seconds(60);
  static constexpr std::size_t kMost = 256;

  bool knows(const Endpoint& address, base::Mono now) const;
  void add(const Endpoint& address, base::Mono now);
  void forget(const Endpoint& address);

 private:
  struct One {
    std::array<std::uint8_t, 16> bytes;
    std::uint16_t port;
    base::Mono until;
    bool operator==(const Endpoint& address) const {
      return bytes == address.bytes() && port == address.port();
    }
  };
  std::vector<One> all_;  // the oldest first
};

// The order in which these are tried. They come as the resolver prefers them; the families take turns, and
// who is known to lag is last.
std::vector<Endpoint> in_turn(const std::vector<Endpoint>& addresses, const Laggards& laggards,
                              base::Mono now);

class Race {
 public:
  static constexpr base::Nanos kHeadStart = base::Millis(250);

  explicit Race(std::size_t addresses) : size_(addresses) {}

  // The number of the address whose turn it is now; none: not yet, or all have had theirs.
  std::optional<std::size_t> start(base::Mono now) {
    if (started_ == size_ || (running_ > 0 && now < next_)) return std::nullopt;
    ++running_;
    next_ = now + kHeadStart;
    return started_++;
  }
  // One of those under way has come to nothing: the next needs wait no longer.
  void failed() {
    --running_;
    next_ = base::Mono::min();
  }
  // There is no room for one more beside those under way.
  void put_off(base::Mono now) { next_ = now + kHeadStart; }

  base::Mono next() const { return started_ == size_ ? base::Mono::max() : next_; }  // when to call start()
  bool running() const { return running_ > 0; }
  bool due(base::Mono now) const { return started_ < size_ && (running_ == 0 || now >= next_); }
  bool lost() const { return running_ == 0 && started_ == size_; }

 private:
  const std::size_t size_;
  std::size_t started_ = 0;
  std::size_t running_ = 0;
  base::Mono next_ = base::Mono::min();
};

}  // namespace net
