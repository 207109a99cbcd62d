#include "gateway/respond.h"

#include <algorithm>
#include <array>
#include <memory>

#include "app/send.h"
#include "base/copy_buffer.h"
#include "base/error_table.h"
#include "base/sabotage.h"
#include "client/error.h"
#include "gateway/render.h"
#include "http/cache_control.h"
#include "http/conditions.h"
#include "http/problem.h"
#include "http/range.h"
#include "identity/challenge.h"
#include "limit/fields.h"

namespace gateway {

using base::Code;
using http::FieldId;

namespace {

constexpr std::size_t kCopy = 64 << 10;
constexpr std::uint64_t kWorthSplicing = 64 << 10;
constexpr std::size_t kGather = 15;

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

iovec part_of(std::string_view bytes) {
  return {const_cast<char*>(bytes.data()), bytes.size()};
}

}  // namespace

// ---- sending

bool Responder::stop(Exchange& x, base::Error why) {
  x.failed = true;
  if (x.gone.requested()) why = *x.why_gone;
  x.stop_for(why);
  return false;
}

bool Responder::begin(Exchange& x, serve::Downstream down, std::span<const iovec> parts) {
  x.head_sent = true;
  x.status = head_.status;
  if (x.last) down.last();
  const serve::Begun begun = down.begin(x.out, head_, parts);
  if (begun.sent == serve::Sent::kGone) return !stop(x, kClientLeft);
  part_at_ += begun.body;
  part_left_ -= begun.body;
  return begun.sent == serve::Sent::kAll && part_left_ == 0;
}

// With the first pieces of the entry's body that are to be sent.
bool Responder::begin_kept(Exchange& x, serve::Downstream down, const cache::Entry* entry) {
  if (part_left_ == 0 || !entry) return begin(x, down);
  std::array<iovec, kGather> parts;
  std::size_t count = 0;
  cache::BodyCursor cursor(*entry, part_at_, part_left_);
  for (std::string_view piece; count < kGather && !(piece = cursor.next()).empty();)
    parts[count++] = part_of(piece);
  return begin(x, down, {parts.data(), count});
}

net::Task<bool> Responder::send(Exchange& x, serve::Downstream down, std::string_view bytes) {
  const auto sent = co_await down.send(bytes);
  co_return sent || stop(x, sent.error());
}

net::Task<> Responder::finish(Exchange& x, serve::Downstream down) {
  if (const auto done = co_await down.finish(); !done) stop(x, done.error());
}

net::Task<bool> Responder::send_part(Exchange& x, serve::Downstream down, const Kept& kept,
                                     std::uint64_t offset, std::uint64_t length) {
  if (kept.file) {
    const auto sent = co_await down.send_file(kept.file->fd, offset, length);
    co_return sent || stop(x, sent.error());
  }
  cache::BodyCursor cursor(*kept.entry, offset, length);
  for (std::string_view piece = cursor.next(); !piece.empty(); piece = cursor.next())
    if (!co_await send(x, down, piece)) co_return false;
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

// `more`: fields that this occurrence has beside those of its kind.
void Responder::compose_problem(Exchange& x, std::string_view more) {
  const base::ErrorRow& row = base::row_of(x.error.code);
  std::string& fields = begin_fields(x);
  fields.append(more);
  if (x.route && x.route->rules->cacheable) append_cache_fields(x, base::Nanos(0), base::Nanos(0));
  append_field(fields, "Date", services_.dates.http(services_.loop.now()));
  append_field(fields, "Content-Type", http::kProblemType);
  append_field(fields, "Cache-Control", "no-store");
  const auto said = [&](std::string_view name) { return rendered_value(more, name).data() != nullptr; };
  switch (x.error.code) {
    case Code::kUnauthorized:
    case Code::kTwoCredentials:
      append_field(fields, "WWW-Authenticate", identity::challenge(x.error));
      break;
    case Code::kMethodNotAllowed:
      if (x.route && !said("allow")) append_field(fields, "Allow", allowed_methods(x));
      break;
    case Code::kTooManyFailures:
      limit::append_retry_after(
          services_.commons.failures.retry_after(x.client_address, services_.loop.now()), fields);
      break;
    case Code::kUpgradeRequired:
      append_field(fields, "Connection", "Upgrade");
      append_field(fields, "Upgrade", "websocket");
      append_field(fields, "Sec-WebSocket-Version", "13");
      break;
    default:
      if (row.retry_after != 0 && !said("retry-after"))
        append_field(fields, "Retry-After", std::to_string(row.retry_after));
      break;
  }
  x.text.clear();
  base::Error told = x.error;
  if (told.code == Code::kUnauthorized) told.text = identity::explanation(told);
  http::append_problem(told, x.request_id, x.text);
  head_ = {.status = row.status, .length = x.text.size()};
  if (row.status >= 502 && sabotage::on("origin-failure-200")) head_.status = 200;
  if (answers_head(x)) x.text.clear();
  part_at_ = 0;
  part_left_ = x.text.size();
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
      begin_fields(x);
      append_cache_fields(x, kept.age, kept.freshness);
      head_ = {.status = 304, .fields = kept.fields};
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
    std::string range = "Content-Range: ";
    http::append_unsatisfied(kept.size, range);
    compose_problem(x, range.append("\r\n"));
    return true;
  }
  const bool part = ranges.kind == http::RangeSet::Kind::kSatisfiable;
  std::string& fields = begin_fields(x);
  append_cache_fields(x, kept.age, kept.freshness);
  if (part) {
    part_at_ = ranges.ranges()[0].first;
    if (sabotage::on("range-off-by-one") && part_at_ > 0) --part_at_;
    part_left_ = ranges.ranges()[0].length();
    fields.append("Content-Range: ");
    http::append_content_range(ranges.ranges()[0], kept.size, fields);
    fields.append("\r\n");
  }
  head_ = {.status = std::uint16_t(part ? 206 : 200), .length = part_left_, .fields = kept.fields};
  if (answers_head(x)) part_left_ = 0;
  return true;
}

bool Responder::compose_hit(Exchange& x) {
  const cache::Entry& entry = *x.entry;
  const http::FieldList& asked = x.head.fields;
  if (asked.has(FieldId::kRange) || conditional(asked)) return compose_selected(x, kept_entry(x));
  // The common case: everything is rendered already.
  begin_fields(x);
  append_cache_fields(x, entry.age(now_of(x)), entry.freshness());
  const bool head = answers_head(x);
  head_ = {.status = entry.status(),
           .length = entry.content_length(),
           .fields = entry.fields(),
           .tail = head ? entry.head_only() : entry.tail()};
  part_at_ = 0;
  part_left_ = head || entry.is_inline() ? 0 : entry.content_length();
  return true;
}

bool Responder::at_once(Exchange& x, serve::Downstream down) {
  if (x.plan == Plan::kEntry) {
    const bool composed = compose_hit(x);
    // What was selected may have become a problem.
    if (composed && x.plan == Plan::kEntry) return begin_kept(x, down, x.entry.get());
    if (!composed) return false;
  } else if (x.plan == Plan::kProblem) {
    compose_problem(x);
  } else {
    return false;
  }
  return begin_problem(x, down);
}

// ---- what waits

struct Responder::Keeper {
  Exchange& x;
  serve::Downstream down;

