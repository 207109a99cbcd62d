#include "serve/http1.h"

#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <utility>

#include "base/sabotage.h"
#include "http/proxy_protocol.h"
#include "http/reason.h"
#include "serve/tunnel.h"
#include "telemetry/oplog.h"

namespace serve {

using base::Code;
using base::fail;

namespace {

constexpr base::Nanos kLastWord = base::Seconds(1);  // for a first request, when the thread is closing
constexpr std::size_t kGather = 16;
constexpr std::size_t kCopy = 64 << 10;
constexpr std::uint64_t kInARow = 1 << 20;  // bytes to one client, until others have their turn

constexpr std::string_view kStatusOk = "HTTP/1.1 200 OK\r\n";

iovec part_of(std::string_view bytes) {
  return {const_cast<char*>(bytes.data()), bytes.size()};
}

void spoil(std::string& out) {
  if (out.ends_with("\r\n\r\n")) return;  // no body
  if (sabotage::one_in("reply-corrupt", 500)) out.back() ^= 1;
  if (sabotage::one_in("reply-short", 500)) out.pop_back();
}

}  // namespace

Http1::Http1(Shared& shared, int fd, const net::Endpoint& peer, Opening opening)
    : shared_(shared),
      client_(shared.loop, fd),
      peer_(peer),
      idle_since_(shared.loop.now()),
      awaits_proxy_header_(opening == Opening::kProxyHeader) {}

// ---- requests

Http1::Input Http1::receive() {
  if (!client_.watch().readable) return Input::kMore;
  input_.take(shared_.buffers);
  const bool first_bytes = input_.empty();
  if (first_bytes) input_.begin = input_.end = 0;
  const ssize_t n = client_.try_read(input_.room());
  if (n == net::Stream::kAgain) return Input::kMore;
  if (n <= 0) {
    if (awaits_proxy_header_ && !first_bytes) return refuse_proxy_header("the PROXY header ended early");
    return Input::kEnd;
  }
  if (first_bytes) first_byte_ = shared_.loop.now();
  input_.end += static_cast<std::size_t>(n);
  return Input::kSome;
}

Http1::Input Http1::parse(Request& request, const Terms& terms) {
  input_.to_front();  // a pipelined request is moved to where heads are read
  const auto used = http::parse_request(input_.pending(), terms.head, request.head, &seen_);
  if (!used) {
    request.refused = used.error();
    return Input::kRefused;
  }
  if (*used == 0) {
    // More than the limit is refused, so this is room enough.
    if (input_.end == input_.size) input_.grow(terms.head.head + 512);
    return Input::kMore;
  }
  request.parsed = true;
  request.bytes_in = *used;
  input_.begin = *used;
  return Input::kHead;
}

// The address that the header tells is the peer from here on: for identity, limits, the log and the origin.
// Whether that address is a trusted proxy itself decides what is believed of its requests' fields.
Http1::Input Http1::read_proxy_header() {
  http::ProxyHeader header;
  const auto used = http::parse_proxy_header(input_.pending(), header);
  if (!used) return refuse_proxy_header(used.error().text);
  if (*used == 0) {
    if (input_.end == input_.size) input_.grow(http::kProxyHeaderMax);
    return Input::kMore;
  }
  awaits_proxy_header_ = false;
  input_.begin += *used;
  first_byte_ = shared_.loop.now();  // of a request's head, if that came along
  if (header.source == http::ProxyHeader::Source::kAddress)
    peer_ = Peer(net::Endpoint::of(header.address, header.port));
  peer_.nameless = header.source == http::ProxyHeader::Source::kUnnamed;
  return Input::kSome;
}

// Not answered: a peer that was to speak another protocol first would take our reply for that.
Http1::Input Http1::refuse_proxy_header(std::string_view why) {
  if (shared_.refusals) (*shared_.refusals)[telemetry::Refusal::kProxyHeader].add();
  telemetry::log::warn("connection refused: no good PROXY header", {{"peer", peer_.text}, {"reason", why}});
  return Input::kEnd;
}

bool Http1::patient(const Terms& terms) {
  idle_ = input_.empty();
  if (!idle_) {
    client_.set_deadline(first_byte_ + terms.head_patience);
    return true;
  }
  input_.give_back(shared_.buffers);
  request_ = nullptr;
  idle_since_ = shared_.loop.now();
  if (shared_.closing && !first_) return false;
  base::Nanos patience = first_ ? terms.head_patience : terms.idle;
  if (shared_.closing) patience = std::min(patience, kLastWord);
  client_.set_deadline(patience);
  return true;
}

Http1::Input Http1::gave_up(net::Wake wake, Request* request) {
  if (wake == net::Wake::kCancelled || !request) return Input::kEnd;
  if (awaits_proxy_header_) return refuse_proxy_header("the PROXY header did not arrive in time");
  request->refused = {Code::kRequestTimeout, "the request head did not arrive in time"};
  return Input::kRefused;
}

void Http1::start(Request& request, Input input, const Terms& terms) {
  first_ = idle_ = false;
  refused_ = input == Input::kRefused;
  request_ = &request;
  terms_ = &terms;
  request.peer = &peer_;
  request.started = base::mono_now();
  keep_alive_ = request.parsed && request.head.keep_alive && !sabotage::on("connection-per-request");
  chunked_ = false;
  left_ = {};
  pace_.start(0);
  body_.start(request, terms);
}

void Http1::told_of_leaving(net::Cancel* gone) {
  client_.watch().on_hangup = gone;
  if (gone && client_.hangup()) gone->request();
}

net::Task<bool> Http1::settle() {
  if (keep_alive_ && co_await body_.drain()) co_return true;
  if (refused_ || !body_.complete()) co_await linger();
  co_return false;
}

void Http1::next() {
  body_.take_rest();
  seen_ = 0;
  first_byte_ = shared_.loop.now();  // what is here already of the next head
}

void Http1::close() {
  if (input_.data) input_.give_back(shared_.buffers);
}

// Closing with unread input would send a reset that can overtake the reply on its way to the client: first
// our side is closed, then what still comes is read and dropped for a moment (RFC 9112 section 9.6).
net::Task<> Http1::linger() {
  client_.set_deadline(base::Seconds(2));
  co_await client_.end_writing();
  std::array<char, 4096> waste;
  std::size_t dropped = 0;
  while (dropped < (1 << 20)) {
    const auto n = co_await client_.read(waste);
    if (!n || *n == 0) break;
    dropped += *n;
  }
}

void Http1::close_if_idle() {
  if (!idle_ || !client_.open() || client_.watch().readable) return;
  // Who has only just connected has a request on its way, and nobody else to send it to.
  if (first_)
    client_.set_deadline(kLastWord);
  else
    client_.cancel();
}

base::Mono Http1::rests_since() const {
  const bool rests = idle_ && client_.open() && !client_.watch().readable && !client_.watch().cancelled;
  return rests ? idle_since_ : base::Mono::max();
}

void Http1::cut() {
  if (!client_.open()) return;
  if (!idle_ && request_) request_->gone.request();
  client_.cancel();
}

// ---- replies

std::string_view Http1::put_status_line(std::uint16_t status, Out& out) {
  std::string& text = out.text();
  if (status == 200) {
    const std::size_t at = Out::kHeadroom - kStatusOk.size();
    std::memcpy(text.data() + at, kStatusOk.data(), kStatusOk.size());
    return std::string_view(text).substr(at);
  }
  std::string line;
  http::append_status_line(status, line);
  const std::size_t at = Out::kHeadroom - line.size();
  std::memcpy(text.data() + at, line.data(), line.size());
  return std::string_view(text).substr(at);
}

void Http1::interim(std::string_view message) {
  const ssize_t n = client_.try_write(message);
  if (n <= 0) return;
  request_->bytes_out += static_cast<std::uint64_t>(n);
  if (static_cast<std::size_t>(n) < message.size()) cut();  // nothing may follow half of one
}

Begun Http1::begin(Out& out, const ReplyHead& head, std::span<const iovec> body) {
  const bool old = request_->head.minor == 0;
  chunked_ = head.streams && request_->parsed && !old;
  // Without chunks the end of the connection is the end of a body of unknown length.
  keep_alive_ = keep_alive_ && !shared_.draining && body_.drainable() && (chunked_ || !head.streams);

  std::string& text = out.text();
  if (!keep_alive_)
    text.append("Connection: close\r\n");
  else if (old)
    text.append("Connection: keep-alive\r\n");
  if (!head.tail.empty()) {
    text.append(head.tail);
  } else {
    text.append(head.fields);
    if (head.length) {
      char digits[20];
      const char* const end = std::to_chars(digits, digits + sizeof digits, *head.length).ptr;
      text.append("Content-Length: ").append(digits, static_cast<std::size_t>(end - digits)).append("\r\n");
    } else if (chunked_) {
      text.append("Transfer-Encoding: chunked\r\n");
    }
    text.append("\r\n");
  }
  if (sabotage::kBuilt) spoil(text);
  const std::string_view whole = put_status_line(head.status, out);
  if (sabotage::one_in("reply-dropped", 300)) {
    client_.try_write(whole.substr(0, whole.size() / 2));
    return {.sent = Sent::kGone};
  }

  ssize_t n;
  std::uint64_t given = whole.size();
  if (body.empty()) {
    n = client_.try_write(whole);
  } else {  // head and the first of the body in one system call
    std::array<iovec, kGather> parts;
    const std::size_t count = std::min(body.size() + 1, parts.size());
    parts[0] = part_of(whole);
    std::copy_n(body.begin(), count - 1, parts.begin() + 1);
    for (const iovec& part : body) given += part.iov_len;
    n = client_.try_writev({parts.data(), count});
  }
  if (n == net::Stream::kError) return {.sent = Sent::kGone};
  const auto taken = n > 0 ? static_cast<std::uint64_t>(n) : 0;
  request_->bytes_out += taken;
  if (taken == given) return {.sent = Sent::kAll, .body = taken - whole.size()};
  if (taken < whole.size()) left_ = whole.substr(static_cast<std::size_t>(taken));
  return {.sent = Sent::kAgain, .body = taken > whole.size() ? taken - whole.size() : 0};
}

// A client that takes bytes as fast as they come must not keep the loop from all others.
bool Http1::had_its_turn(std::uint64_t bytes) {
  in_a_row_ += bytes;
  if (in_a_row_ < kInARow) return false;
  in_a_row_ = 0;
  return true;
}

// For as long as its write timeout.
net::Task<base::Result<>> Http1::takes() {
  if (!pace_.holds(terms_->least, request_->bytes_out))
    co_return fail(Code::kClientGone, "the client takes bytes too slowly");
  const base::Mono before = base::mono_now();
  request_->taken.store(request_->bytes_out, std::memory_order_relaxed);
  client_.set_deadline(terms_->write);
  const net::Wake wake = co_await client_.writable();
  const base::Nanos waited = base::mono_now() - before;
  request_->client_wait += waited;
  pace_.waited(terms_->least, waited);
  if (wake != net::Wake::kReady) co_return fail(Code::kClientGone, "the client takes no bytes");
  co_return base::Result<>{};
}

net::Task<base::Result<>> Http1::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = client_.try_write(bytes);
    if (n > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(n));
      request_->bytes_out += static_cast<std::uint64_t>(n);
      if (had_its_turn(static_cast<std::uint64_t>(n))) co_await shared_.loop.yield();
      continue;
    }
    if (n != net::Stream::kAgain) co_return fail(Code::kClientGone, "the client has left");
    if (const auto more = co_await takes(); !more) co_return more;
  }
  co_return base::Result<>{};
}

