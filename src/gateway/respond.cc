#include "gateway/respond.h"

#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/sabotage.h"
#include "gateway/render.h"
#include "gateway/tunnel.h"
#include "gateway/worker.h"
#include "http/chunked.h"
#include "http/conditions.h"
#include "http/date.h"
#include "http/problem.h"
#include "http/range.h"
#include "identity/challenge.h"
#include "limit/fields.h"
#include "origin/error.h"

namespace gateway {

using base::Code;
using http::FieldId;

namespace {

constexpr std::size_t kCopy = 64 << 10;
constexpr std::uint64_t kWorthSplicing = 64 << 10;
constexpr std::size_t kGather = 16;
constexpr std::uint64_t kInARow = 1 << 20;  // bytes to one client, until others have their turn

bool conditional(const http::FieldList& fields) {
  if (sabotage::on("conditions-ignored")) return false;
  return fields.has(FieldId::kIfNoneMatch) || fields.has(FieldId::kIfMatch) ||
         fields.has(FieldId::kIfModifiedSince) || fields.has(FieldId::kIfUnmodifiedSince);
}

http::Validators validators(std::string_view etag, std::string_view last_modified, std::string_view date) {
  http::Validators v;
  v.etag = etag;
  if (!last_modified.empty()) v.last_modified = http::parse_date(last_modified);
  if (!date.empty()) v.date = http::parse_date(date);
  return v;
}

// The moment that a kept reply's age is told for: that of the request, or that of the fetch it waited for.
base::Mono now_of(const Exchange& x) {
  return std::max(x.started, x.origin_answered);
}

bool answers_head(const Exchange& x) {
  return x.parsed && x.head.method == http::Method::kHead;
}

void spoil(std::string& out) {
  if (out.ends_with("\r\n\r\n")) return;  // no body
  if (sabotage::one_in("reply-corrupt", 500)) out.back() ^= 1;
  if (sabotage::one_in("reply-short", 500)) out.pop_back();
}

}  // namespace

// ---- writing

bool Responder::stop(Exchange& x, base::Error why) {
  x.failed = true;
  if (x.error.text.empty()) x.error = why;
  return false;
}

// A client that takes bytes as fast as they come must not keep the loop from all others.
bool Responder::had_its_turn(std::uint64_t bytes) {
  in_a_row_ += bytes;
  if (in_a_row_ < kInARow) return false;
  in_a_row_ = 0;
  return true;
}

// Waits until the client takes bytes again, for as long as its write timeout.
net::Task<bool> Responder::client_takes(Exchange& x) {
  const base::Mono before = base::mono_now();
  client_.set_deadline(x.snapshot->snapshot->config().timeouts.write);
  const net::Wake wake = co_await client_.writable();
  x.client_wait += base::mono_now() - before;
  co_return wake == net::Wake::kReady || stop(x, {Code::kClientGone, "the client takes no bytes"});
}

net::Task<bool> Responder::write(Exchange& x, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = client_.try_write(bytes);
    if (n > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(n));
      x.bytes_out += static_cast<std::uint64_t>(n);
      if (had_its_turn(static_cast<std::uint64_t>(n))) co_await worker_.loop().yield();
      continue;
    }
    if (n != net::Stream::kAgain) co_return stop(x, {Code::kClientGone, "the client has left"});
    if (!co_await client_takes(x)) co_return false;
  }
  co_return true;
}

net::Task<bool> Responder::write_head(Exchange& x) {
  x.out.append("\r\n");
  x.head_sent = true;
  return write(x, x.out);
}

net::Task<bool> Responder::write_part(Exchange& x, const Kept& kept, std::uint64_t offset,
                                      std::uint64_t length) {
  if (kept.entry) {
    cache::BodyCursor cursor(*kept.entry, offset, length);
    for (std::string_view piece = cursor.next(); !piece.empty(); piece = cursor.next())
      if (!co_await write(x, piece)) co_return false;
    co_return true;
  }
  off_t at = static_cast<off_t>(offset);
  while (length > 0) {
    const ssize_t n = ::sendfile(client_.fd(), kept.file->fd, &at,
                                 static_cast<std::size_t>(std::min<std::uint64_t>(length, 1 << 20)));
    if (n > 0) {
      length -= static_cast<std::uint64_t>(n);
      x.bytes_out += static_cast<std::uint64_t>(n);
      if (had_its_turn(static_cast<std::uint64_t>(n))) co_await worker_.loop().yield();
      continue;
    }
    if (n == 0) co_return stop(x, {Code::kOriginBadReply, "the file became shorter while it was sent"});
    if (errno == EINTR) continue;
    if (errno != EAGAIN) co_return stop(x, {Code::kClientGone, "the client has left"});
    client_.watch().writable = false;
    if (!co_await client_takes(x)) co_return false;
  }
  co_return true;
}