  // For a loan of what this reply keeps in memory.
  cache::Loan::Keeper lend(net::Loop& loop) {
    return {.loop = loop, .taken = x.taken, .cut = &Keeper::cut, .context = this};
  }
  static void cut(void* self) {
    auto& keeper = *static_cast<Keeper*>(self);
    keeper.x.stop_for({Code::kSlowReader, "the client took its reply too slowly, and memory was short"});
    keeper.down.cut();
  }
};

net::Task<> Responder::rest(Exchange& x, serve::Downstream down) {
  switch (x.plan) {
    case Plan::kProblem:
      co_await send_problem(x, down);
      break;
    case Plan::kEntry: {
      Keeper keeper{x, down};
      const cache::Loan loan(services_.commons.loans, {.entry = x.entry}, keeper.lend(services_.loop));
      co_await send_kept(x, down, kept_entry(x));
      break;
    }
    case Plan::kFill: {
      Keeper keeper{x, down};
      const cache::Loan loan(services_.commons.loans, {.fill = x.reader->fill()},
                             keeper.lend(services_.loop));
      co_await send_fill(x, down);
      break;
    }
    case Plan::kOrigin:
      co_await send_origin(x, down);
      break;
    case Plan::kTunnel:
      co_await send_tunnel(x, down);
      break;
    case Plan::kRefusal:
    case Plan::kAnswer:
      co_await send_answer(x, down);
      break;
  }
}

bool Responder::begin_problem(Exchange& x, serve::Downstream down) {
  const iovec body = part_of(x.text);
  return begin(x, down, x.text.empty() ? std::span<const iovec>() : std::span(&body, 1));
}

net::Task<> Responder::send_problem(Exchange& x, serve::Downstream down) {
  if (!x.head_sent && begin_problem(x, down)) co_return;
  if (x.failed) co_return;
  const std::string_view left = std::string_view(x.text).substr(static_cast<std::size_t>(part_at_));
  if (co_await send(x, down, left)) co_await finish(x, down);
}

// What is kept as a whole: all of it, or what was selected.
net::Task<> Responder::send_kept(Exchange& x, serve::Downstream down, const Kept& kept) {
  if (!x.head_sent) {
    if (!compose_selected(x, kept)) {
      co_await send_ranges(x, down, kept);
      co_return;
    }
    if (x.plan == Plan::kProblem) {
      co_await send_problem(x, down);
      co_return;
    }
    if (begin_kept(x, down, kept.entry)) co_return;
  }
  if (x.failed) co_return;
  if (part_left_ > 0 && !co_await send_part(x, down, kept, part_at_, part_left_)) co_return;
  co_await finish(x, down);
}

net::Task<> Responder::send_ranges(Exchange& x, serve::Downstream down, const Kept& kept) {
  const http::RangeSet ranges = http::parse_range(x.head.value(FieldId::kRange), kept.size);
  const std::string_view type = rendered_value(kept.fields, "content-type");
  const std::string boundary = http::make_boundary();
  std::string& fields = begin_fields(x);
  append_cache_fields(x, kept.age, kept.freshness);
  append_without(kept.fields, "content-type", fields);
  fields.append("Content-Type: multipart/byteranges; boundary=").append(boundary).append("\r\n");
  head_ = {.status = 206, .length = http::multipart_length(boundary, type, ranges.ranges(), kept.size)};
  part_left_ = *head_.length;
  if (begin(x, down)) co_return;
  std::string part;
  for (const http::ByteRange& range : ranges.ranges()) {
    part.clear();
    http::append_part_head(boundary, type, range, kept.size, part);
    if (!co_await send(x, down, part)) co_return;
    if (!co_await send_part(x, down, kept, range.first, range.length())) co_return;
  }
  part.clear();
  http::append_multipart_end(boundary, part);
  if (co_await send(x, down, part)) co_await finish(x, down);
}

// All of a fill's body, since several ranges are asked of it; then it is kept.
net::Task<> Responder::send_ranges_of_fill(Exchange& x, serve::Downstream down, Kept kept) {
  for (;;) {
    const auto piece = co_await x.reader->next(&x.gone);
    if (!piece) {
      x.stop(x.gone.requested() ? *x.why_gone : piece.error());
      compose_problem(x);
      co_await send_problem(x, down);
      co_return;
    }
    if (piece->empty()) break;
  }
  x.entry = x.reader->entry();
  kept.entry = x.entry.get();
  if (kept.entry)
    co_await send_kept(x, down, kept);
  else
    stop(x, {Code::kInternal, "a fill ended without an entry"});
}

net::Task<> Responder::send_fill(Exchange& x, serve::Downstream down) {
  cache::Reader& reader = *x.reader;
  const cache::FillHead& head = reader.head();
  const base::Nanos age =
      head.initial_age + (x.started > head.stored_at ? x.started - head.stored_at : base::Nanos(0));
  const Kept kept{.fields = head.fields,
                  .etag = head.etag,
                  .last_modified = head.last_modified,
                  .size = head.length.value_or(0),
                  .age = age,
                  .freshness = head.freshness};
  if (head.length) {
    // A 304, a 412, a 416 or one range need no more of the fill than its head and a seek. Of several ranges
    // the object must be there as a whole; where only a window of it ever is, they are not honoured.
    bool composed = compose_selected(x, kept);
    if (!composed && !reader.keeps_all()) composed = compose_selected(x, kept, Ranges::kIgnore);
    if (!composed) {
      co_await send_ranges_of_fill(x, down, kept);
      co_return;
    }
    if (part_left_ < *head.length) reader.satisfied();
    reader.seek(part_at_);
  } else if (conditional(x.head.fields) &&
             http::evaluate(x.head.method, x.head.fields,
                            validators(kept.etag, kept.last_modified, rendered_value(kept.fields, "date"))) !=
                 http::Verdict::kProceed) {
    reader.satisfied();
    compose_selected(x, kept);
  } else {
    begin_fields(x);
    append_cache_fields(x, age, head.freshness);
    head_ = {.status = head.status, .streams = !answers_head(x), .fields = head.fields};
    part_left_ = head_.streams ? UINT64_MAX : 0;
  }
  if (x.plan == Plan::kProblem) {
    co_await send_problem(x, down);
    co_return;
  }
  const bool all = begin(x, down);
  while (!all && part_left_ > 0) {
    const base::Mono before = base::mono_now();
    const auto piece = co_await reader.next(&x.gone);
    x.origin_wait += base::mono_now() - before;
    if (!piece) {
      stop(x, piece.error());
      co_return;
    }
    if (piece->empty()) break;
    const std::string_view bytes =
        piece->substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(part_left_, piece->size())));
    if (!co_await send(x, down, bytes)) co_return;
    part_left_ -= bytes.size();
  }
  if (x.failed) co_return;
  reader.satisfied();  // it may have the last byte before the feeder knows that it was the last
  if (!all) co_await finish(x, down);
}