net::Task<base::Result<>> Http1::send(std::string_view bytes) {
  if (!left_.empty()) {
    if (const auto done = co_await write(std::exchange(left_, {})); !done) co_return done;
  }
  if (!chunked_ || bytes.empty()) co_return co_await write(bytes);
  char size[http::kChunkHeaderMax];
  const std::array<std::string_view, 3> pieces = {
      std::string_view(size, http::write_chunk_header(bytes.size(), size)), bytes, "\r\n"};
  const std::array<iovec, 3> parts = {part_of(pieces[0]), part_of(pieces[1]), part_of(pieces[2])};
  const ssize_t n = client_.try_writev(parts);
  if (n == net::Stream::kError) co_return fail(Code::kClientGone, "the client has left");
  std::size_t taken = n > 0 ? static_cast<std::size_t>(n) : 0;
  request_->bytes_out += taken;
  if (had_its_turn(taken)) co_await shared_.loop.yield();
  for (const std::string_view piece : pieces) {
    const std::size_t out = std::min(taken, piece.size());
    taken -= out;
    if (const auto done = co_await write(piece.substr(out)); !done) co_return done;
  }
  co_return base::Result<>{};
}

net::Task<base::Result<>> Http1::send_file(int fd, std::uint64_t offset, std::uint64_t length) {
  if (const auto done = co_await send({}); !done) co_return done;
  // The kernel knows nothing of TLS: there a file goes through the process.
  const auto buffer = client_.tls() ? std::make_unique_for_overwrite<char[]>(kCopy) : nullptr;
  auto at = static_cast<off_t>(offset);
  while (length > 0) {
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(length, buffer ? kCopy : 1 << 20));
    const ssize_t n = buffer ? ::pread(fd, buffer.get(), want, at) : ::sendfile(client_.fd(), fd, &at, want);
    if (n == 0) co_return fail(Code::kOriginBadReply, "the file became shorter while it was sent");
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && buffer)
      co_return fail(Code::kOriginBadReply, "the file became unreadable while it was sent");
    if (n < 0 && errno == EAGAIN) {
      client_.watch().writable = false;
      if (const auto more = co_await takes(); !more) co_return more;
      continue;
    }
    if (n < 0) co_return fail(Code::kClientGone, "the client has left");
    const auto sent = static_cast<std::size_t>(n);
    length -= sent;
    if (buffer) {
      at += n;
      if (const auto done = co_await write({buffer.get(), sent}); !done) co_return done;
      continue;
    }
    request_->bytes_out += sent;
    if (had_its_turn(sent)) co_await shared_.loop.yield();
  }
  co_return base::Result<>{};
}

