#include "serve/tunnel.h"

#include <array>
#include <memory>

#include "base/copy_buffer.h"
#include "net/scope.h"

namespace serve {

namespace {

constexpr std::size_t kBuffer = 16 << 10;

struct Sides {
  net::Stream& from;
  net::Stream& to;
  base::Nanos idle;
  std::uint64_t& moved;
  base::Account* account;
};

// One direction, which holds no buffer while it waits, be it for minutes. The deadlines are the streams' own,
// so that a word in either direction keeps both alive.
net::Task<> pump(Sides s) {
  base::CopyBuffer buffer(s.account);
  for (;;) {
    s.from.set_deadline(s.idle);
    bool there = s.from.something_to_read();
    if (!there) buffer.release();
    while (!there && co_await s.from.readable() == net::Wake::kReady) there = s.from.something_to_read();
    if (!there) {
      s.to.cancel(), s.from.cancel();
      co_return;
    }
    buffer.take(kBuffer);
    const auto n = co_await s.from.read(buffer.all());
    if (!n || *n == 0) {
      if (n)
        co_await s.to.end_writing();  // that side is done talking; the other may go on
      else
        s.to.cancel(), s.from.cancel();
      co_return;
    }
    s.to.set_deadline(s.idle);
    if (!co_await s.to.write_all({buffer.all().data(), *n})) {
      s.to.cancel(), s.from.cancel();
      co_return;
    }
    s.moved += *n;
  }
}

}  // namespace

net::Task<Tunnelled> tunnel(net::Stream& client, net::Stream& other, std::string_view pending,
                            base::Nanos idle, base::Account* account) {
  Tunnelled moved;
  other.set_deadline(idle);
  if (!pending.empty() && !co_await other.write_all(pending)) co_return moved;
  moved.up = pending.size();
  net::Scope both(client.loop());
  both.spawn(pump({client, other, idle, moved.up, account}));
  both.spawn(pump({other, client, idle, moved.down, account}));
  co_await both.drained();
  co_return moved;
}

}  // namespace serve