// What of an origin's refusals is said in other words; false: nothing of this one. What an object store
// refuses comes with fields that are for the client. A 426 names what to upgrade to, in a field that ends at
// the next hop and so is written anew, or is none (RFC 9110 section 15.5.22).
bool Responder::compose_refusal(Exchange& x, const http::ResponseHead& head, std::string& fields) {
  if (!x.route->rules->can.forwards_fields) {
    const Code code = head.status == 404   ? Code::kNotFound
                      : head.status == 405 ? Code::kMethodNotAllowed
                      : head.status == 503 ? Code::kOverloaded
                                           : Code::kCount;
    if (code == Code::kCount) return false;
    x.stop({code, "the object store refuses this"});
    std::string more;
    append_without(fields, "cache-control", more);
    compose_problem(x, more);
    return true;
  }
  if (head.status != 426) return false;
  if (!head.fields.has(FieldId::kUpgrade)) {
    x.stop({Code::kOriginBadReply, "the origin asks for an upgrade and does not say to what"});
    compose_problem(x);
    return true;
  }
  for (const http::Field& field : head.fields)
    if (field.id == FieldId::kUpgrade) append_field(fields, "Upgrade", field.value);
  append_field(fields, "Connection", "Upgrade");
  return false;
}

net::Task<> Responder::send_origin(Exchange& x, serve::Downstream down) {
  const http::ResponseHead& head = x.reply->head();
  std::string fields;
  append_end_to_end(*x.route->rules, head, false, fields);
  if (head.status >= 400 && compose_refusal(x, head, fields)) {
    co_await send_problem(x, down);
    co_return;
  }
  if (!head.find(FieldId::kDate)) append_field(fields, "Date", services_.dates.http(services_.loop.now()));
  if (const origin::File* file = x.reply->file()) {
    co_await send_kept(x, down,
                       {.fields = fields,
                        .etag = head.value(FieldId::kEtag),
                        .last_modified = last_modified_of(head),
                        .size = file->size,
                        .file = file});
    co_return;
  }
  const bool bodiless = answers_head(x) || head.status == 204 || head.status == 304;
  const std::optional<std::uint64_t> length = x.reply->length();
  begin_fields(x);
  if (x.route->rules->cacheable) append_cache_fields(x, base::Nanos(0), base::Nanos(0));
  head_ = {.status = head.status, .length = length, .streams = !length, .fields = fields};
  if (bodiless) {
    head_.streams = false;
    head_.length.reset();
    if (head.has_content_length && head.status != 204) head_.length = head.content_length;
  }
  part_at_ = 0;
  part_left_ = bodiless ? 0 : length.value_or(UINT64_MAX);
  if (begin(x, down)) co_return;
  if (bodiless)
    co_await finish(x, down);
  else if (length && *length >= kWorthSplicing && down.relays() && x.reply->spliceable())
    co_await relay(x, down);
  else
    co_await copy(x, down);
}