net::Task<base::Result<>> Http1::finish(std::string_view trailers) {
  if (const auto done = co_await send({}); !done || !chunked_) co_return done;
  if (trailers.empty()) co_return co_await write(http::kLastChunk);
  std::string last = "0\r\n";
  co_return co_await write(last.append(trailers).append("\r\n"));
}

net::Task<net::Result<Sent>> Http1::relay(Relay& relay) {
  if (!co_await send({})) co_return net::fail(net::Fault::kClosed, "the client has left");
  const net::PipePool::Pipe pipe = shared_.pipes->take();
  if (!pipe) co_return Sent::kAgain;
  const net::CancelLink link(relay.cancel, relay.from.watch());
  const auto done = co_await net::splice_exactly(*shared_.pipes, pipe, relay.from, client_, relay.length,
                                                 relay.idle, terms_->write, terms_->least, relay.moved);
  request_->bytes_out += relay.moved.bytes;
  if (!done) co_return std::unexpected(done.error());
  co_return Sent::kAll;
}

net::Task<bool> Http1::tunnel(Out& out, std::string_view protocol, net::Stream other, std::string_view early,
                              net::Cancel* cancel) {
  keep_alive_ = false;  // the connection ends with the tunnel
  out.text().append("Connection: Upgrade\r\nUpgrade: ").append(protocol).append("\r\n\r\n");
  if (!co_await write(put_status_line(101, out)) || !co_await write(early)) co_return false;
  const std::string pending(input_.pending());  // what the client sent behind its request
  input_.begin = input_.end;
  told_of_leaving(nullptr);  // a side that has no more to say may still listen
  const net::CancelLink link(cancel, other.watch());
  const Tunnelled moved = co_await serve::tunnel(client_, other, pending, terms_->tunnel, shared_.account);
  request_->bytes_in += moved.up;
  request_->bytes_out += moved.down;
  co_return true;
}

// Cut, not closed: a reply that broke off must not look like one that ended.
void Http1::abort() {
  const ::linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(client_.fd(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

}  // namespace serve