// ---- composing

Responder::Kept Responder::kept_entry(const Exchange& x) {
  const cache::Entry& entry = *x.entry;
  return {.fields = entry.fields(),
          .etag = entry.etag(),
          .last_modified = entry.last_modified(),
          .size = entry.content_length(),
          .age = entry.age(now_of(x)),
          .freshness = entry.freshness(),
          .entry = &entry};
}

void Responder::compose_problem(Exchange& x) {
  const base::ErrorRow& row = base::row_of(x.error.code);
  begin_head(x, row.status >= 502 && sabotage::on("origin-failure-200") ? 200 : row.status);
  if (x.route && x.route->rules->cacheable) append_cache_fields(x, base::Nanos(0), base::Nanos(0));
  append_field(x.out, "Date", worker_.http_date());
  append_field(x.out, "Content-Type", http::kProblemType);
  append_field(x.out, "Cache-Control", "no-store");
  switch (x.error.code) {
    case Code::kUnauthorized:
      append_field(x.out, "WWW-Authenticate", identity::challenge(x.error));
      break;
    case Code::kMethodNotAllowed:
      if (x.route) append_field(x.out, "Allow", x.route->origin->allowed_methods());
      break;
    case Code::kTooManyFailures:
      limit::append_retry_after(
          worker_.commons().failures.retry_after(x.client_address, worker_.loop().now()), x.out);
      break;
    default:
      if (row.retry_after != 0) append_field(x.out, "Retry-After", std::to_string(row.retry_after));
      break;
  }
  std::string body;
  http::append_problem(x.error, x.request_id, body);
  x.out.append("Content-Length: ");
  append_number(x.out, body.size());
  x.out.append("\r\n\r\n");
  if (!answers_head(x)) x.out.append(body);
  part_left_ = 0;
}

// Head for what is asked of a kept body; false where several ranges are, which need a writer of their own.
bool Responder::compose_selected(Exchange& x, const Kept& kept, Ranges honour) {
  const http::FieldList& asked = x.head.fields;
  part_at_ = 0;
  part_left_ = kept.size;
  const bool ranged =
      honour == Ranges::kHonour && asked.has(FieldId::kRange) && x.head.method == http::Method::kGet;
  http::RangeSet ranges;
  if (ranged || conditional(asked)) {
    const http::Validators current =
        validators(kept.etag, kept.last_modified, rendered_value(kept.fields, "date"));
    const http::Verdict verdict = http::evaluate(x.head.method, asked, current);
    if (verdict == http::Verdict::kNotModified) {
      begin_head(x, 304);
      append_cache_fields(x, kept.age, kept.freshness);
      x.out.append(kept.fields).append("\r\n");
      part_left_ = 0;
      return true;
    }
    if (verdict == http::Verdict::kPreconditionFailed) {
      x.stop({Code::kPreconditionFailed, "the object is not the one that the condition names"});
      compose_problem(x);
      return true;
    }
    if (ranged &&
        (!asked.has(FieldId::kIfRange) || http::if_range_holds(asked.value(FieldId::kIfRange), current)))
      ranges = http::parse_range(asked.value(FieldId::kRange), kept.size);
    if (ranges.kind == http::RangeSet::Kind::kSatisfiable && ranges.size() > 1) return false;
  }
  if (ranges.kind == http::RangeSet::Kind::kUnsatisfiable) {
    x.stop({Code::kRangeNotSatisfiable, "no byte of the object is in the range"});
    compose_problem(x);
    const std::size_t first_line = x.out.find("\r\n") + 2;
    std::string range = "Content-Range: ";
    http::append_unsatisfied(kept.size, range);
    x.out.insert(first_line, range + "\r\n");
    return true;
  }
  const bool part = ranges.kind == http::RangeSet::Kind::kSatisfiable;
  begin_head(x, part ? 206 : 200);
  append_cache_fields(x, kept.age, kept.freshness);
  x.out.append(kept.fields);
  if (part) {
    part_at_ = ranges.ranges()[0].first;
    if (sabotage::on("range-off-by-one") && part_at_ > 0) --part_at_;
    part_left_ = ranges.ranges()[0].length();
    x.out.append("Content-Range: ");
    http::append_content_range(ranges.ranges()[0], kept.size, x.out);
    x.out.append("\r\n");
  }
  x.out.append("Content-Length: ");
  append_number(x.out, part_left_);
  x.out.append("\r\n\r\n");
  if (answers_head(x)) part_left_ = 0;
  return true;
}