net::Task<> Responder::relay(Exchange& x, serve::Downstream down) {
  while (!x.reply->buffered().empty()) {
    const std::string_view bytes = x.reply->buffered();
    if (!co_await send(x, down, bytes)) co_return;
    x.reply->consume_buffered(bytes.size());
  }
  if (x.reply->left() == 0) co_return co_await finish(x, down);
  serve::Downstream::Relay what{.from = *x.reply->spliceable(),
                                .length = x.reply->left(),
                                .idle = x.reply->idle_timeout(),
                                .cancel = &x.gone};
  const base::Mono before = base::mono_now();
  const auto moved = co_await down.relay(what);
  if (moved && *moved == serve::Sent::kAgain) co_return co_await copy(x, down);
  x.origin_wait += base::mono_now() - before;  // of both sides together; a relay cannot tell them apart
  x.reply->relayed(what.moved.bytes);
  if (!moved) stop(x, what.moved.from_failed ? client::body_error(moved.error()) : kClientLeft);
}

// A stream that says nothing for minutes holds no buffer meanwhile.
net::Task<> Responder::copy(Exchange& x, serve::Downstream down) {
  base::CopyBuffer buffer(&services_.commons.account);
  Keeper keeper{x, down};
  std::optional<cache::Loan> loan;
  for (;;) {
    const base::Mono before = base::mono_now();
    auto there = co_await x.reply->wait(&x.gone);
    std::size_t n = 0;
    if (there) {
      buffer.take(kCopy);
      const auto read = co_await x.reply->read(buffer.all(), &x.gone);
      if (read)
        n = *read;
      else
        there = std::unexpected(read.error());
    }
    x.origin_wait += base::mono_now() - before;
    if (!there) {
      stop(x, there.error());
      co_return;
    }
    if (n == 0) break;
    const std::span<char> bytes = buffer.all().first(n);
    if (sabotage::one_in("reply-corrupt", 500)) bytes[n / 2] ^= 1;
    const bool full = n == buffer.all().size();
    if (full && !loan)
      loan.emplace(services_.commons.loans, cache::Loan::Object{.bytes = n}, keeper.lend(services_.loop));
    if (!co_await send(x, down, {bytes.data(), n})) co_return;
    if (full) continue;
    loan.reset();  // all that had come: what follows may take its time
    buffer.release();
  }
  co_await finish(x, down);
}

net::Task<> Responder::send_answer(Exchange& x, serve::Downstream down) {
  app::Answer& answer = *x.answer;
  std::string& fields = begin_fields(x);
  append_field(fields, "Date", services_.dates.http(services_.loop.now()));
  std::string for_one;
  if (x.route && x.route->rules->is_private)
    answer.cache_control = for_one = http::as_private(answer.cache_control);
  answer.append_field_lines(fields);
  x.head_sent = true;
  x.status = answer.status;
  if (x.last) down.last();
  if (const auto sent = co_await app::send(answer, answers_head(x), x.out, down); !sent)
    stop(x, sent.error());
  x.answer.reset();
}

net::Task<> Responder::send_tunnel(Exchange& x, serve::Downstream down) {
  const http::ResponseHead& head = x.reply->head();
  append_end_to_end(*x.route->rules, head, false, begin_fields(x));
  x.head_sent = true;
  x.status = 101;
  std::string early;  // what the origin sent right behind its 101
  auto origin = x.reply->take_stream(early);
  if (!co_await down.tunnel(x.out, "websocket", std::move(origin), early, &x.gone)) stop(x, kClientLeft);
}

}  // namespace gateway
