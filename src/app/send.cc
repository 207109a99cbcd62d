#include "app/send.h"

#include <algorithm>
#include <memory>

namespace app {

namespace {

constexpr std::size_t kPiece = 16 << 10;  // of a pulled body

net::Task<base::Result<>> send_pulled(Pulled& pulled, serve::Downstream down) {
  const auto piece = std::make_unique_for_overwrite<char[]>(kPiece);
  std::uint64_t left = pulled.length.value_or(UINT64_MAX);
  while (left > 0) {
    const auto n = co_await pulled.from->read({piece.get(), std::min<std::uint64_t>(kPiece, left)});
    if (!n) co_return std::unexpected(n.error());
    if (*n == 0) break;
    left -= *n;
    if (const auto sent = co_await down.send({piece.get(), *n}); !sent) co_return sent;
  }
  if (pulled.length && left > 0)
    co_return base::fail(base::Code::kInternal, "an answer is shorter than it said");
  co_return co_await down.finish();
}

}  // namespace

net::Task<base::Result<>> send(Answer& answer, bool bare, serve::Out& out, serve::Downstream down) {
  const auto length = answer.length();
  const std::string_view text = bare ? std::string_view() : answer.text();
  const iovec part{const_cast<char*>(text.data()), text.size()};
  const serve::Begun begun =
      down.begin(out, {.status = answer.status, .length = length, .streams = !length && !bare},
                 std::span(&part, text.empty() ? 0 : 1));
  if (begun.sent == serve::Sent::kGone) co_return base::fail(base::Code::kClientGone, "the client has left");
  if (!bare) {
    if (auto* pulled = std::get_if<Pulled>(&answer.body)) co_return co_await send_pulled(*pulled, down);
    if (const auto* file = std::get_if<File>(&answer.body)) {
      const auto sent = co_await down.send_file(file->fd(), file->offset(), file->length());
      if (!sent) co_return sent;
      co_return co_await down.finish();
    }
  }
  if (begun.sent == serve::Sent::kAll) co_return base::Result<>{};
  if (const auto sent = co_await down.send(text.substr(begun.body)); !sent) co_return sent;
  co_return co_await down.finish();
}

}  // namespace app