bool Responder::compose_hit(Exchange& x) {
  const cache::Entry& entry = *x.entry;
  const base::Nanos age = entry.age(now_of(x));
  const http::FieldList& asked = x.head.fields;
  if (!asked.has(FieldId::kRange) &&
      !conditional(asked)) {  // the common case: everything is rendered already
    begin_head(x, entry.status());
    append_cache_fields(x, age, entry.freshness());
    const bool head = answers_head(x);
    x.out.append(head ? entry.head_only() : entry.tail());
    part_at_ = 0;
    part_left_ = head || entry.is_inline() ? 0 : entry.content_length();
    return true;
  }
  return compose_selected(x, kept_entry(x));
}

bool Responder::at_once(Exchange& x) {
  sent_ = 0;
  part_left_ = 0;
  if (x.plan == Plan::kProblem)
    compose_problem(x);
  else if (x.plan != Plan::kEntry || !compose_hit(x))
    return false;

  x.head_sent = true;
  if (sabotage::kBuilt) spoil(x.out);
  if (sabotage::one_in("reply-dropped", 300)) {
    client_.try_write(std::string_view(x.out).substr(0, x.out.size() / 2));
    return !stop(x, {Code::kClientGone, "sabotage"});
  }
  if (part_left_ == 0) {
    const ssize_t n = client_.try_write(x.out);
    if (n == static_cast<ssize_t>(x.out.size())) {
      x.bytes_out += x.out.size();
      return true;
    }
    if (n == net::Stream::kError) return !stop(x, {Code::kClientGone, "the client has left"});
    sent_ = n > 0 ? static_cast<std::size_t>(n) : 0;
    x.bytes_out += sent_;
    return false;
  }
  // Head and the first chunks in one system call.
  std::array<iovec, kGather> parts;
  std::size_t count = 0;
  parts[count++] = {x.out.data(), x.out.size()};
  if (x.entry) {
    cache::BodyCursor cursor(*x.entry, part_at_, part_left_);
    for (std::string_view piece; count < kGather && !(piece = cursor.next()).empty(); ++count)
      parts[count] = {const_cast<char*>(piece.data()), piece.size()};
  }
  const ssize_t n = client_.try_writev({parts.data(), count});
  if (n == net::Stream::kError) return !stop(x, {Code::kClientGone, "the client has left"});
  const std::uint64_t taken = n > 0 ? static_cast<std::uint64_t>(n) : 0;
  x.bytes_out += taken;
  sent_ = static_cast<std::size_t>(std::min<std::uint64_t>(taken, x.out.size()));
  part_at_ += taken - sent_;
  part_left_ -= taken - sent_;
  return part_left_ == 0 && sent_ == x.out.size();
}

// ---- what waits

net::Task<> Responder::rest(Exchange& x) {
  switch (x.plan) {
    case Plan::kProblem:
    case Plan::kEntry:
      if (x.head_sent) {  // at_once began it
        if (!co_await write(x, std::string_view(x.out).substr(sent_))) co_return;
        if (part_left_ > 0) co_await write_part(x, kept_entry(x), part_at_, part_left_);
      } else {
        co_await send_kept(x, kept_entry(x));
      }
      break;
    case Plan::kFill:
      co_await send_fill(x);
      break;
    case Plan::kOrigin:
      co_await send_origin(x);
      break;
    case Plan::kTunnel:
      co_await send_tunnel(x);
      break;
  }
}

net::Task<> Responder::send_kept(Exchange& x, const Kept& kept) {
  if (compose_selected(x, kept)) {
    x.head_sent = true;
    if (!co_await write(x, x.out)) co_return;
    co_await write_part(x, kept, part_at_, part_left_);
    co_return;
  }
  const http::RangeSet ranges = http::parse_range(x.head.value(FieldId::kRange), kept.size);
  const std::string_view type = rendered_value(kept.fields, "content-type");
  const std::string boundary = http::make_boundary();
  begin_head(x, 206);
  append_cache_fields(x, kept.age, kept.freshness);
  append_without(kept.fields, "content-type", x.out);
  x.out.append("Content-Type: multipart/byteranges; boundary=")
      .append(boundary)
      .append("\r\nContent-Length: ");
  append_number(x.out, http::multipart_length(boundary, type, ranges.ranges(), kept.size));
  x.out.append("\r\n");
  if (!co_await write_head(x)) co_return;
  for (const http::ByteRange& range : ranges.ranges()) {
    x.out.clear();
    http::append_part_head(boundary, type, range, kept.size, x.out);
    if (!co_await write(x, x.out)) co_return;
    if (!co_await write_part(x, kept, range.first, range.length())) co_return;
  }
  x.out.clear();
  http::append_multipart_end(boundary, x.out);
  co_await write(x, x.out);
}

