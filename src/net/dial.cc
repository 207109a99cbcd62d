#include "net/dial.h"

#include <netinet/tcp.h>
#include <unistd.h>

#include <cerrno>
#include <deque>

#include "net/descriptors.h"
#include "net/scope.h"

namespace net {

namespace {

Error why_not(int error) {
  switch (error) {
    case ECONNREFUSED:
      return {Fault::kRefused, "the connection was refused"};
    case EADDRNOTAVAIL:
      return {Fault::kNoRoom, "no port left for a connection"};
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      return {Fault::kNoRoom, "no descriptor left for a connection"};
    default:
      return {Fault::kUnreachable, "the address cannot be reached"};
  }
}

struct Attempt {
  enum class State : std::uint8_t { kWaits, kConnected, kFailed, kGivenUp };
  explicit Attempt(const Endpoint& address) : to(address) {}

  void fail(Error error) {
    state = State::kFailed;
    why = error;
  }
  void begin(Loop& loop);
  void finish();

  const Endpoint& to;
  base::Mono began{};
  Stream stream;
  State state = State::kWaits;
  bool told = false;  // the race knows how it ended
  Error why;
};

void Attempt::begin(Loop& loop) {
  began = loop.now();
  const int fd = ::socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail(why_not(errno));
  const int one = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (::connect(fd, to.raw(), to.length) == 0)
    state = State::kConnected;
  else if (errno != EINPROGRESS) {
    fail(why_not(errno));
    ::close(fd);
    return;
  }
  stream = Stream(loop, fd);
  if (!stream.open()) return fail({Fault::kNoRoom, "no room to watch a connection"});
  if (state == State::kWaits) stream.watch().writable = false;
}

void Attempt::finish() {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(stream.fd(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return fail(why_not(error));
  state = State::kConnected;
}

Task<> follow(Attempt& attempt, Event& news, Cancel& stop) {
  Wake wake;
  {
    const CancelLink link(&stop, attempt.stream.watch());
    wake = co_await attempt.stream.writable();
  }
  if (wake == Wake::kReady)
    attempt.finish();
  else
    attempt.state = Attempt::State::kGivenUp;
  news.set();
}

// One connect(): moves a Race with sockets.
class Dial {
 public:
  Dial(Loop& loop, std::vector<Endpoint> addresses)
      : loop_(loop),
        addresses_(std::move(addresses)),
        race_(addresses_.size()),
        news_(loop),
        running_(loop) {}

  Task<Result<Stream>> run(base::Mono deadline, Cancel* cancel) {
    {
      const CancelLink link(cancel, news_);
      while (start_due() && !race_.lost()) {
        const Wake wake = co_await news_.wait(std::min(deadline, race_.next()));
        if (wake == Wake::kCancelled) {
          last_ = {Fault::kCancelled, "cancelled"};
          break;
        }
        if (wake == Wake::kReady && hear()) break;
        if (wake == Wake::kTimeout && loop_.now() >= deadline) {
          last_ = {Fault::kTimedOut, "no connection was accepted in time"};
          break;
        }
      }
    }
    stop_.request();
    co_await running_.drained();
    if (won_) co_return std::move(won_->stream);
    co_return std::unexpected(last_);
  }

  void remember(Laggards& laggards) const {
    if (won_) laggards.forget(won_->to);
    if (last_.fault == Fault::kCancelled || addresses_.size() < 2) return;
    for (const Attempt& attempt : attempts_) {
      if (&attempt == won_) break;  // who began later has not been overtaken
      if (attempt.state == Attempt::State::kGivenUp && loop_.now() - attempt.began >= Race::kHeadStart)
        laggards.add(attempt.to, loop_.now());
    }
  }

 private:
  // Everybody whose turn it is; false when one of them has won at once.
  bool start_due() {
    while (race_.due(loop_.now())) {
      if (race_.running() && !descriptors().room(Descriptors::For::kRequest)) {
        race_.put_off(loop_.now());
        break;
      }
      const auto number = race_.start(loop_.now());
      if (!number) break;
      Attempt& attempt = attempts_.emplace_back(addresses_[*number]);
      attempt.begin(loop_);
      if (attempt.state == Attempt::State::kWaits)
        running_.spawn(follow(attempt, news_, stop_));
      else if (tell(attempt))
        return false;
    }
    return true;
  }

  // What has become of those under way; true when one of them has won.
  bool hear() {
    for (Attempt& attempt : attempts_)
      if (!attempt.told && attempt.state != Attempt::State::kWaits && tell(attempt)) return true;
    return false;
  }

  bool tell(Attempt& attempt) {
    attempt.told = true;
    if (attempt.state == Attempt::State::kConnected) {
      won_ = &attempt;
      return true;
    }
    last_ = attempt.why;
    attempt.stream.close();
    race_.failed();
    return false;
  }

  Loop& loop_;
  const std::vector<Endpoint> addresses_;
  Race race_;
  std::deque<Attempt> attempts_;  // as they began; they do not move
  Attempt* won_ = nullptr;
  Error last_{Fault::kNoName, "the name has no address"};
  Event news_;
  Cancel stop_;
  Scope running_;
};

}  // namespace

Task<Result<Stream>> connect(Loop& loop, const std::vector<Endpoint>& addresses, base::Mono deadline,
                             Cancel* cancel, Laggards* laggards) {
  const Laggards none;
  Dial dial(loop, in_turn(addresses, laggards ? *laggards : none, loop.now()));
  auto stream = co_await dial.run(deadline, cancel);
  if (laggards) dial.remember(*laggards);
  co_return stream;
}

}  // namespace net
