#include "gateway/feed.h"

#include <algorithm>

#include "cache/storable.h"
#include "gateway/forward.h"
#include "gateway/render.h"
#include "http/coding.h"

namespace gateway {

using base::Code;

namespace {

upstream::Request request_of(const Exchange& x, client::Interims& interims) {
  std::string fields;
  if (x.route->rules->can.forwards_fields) forward_fields(x, ForFill::kYes, fields);
  return upstream::Request({.path = x.rest,
                            .raw_query = x.query,
                            .has_query = x.has_query,
                            .host = x.head.host,
                            .fields = fields,
                            .interims = &interims,
                            .request_id = x.request_id});
}

}  // namespace

FillAsk::FillAsk(const Exchange& x, Handover& handover)
    : snapshot(x.snapshot), route(x.route), request(request_of(x, handover)), rules(x.rules) {
  if (route->rules->can.forwards_fields) accept_encoding = http::accept_encoding_of(x.head.fields);
}

upstream::Way way_of(const Services& services, const LocalSnapshot::LocalRoute& route) {
  return {.loop = services.loop,
          .origin = *route.origin,
          .gate = route.rules->origin_gate.get(),
          .health = *route.rules->health,
          .metrics = services.metrics.origins[route.rules->origin_label]};
}

namespace {

constexpr std::uint64_t kInARow = 1 << 20;  // bytes, until others have their turn: a file never lets us wait

// What there was no memory for now, there may be for the next.
void recall(cache::Loans& loans, cache::Fill& fill) {
  if (const std::uint64_t wanted = fill.take_wanted(); wanted > 0) [[unlikely]]
    loans.recall(wanted);
}

// What one coding was asked for may be another's for who asks otherwise, though no Vary says so.
cache::Coded coded_of(const FillAsk& ask, const http::ResponseHead& head) {
  const std::string_view codings = head.value(http::FieldId::kContentEncoding);
  if (http::accepts_codings("", codings)) return cache::Coded::kNo;
  return http::accepts_codings(ask.accept_encoding, codings) ? cache::Coded::kAsked : cache::Coded::kAlways;
}

cache::FillHead head_of(const Services& services, const FillAsk& ask, const origin::Reply& reply,
                        const cache::Storable& storable, std::optional<std::uint64_t> length) {
  cache::FillHead head;
  const http::ResponseHead& theirs = reply.head();
  head.status = theirs.status;
  append_end_to_end(*ask.route->rules, theirs, true, head.fields);
  if (!theirs.find(http::FieldId::kDate))
    append_field(head.fields, "Date", services.dates.http(services.loop.now()));
  head.etag = theirs.value(http::FieldId::kEtag);
  head.last_modified = last_modified_of(theirs);
  head.coded = coded_of(ask, theirs);
  head.length = length;
  head.stored_at = reply.received_at();
  head.initial_age = storable.initial_age;
  head.freshness = storable.freshness;
  return head;
}

}  // namespace

net::Task<> feed(const Services& services, base::Ref<cache::Fill> fill, base::Ref<Handover> handover,
                 FillAsk ask) {
  cache::Fills& fills = services.commons.fills;
  auto answer = co_await upstream::ask(way_of(services, *ask.route), ask.request, &fill->cancel());
  if (!answer) {
    fill->fail(answer.error());
    co_return;
  }
  origin::Reply& reply = answer->reply;  // with its place, held to the last byte
  const cache::Storable storable = cache::may_store(ask.rules, reply.head(), ask.route->rules->ttl,
                                                    {.requested = reply.requested_at(),
                                                     .received = reply.received_at(),
                                                     .received_wall = base::wall_now()});
  const std::optional<std::uint64_t> length =
      reply.file() ? std::optional(reply.file()->size) : reply.length();
  const bool too_large = length && *length > fills.max_object();
  if (!storable.store || too_large) {
    // A failure may be gone with the next request; what an origin says of a good reply will hold for a while.
    if (reply.status() == 200) fills.remember_passed(fill->key(), base::mono_now());
    handover->why_not = too_large ? "too-large" : storable.why_not;
    handover->reply = std::move(reply);
    handover->slot = std::move(answer->place);
    fill->pass();
    co_return;
  }
  if (!fill->begin(head_of(services, ask, reply, storable, length))) {
    fill->fail({Code::kCancelled, "nobody waits any more"});
    co_return;
  }
  std::uint64_t so_far = 0;
  base::Ref<base::Chunk> chunk;
  for (;;) {
    if (!chunk || chunk->room() == 0) chunk = fill->make_chunk();
    recall(services.commons.loans, *fill);
    const auto n = co_await reply.read({chunk->tail(), chunk->room()}, &fill->cancel());
    if (!n) {
      fill->fail(n.error());
      co_return;
    }
    if (*n == 0) break;
    chunk->grow(*n);
    so_far += *n;
    if (so_far / kInARow != (so_far - *n) / kInARow) co_await services.loop.yield();
    if (!fill->publish(chunk, chunk->used()) || !co_await fill->room()) {
      fill->fail({Code::kCancelled, "nobody waits any more"});
      co_return;
    }
  }
  fill->complete();
}

}  // namespace gateway