net::Task<> Responder::send_fill(Exchange& x) {
  cache::Reader& reader = *x.reader;
  const cache::FillHead& head = reader.head();
  const base::Nanos age =
      head.initial_age + (x.started > head.stored_at ? x.started - head.stored_at : base::Nanos(0));
  const bool chunked = !head.length && x.head.minor > 0;
  if (head.length) {
    // A 304, a 412, a 416 or one range need no more of the fill than its head and a seek. Of several ranges
    // the object must be there as a whole; where only a window of it ever is, they are not honoured.
    const Kept kept{.fields = head.fields,
                    .etag = head.etag,
                    .last_modified = head.last_modified,
                    .size = *head.length,
                    .age = age,
                    .freshness = head.freshness};
    bool composed = compose_selected(x, kept);
    if (!composed && !reader.keeps_all()) composed = compose_selected(x, kept, Ranges::kIgnore);
    if (!composed) {
      for (;;) {
        const auto piece = co_await reader.next(&x.gone);
        if (!piece) {
          x.stop(piece.error());
          compose_problem(x);
          x.head_sent = true;
          co_await write(x, x.out);
          co_return;
        }
        if (piece->empty()) break;
      }
      x.entry = reader.entry();
      if (x.entry) {
        Kept whole = kept;
        whole.entry = x.entry.get();
        co_await send_kept(x, whole);
      } else {
        stop(x, {Code::kInternal, "a fill ended without an entry"});
      }
      co_return;
    }
    x.head_sent = true;
    if (!co_await write(x, x.out)) co_return;
    if (part_left_ < *head.length) reader.satisfied();
    reader.seek(part_at_);
  } else {
    if (conditional(x.head.fields)) {
      const Kept kept{.fields = head.fields, .etag = head.etag, .last_modified = head.last_modified};
      const auto verdict =
          http::evaluate(x.head.method, x.head.fields,
                         validators(kept.etag, kept.last_modified, rendered_value(kept.fields, "date")));
      if (verdict != http::Verdict::kProceed) {
        reader.satisfied();
        compose_selected(x, kept);
        x.head_sent = true;
        co_await write(x, x.out);
        co_return;
      }
    }
    if (!chunked) x.keep_alive = false;
    begin_head(x, head.status);
    append_cache_fields(x, age, head.freshness);
    x.out.append(head.fields);
    if (chunked) x.out.append("Transfer-Encoding: chunked\r\n");
    if (!co_await write_head(x)) co_return;
    part_left_ = UINT64_MAX;
  }
  while (part_left_ > 0) {
    const base::Mono before = base::mono_now();
    const auto piece = co_await reader.next(&x.gone);
    x.origin_wait += base::mono_now() - before;
    if (!piece) {
      stop(x, piece.error());
      co_return;
    }
    if (piece->empty()) {
      if (chunked) co_await write(x, http::kLastChunk);
      co_return;
    }
    const std::string_view bytes =
        piece->substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(part_left_, piece->size())));
    if (chunked) {
      char size[http::kChunkHeaderMax];
      if (!co_await write(x, {size, http::write_chunk_header(bytes.size(), size)})) co_return;
    }
    if (!co_await write(x, bytes)) co_return;
    if (chunked && !co_await write(x, "\r\n")) co_return;
    part_left_ -= bytes.size();
  }
  reader.satisfied();  // it may have the last byte before the feeder knows that it was the last
}

