#include "client/http1.h"

#include <cstring>
#include <memory>
#include <optional>

#include "base/copy_buffer.h"
#include "client/reply_maker.h"
#include "http/websocket.h"

namespace client {

using base::Code;
using base::fail;

namespace {

constexpr std::size_t kPiece = 64 << 10;
constexpr std::size_t kFraming = http::kChunkHeaderMax + 2;  // around it, so that a chunk is one write

std::span<char> room_in(base::CopyBuffer& buffer) {
  return buffer.all().subspan(http::kChunkHeaderMax, buffer.all().size() - kFraming);
}

struct Progress {
  bool client_failed = false;  // the Error is the Upload's
  base::Mono requested{};
};

// Ends a wait for the client's bytes when the server says something, or closes, or when nobody is to wait any
// more (RFC 9112 section 9.5).
class Interrupt final : net::Cancellable {
 public:
  Interrupt(net::Upload& body, net::Watch& server, net::Cancel* cancel)
      : Cancellable(&Interrupt::on_cancel), body_(body), server_(server), link_(cancel, *this) {
    before_ = body.interrupt_by(&end_);
    server.on_input = &end_;
  }
  ~Interrupt() {
    server_.on_input = nullptr;
    body_.interrupt_by(before_);
  }
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  void again() { end_.reset(); }

 private:
  static void on_cancel(net::Cancellable& self) { static_cast<Interrupt&>(self).end_.request(); }

  net::Cancel end_;
  net::Upload& body_;
  net::Watch& server_;
  net::Cancel* before_ = nullptr;
  const net::CancelLink link_;
};

// The next piece of the body, behind room for a chunk's header; none: a reply came first. A client that drips
// less than a piece at a time holds no buffer meanwhile.
net::Task<base::Result<std::optional<std::size_t>>> next_piece(Connection& connection,
                                                               const Question& question,
                                                               base::CopyBuffer& buffer, net::Cancel* cancel,
                                                               Progress& progress) {
  Interrupt interrupt(*question.body, connection.stream().watch(), cancel);
  for (;;) {
    const auto early = connection.hear(question.method);
    if (!early) co_return std::unexpected(early.error());
    if (*early) co_return std::nullopt;
    auto got = base::Result<std::size_t>(0);
    if (!buffer) {
      if (const auto there = co_await question.body->wait(); !there)
        got = std::unexpected(there.error());
      else
        buffer.take(kPiece, kFraming);
    }
    if (got) got = co_await question.body->read(room_in(buffer));
    if (got) co_return *got;
    const bool interrupted = got.error().code == Code::kCancelled;
    if (!interrupted || (cancel && cancel->requested())) {
      progress.client_failed = !interrupted;
      co_return std::unexpected(got.error());
    }
    interrupt.again();  // it was an interim reply, or nothing yet
  }
}

// Sends the body; true when a reply came first.
net::Task<base::Result<bool>> upload(Connection& connection, const Question& question, base::Nanos idle,
                                     net::Cancel* cancel, Progress& progress) {
  base::CopyBuffer buffer(question.account);
  const bool chunked = question.framing == http::Framing::kChunked;
  std::uint64_t left = question.content_length;
  while (chunked || left > 0) {
    const auto got = co_await next_piece(connection, question, buffer, cancel, progress);
    if (!got) co_return std::unexpected(got.error());
    if (!*got) co_return true;
    char* const data = room_in(buffer).data();
    std::string_view piece(data, **got);
    if (chunked) {
      if (piece.empty()) break;
      char header[http::kChunkHeaderMax];
      const std::size_t n = http::write_chunk_header(piece.size(), header);
      std::memcpy(data - n, header, n);
      data[piece.size()] = '\r';
      data[piece.size() + 1] = '\n';
      piece = {data - n, n + piece.size() + 2};
    } else {
      if (piece.empty() || piece.size() > left) {
        progress.client_failed = true;
        co_return fail(Code::kBadRequest, "the body is not as long as its Content-Length");
      }
      left -= piece.size();
    }
    const auto early = co_await connection.send(piece, question.method, idle);
    if (!early || *early) co_return early;
    if (**got < room_in(buffer).size()) buffer.release();
  }
  if (!chunked) co_return false;
  co_return co_await connection.send(http::kLastChunk, question.method, idle);
}

net::Task<base::Result<>> converse(Connection& connection, const Question& question,
                                   const config::OriginTimeouts& timeouts, net::Cancel* cancel,
                                   Progress& progress) {
  connection.begin_exchange(question.interims);
  progress.requested = base::mono_now();
  auto early = co_await connection.send(question.head, question.method, timeouts.idle);
  if (early && !*early && question.body)
    early = co_await upload(connection, question, timeouts.idle, cancel, progress);
  if (!early) co_return std::unexpected(early.error());
  if (!*early) connection.request_complete();
  const auto head = co_await connection.read_head(question.method, timeouts.first_byte);
  if (!head) co_return std::unexpected(head.error());
  if (connection.head().status != 101) co_return base::Result<>{};
  if (!question.websocket)
    co_return fail(Code::kOriginBadReply, "the origin switches protocols without being asked");
  co_return http::check_switch(*question.websocket, connection.head());
}

}  // namespace

net::Task<base::Result<Reply>> exchange(base::Ref<Pool> pool, const Question& question, net::Cancel* cancel) {
  Stats& stats = pool->stats();
  const bool whole = !question.body || question.body->rewind();
  const bool repeatable = http::is_idempotent(question.method) && whole;
  Progress progress;
  for (bool retry = false;; retry = true) {
    std::unique_ptr<Connection> connection;
    if (!retry) connection = pool->take_idle(!repeatable);
    const bool kept = connection != nullptr;
    if (kept) {
      stats.count(telemetry::OriginConnection::kReused);
    } else {
      auto dialled = co_await pool->dial(cancel);
      if (!dialled) {
        if (dialled.error().code != Code::kCancelled) stats.failed.add();
        co_return std::unexpected(dialled.error());
      }
      stats.count(telemetry::OriginConnection::kOpened);
      connection = std::move(*dialled);
    }
    const net::CancelLink link(cancel, connection->stream().watch());
    const auto done = co_await converse(*connection, question, pool->timeouts(), cancel, progress);
    if (question.sent && connection->begun()) *question.sent = true;
    if (done) co_return ReplyMaker::of(std::move(pool), std::move(connection), progress.requested);

    const bool died_unused = kept && !connection->replied() && done.error().code == Code::kOriginRefused;
    if (died_unused && (repeatable || !connection->begun())) {
      if (question.body) question.body->rewind();  // to no effect where it is not whole: nothing was read
      stats.count(telemetry::OriginConnection::kRetried);
      continue;
    }
    if (!progress.client_failed && done.error().code != Code::kCancelled) stats.failed.add();
    co_return std::unexpected(done.error());
  }
}

}  // namespace client
