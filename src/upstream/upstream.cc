#include "upstream/upstream.h"

#include <array>

#include "base/sabotage.h"
#include "net/descriptors.h"

namespace upstream {

namespace {

using base::OriginOutcome;
using origin::Ask;

constexpr std::array kTexts = {
    &Ask::method_text,
    &Ask::path,
    &Ask::raw_query,
    &Ask::host,
    &Ask::fields,
    &Ask::range,
    &Ask::if_range,
    &Ask::if_match,
    &Ask::if_none_match,
    &Ask::if_modified_since,
    &Ask::if_unmodified_since,
    &Ask::request_id,
};

}  // namespace

Request::Request(const Ask& ask) : ask_(ask) {
  std::size_t size = 0;
  for (const auto text : kTexts) size += (ask_.*text).size();
  text_ = std::make_unique_for_overwrite<char[]>(size);
  char* at = text_.get();
  for (const auto text : kTexts) {
    const std::string_view theirs = ask_.*text;
    ask_.*text = {at, theirs.copy(at, theirs.size())};
    at += theirs.size();
  }
}

Verdict judge(const base::Result<origin::Reply>& reply) {
  if (reply && reply->status() >= 500) return {OriginOutcome::kServerError, Says::kFailed};
  if (reply) return {OriginOutcome::kReply, Says::kWell};
  const base::ErrorRow& row = base::row_of(reply.error().code);
  if (row.side == base::Side::kOrigin) return {row.asked, Says::kFailed};
  // "No such object" is an answer; what the client or a limit of ours broke off says nothing of the origin.
  return {row.asked, row.outcome == base::Outcome::kServed ? Says::kWell : Says::kNothing};
}

net::Task<base::Result<Answer>> ask(Way way, const Request& request, net::Cancel* cancel) {
  // Before it queues for a place: what would come of it is a connection, or a file.
  if (!net::descriptors().room(net::Descriptors::For::kRequest))
    co_return base::fail(base::Code::kOverloaded, "no descriptor is left to ask the origin with");
  Answer answer;
  if (way.gate && !sabotage::on("concurrency-ignored")) {
    auto place = co_await way.gate->enter(way.loop, cancel);
    if (!place) co_return std::unexpected(place.error());
    answer.place = std::move(*place);
  }
  const base::Mono asked = base::mono_now();
  auto reply = co_await way.origin.fetch(request.ask(), cancel);
  const base::Mono answered = base::mono_now();
  const Verdict verdict = judge(reply);
  way.health.heard(verdict.outcome, verdict.says, answered);
  way.metrics.requests[verdict.outcome].add();
  way.metrics.duration.record(answered - asked);
  if (!reply) co_return std::unexpected(reply.error());
  answer.reply = std::move(*reply);
  co_return answer;
}

}  // namespace upstream
