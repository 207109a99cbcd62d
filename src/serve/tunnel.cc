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

// Bytes, or the end of them. A tunnel that says nothing for minutes holds no buffer meanwhile.
net::Task<bool> some(net::Stream& from) {
  while (!from.something_to_read())
    if (co_await from.readable() != net::Wake::kReady) co_return false;
  co_return true;
}

// One direction. The deadlines are the streams' own, so that a word in either direction keeps both alive.
net::Task<> pump(Sides s) {
  base::CopyBuffer buffer(s.account);
  for (;;) {
    s.from.set_deadline(s.idle);
    if (!s.from.something_to_read()) buffer.release();
    if (!co_await some(s.from)) {
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
