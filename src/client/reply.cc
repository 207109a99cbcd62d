#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <charconv>

#include "client/reply_maker.h"
#include "net/descriptors.h"

namespace client {

using base::Code;
using base::fail;

void OwnHead::add(http::FieldId id, std::string_view name, std::string_view value) {
  head_.fields.push(keep(name), keep(value), id);
}

void OwnHead::set_length(std::uint64_t length) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, length).ptr;
  head_.content_length = length;
  add(http::FieldId::kContentLength, {digits, end});
}

std::string_view OwnHead::keep(std::string_view text) {
  assert(text_.size() + text.size() <= text_.capacity());
  const std::size_t at = text_.size();
  text_ += text;
  return std::string_view(text_).substr(at);
}

// Exactly one of connection, own.
struct Reply::State {
  ~State() {
    if (connection) pool->give_back(std::move(connection));
    if (file.fd < 0) return;
    ::close(file.fd);
    net::descriptors().given_back();
  }

  base::Mono requested{};
  base::Mono received = base::mono_now();
  http::ResponseHead* head = nullptr;

  base::Ref<Pool> pool;
  std::unique_ptr<Connection> connection;

  std::unique_ptr<OwnHead> own;
  std::unique_ptr<ComposedBody> composed;  // else the file
  File file;
  std::uint64_t position = 0;  // in the file
  base::Nanos idle_timeout = base::Seconds(30);
};

Reply::Reply() = default;
Reply::Reply(Reply&&) noexcept = default;
Reply& Reply::operator=(Reply&&) noexcept = default;
Reply::~Reply() = default;

const http::ResponseHead& Reply::head() const {
  return *state_->head;
}

std::optional<std::uint64_t> Reply::length() const {
  switch (head().framing) {
    case http::Framing::kNone:
      return 0;
    case http::Framing::kLength:
      return head().content_length;
    default:
      return std::nullopt;
  }
}

const File* Reply::file() const {
  return state_->file.fd >= 0 ? &state_->file : nullptr;
}

net::Task<base::Result<std::size_t>> Reply::read(std::span<char> out, net::Cancel* cancel) {
  State& state = *state_;
  if (state.connection) {
    const net::CancelLink link(cancel, state.connection->stream().watch());
    co_return co_await state.connection->read_body(out, state.idle_timeout);
  }
  if (state.composed) co_return co_await state.composed->read(out, cancel);
  const std::uint64_t left = state.file.fd >= 0 ? state.file.size - state.position : 0;
  if (left == 0) co_return std::size_t{0};
  const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), left));
  ssize_t n = 0;
  do {
    n = ::pread(state.file.fd, out.data(), want, static_cast<off_t>(state.position));
  } while (n < 0 && errno == EINTR);
  if (n <= 0)
    co_return fail(Code::kOriginBadReply, "the file became shorter or unreadable while it was sent");
  state.position += static_cast<std::uint64_t>(n);
  co_return static_cast<std::size_t>(n);
}

net::Task<base::Result<>> Reply::wait(net::Cancel* cancel) {
  if (!state_->connection) co_return base::Result<>{};
  const net::CancelLink link(cancel, state_->connection->stream().watch());
  co_return co_await state_->connection->wait_body(state_->idle_timeout);
}

net::Stream* Reply::spliceable() {
  Connection* const connection = state_->connection.get();
  if (!connection || connection->stream().tls() || head().framing != http::Framing::kLength) return nullptr;
  return connection->left() > 0 ? &connection->stream() : nullptr;
}

std::string_view Reply::buffered() const {
  return state_->connection ? state_->connection->buffered() : std::string_view();
}
void Reply::consume_buffered(std::size_t n) {
  state_->connection->consume_buffered(n);
}
std::uint64_t Reply::left() const {
  return state_->connection ? state_->connection->left() : 0;
}
void Reply::relayed(std::uint64_t n) {
  state_->connection->relayed(n);
}
base::Nanos Reply::idle_timeout() const {
  return state_->idle_timeout;
}

net::Stream Reply::take_stream(std::string& leftover) {
  const std::string_view rest = state_->connection->behind_head();
  leftover.assign(rest);
  net::Stream stream = std::move(state_->connection->stream());
  stream.uncancel();
  stream.clear_deadline();
  return stream;
}

base::Mono Reply::requested_at() const {
  return state_->requested;
}
base::Mono Reply::received_at() const {
  return state_->received;
}

Reply ReplyMaker::of(base::Ref<Pool> pool, std::unique_ptr<Connection> connection, base::Mono requested) {
  Reply reply;
  reply.state_ = std::make_unique<Reply::State>();
  reply.state_->requested = requested;
  reply.state_->head = &connection->head();
  reply.state_->idle_timeout = pool->timeouts().idle;
  reply.state_->pool = std::move(pool);
  reply.state_->connection = std::move(connection);
  return reply;
}

Reply ReplyMaker::of(File file, std::unique_ptr<OwnHead> head, bool with_body, base::Mono requested) {
  Reply reply;
  reply.state_ = std::make_unique<Reply::State>();
  reply.state_->requested = requested;
  reply.state_->head = &head->head();
  reply.state_->own = std::move(head);
  reply.state_->file = file;
  if (!with_body) {  // the file stands for the object all the same: conditions are held against it
    reply.state_->head->framing = http::Framing::kNone;
    reply.state_->position = file.size;
  }
  return reply;
}

Reply ReplyMaker::of(std::unique_ptr<ComposedBody> body, std::unique_ptr<OwnHead> head, base::Mono requested,
                     base::Nanos idle_timeout) {
  Reply reply;
  reply.state_ = std::make_unique<Reply::State>();
  reply.state_->requested = requested;
  reply.state_->head = &head->head();
  reply.state_->own = std::move(head);
  reply.state_->composed = std::move(body);
  reply.state_->idle_timeout = idle_timeout;
  return reply;
}

http::ResponseHead& ReplyMaker::head(Reply& reply) {
  return *reply.state_->head;
}

}  // namespace client