net::Task<> Responder::send_origin(Exchange& x) {
  const http::ResponseHead& head = x.reply->head();
  std::string fields;
  append_end_to_end(*x.route->rules, head, false, fields);
  if (!head.find(FieldId::kDate)) append_field(fields, "Date", worker_.http_date());
  if (const origin::File* file = x.reply->file()) {
    co_await send_kept(x, {.fields = fields,
                           .etag = head.value(FieldId::kEtag),
                           .last_modified = head.value(FieldId::kLastModified),
                           .size = file->size,
                           .file = file});
    co_return;
  }
  const bool bodiless = answers_head(x) || head.status == 204 || head.status == 304;
  const std::optional<std::uint64_t> length = x.reply->length();
  const bool chunked = !bodiless && !length && x.head.minor > 0;
  if (!bodiless && !length && !chunked)
    x.keep_alive = false;  // HTTP/1.0: the end of the connection is the end
  begin_head(x, head.status);
  if (x.route->rules->cacheable) append_cache_fields(x, base::Nanos(0), base::Nanos(0));
  x.out.append(fields);
  if (bodiless) {
    if (head.has_content_length && head.status != 204) {
      x.out.append("Content-Length: ");
      append_number(x.out, head.content_length);
      x.out.append("\r\n");
    }
  } else if (length) {
    x.out.append("Content-Length: ");
    append_number(x.out, *length);
    x.out.append("\r\n");
  } else if (chunked) {
    x.out.append("Transfer-Encoding: chunked\r\n");
  }
  if (!co_await write_head(x) || bodiless) co_return;
  if (length && *length >= kWorthSplicing && !client_.tls() && x.reply->spliceable())
    co_await relay(x);
  else
    co_await copy(x, chunked);
}

net::Task<bool> Responder::relay(Exchange& x) {
  while (!x.reply->buffered().empty()) {
    const std::string_view bytes = x.reply->buffered();
    if (!co_await write(x, bytes)) co_return false;
    x.reply->consume_buffered(bytes.size());
  }
  const net::PipePool::Pipe pipe = worker_.pipes().take();
  if (!pipe) co_return co_await copy(x, false);
  net::Stream& from = *x.reply->spliceable();
  const std::uint64_t left = x.reply->left();
  net::Relayed done;
  const base::Mono before = base::mono_now();
  net::Result<> moved;
  {
    const net::CancelLink link(&x.gone, from.watch());
    moved = co_await net::splice_exactly(worker_.pipes(), pipe, from, client_, left, x.reply->idle_timeout(),
                                         x.snapshot->snapshot->config().timeouts.write, done);
  }
  x.origin_wait += base::mono_now() - before;  // of both sides together; a relay cannot tell them apart
  x.bytes_out += done.bytes;
  x.reply->relayed(done.bytes);
  if (!moved)
    co_return stop(x, done.from_failed ? origin::body_error(moved.error())
                                       : base::Error{Code::kClientGone, "the client has left"});
  co_return true;
}

net::Task<bool> Responder::copy(Exchange& x, bool chunked) {
  const auto buffer = std::make_unique_for_overwrite<char[]>(kCopy);
  for (;;) {
    const base::Mono before = base::mono_now();
    const auto n = co_await x.reply->read({buffer.get(), kCopy}, &x.gone);
    x.origin_wait += base::mono_now() - before;
    if (!n)
      co_return stop(x,
                     x.gone.requested() ? base::Error{Code::kClientGone, "the client has left"} : n.error());
    if (*n == 0) break;
    if (sabotage::one_in("reply-corrupt", 500)) buffer[*n / 2] ^= 1;
    if (chunked) {
      char size[http::kChunkHeaderMax];
      if (!co_await write(x, {size, http::write_chunk_header(*n, size)})) co_return false;
    }
    if (!co_await write(x, {buffer.get(), *n})) co_return false;
    if (chunked && !co_await write(x, "\r\n")) co_return false;
  }
  if (chunked) co_return co_await write(x, http::kLastChunk);
  co_return true;
}

net::Task<> Responder::send_tunnel(Exchange& x) {
  const http::ResponseHead& head = x.reply->head();
  x.keep_alive = true;  // no "Connection: close" beside the upgrade; the connection ends with the tunnel
  begin_head(x, 101);
  x.out.append("Connection: Upgrade\r\nUpgrade: websocket\r\n");
  append_end_to_end(*x.route->rules, head, false, x.out);
  std::string early;  // what the origin sent right behind its 101
  net::Stream origin = x.reply->take_stream(early);
  const bool started = co_await write_head(x) && co_await write(x, early);
  x.keep_alive = false;
  if (!started) co_return;
  const std::string pending(x.pending());  // and the client behind its request
  x.begin = x.end;
  client_.watch().on_hangup = nullptr;  // a side that has no more to say may still listen
  const net::CancelLink link(&x.gone, origin.watch());
  const Tunnelled moved =
      co_await tunnel(client_, origin, pending, x.snapshot->snapshot->config().timeouts.idle);
  x.bytes_in += moved.up;
  x.bytes_out += moved.down;
}

}  // namespace gateway
