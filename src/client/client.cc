#include "client/client.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "client/error.h"
#include "client/http1.h"
#include "client/redirect.h"
#include "http/chars.h"
#include "net/time_limit.h"

namespace client {

using base::Code;
using base::fail;

namespace {

constexpr std::size_t kPiece = 16 << 10;

// The fetch's deadline bounds every wait; a pool, which fetches share, has none of its own.
constexpr base::Millis kUnbounded = std::chrono::hours(1);

bool expects_body(http::Method method) {  // RFC 9110 section 8.6
  return method == http::Method::kPost || method == http::Method::kPut || method == http::Method::kPatch;
}

bool redirects(std::uint16_t status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// Names that are credentials whatever the caller calls them.
bool is_credential(std::string_view line) {
  const std::string_view name = line.substr(0, line.find(':'));
  return http::iequals(name, "Authorization") || http::iequals(name, "Proxy-Authorization") ||
         http::iequals(name, "Cookie");
}

void append_without_credentials(std::string_view fields, std::string& out) {
  while (!fields.empty()) {
    const std::size_t end = std::min(fields.find("\r\n"), fields.size() - 2) + 2;
    if (!is_credential(fields.substr(0, end))) out += fields.substr(0, end);
    fields.remove_prefix(end);
  }
}

net::Resolver::Addresses passed(const net::Resolver::Addresses& all, const AddressFilter* filter) {
  if (!filter) return all;
  auto some = std::make_shared<std::vector<net::Endpoint>>();
  for (const net::Endpoint& one : *all)
    if (filter->passes(one)) some->push_back(one);
  return some;
}

std::unique_ptr<OwnHead> own_head(const http::ResponseHead& theirs) {
  std::size_t text = 0;
  for (const http::Field& field : theirs.fields) text += field.name.size() + field.value.size();
  auto own = std::make_unique<OwnHead>(theirs.status, text);
  for (const http::Field& field : theirs.fields) own->add(field.id, field.name, field.value);
  return own;
}

net::Task<base::Result<std::string>> read_whole(Reply& reply, std::size_t most, base::Mono deadline,
                                                net::Cancel& cancel) {
  constexpr auto kTooLarge = fail(Code::kReplyTooLarge, "the reply is larger than it may be");
  const auto length = reply.length();
  if (length && *length > most) co_return kTooLarge;
  std::string body;
  std::size_t size = 0;
  for (;;) {
    // Whoever always has something to say is never waited for, so the time is asked here as well.
    if (base::mono_now() >= deadline) co_return fail(Code::kOriginTimeout, "no reply in time");
    const auto there = co_await reply.wait(&cancel);
    if (!there) co_return std::unexpected(there.error());
    const std::size_t room = length ? static_cast<std::size_t>(*length) - size : most + 1 - size;
    body.resize(size + std::clamp<std::size_t>(room, 1, kPiece));
    const auto n = co_await reply.read(std::span(body).subspan(size), &cancel);
    if (!n) co_return std::unexpected(n.error());
    size += *n;
    if (size > most) co_return kTooLarge;
    if (*n == 0) break;
  }
  body.resize(size);
  co_return body;
}

}  // namespace

// What is asked now: the request, or where it was redirected to.
struct Client::Hop {
  http::Method method;
  config::Url url;
  std::string_view body;
  bool own_origin = true;  // the one that the caller named: credentials go
};

Client::Client(net::Loop& loop, net::Resolver& resolver, config::Pool keep)
    : loop_(loop), resolver_(resolver), keep_(keep) {}

Client::~Client() = default;

net::Task<base::Result<Response>> Client::fetch(Request request, net::Cancel* cancel) {
  const base::Mono deadline = base::mono_now() + request.total;
  net::TimeLimit limit(loop_, deadline);
  const net::CancelLink link(cancel, limit);
  auto response = co_await follow(request, deadline, limit.end);
  const bool asked_to_end = cancel && cancel->requested();
  if (!response && limit.passed() && !asked_to_end) co_return fail(Code::kOriginTimeout, "no reply in time");
  co_return response;
}

net::Task<base::Result<Response>> Client::follow(const Request& request, base::Mono deadline,
                                                 net::Cancel& cancel) {
  Hop hop{.method = request.method, .url = request.url, .body = request.body};
  for (unsigned followed = 0;; ++followed) {
    auto reply = co_await ask(request, hop, deadline, cancel);
    if (!reply) co_return std::unexpected(reply.error());
    const http::ResponseHead& head = reply->head();
    const http::Field* const location = head.fields.find("location");
    if (request.max_redirects == 0 || !redirects(head.status) || !location) {
      Response response{.url = std::move(hop.url), .head = own_head(head), .body = {}};
      auto body = co_await read_whole(*reply, request.max_body, deadline, cancel);
      if (!body) co_return std::unexpected(body.error());
      response.body = std::move(*body);
      co_return response;
    }
    if (followed == request.max_redirects) co_return fail(Code::kOriginBadReply, "one redirect too many");
    auto to = resolve_reference(hop.url, location->value);
    if (!to) co_return fail(Code::kOriginBadReply, "the reply redirects to what cannot be asked");
    if (hop.url.tls && !to->tls)
      co_return fail(Code::kOriginBadReply, "the reply redirects from https to http");
    const bool as_get = head.status == 303 || (head.status <= 302 && hop.method == http::Method::kPost);
    if (as_get) {
      if (hop.method != http::Method::kHead) hop.method = http::Method::kGet;
      hop.body = {};
    }
    hop.own_origin = hop.own_origin && same_origin(request.url, *to);
    if (!hop.own_origin && !hop.body.empty())
      co_return fail(Code::kOriginBadReply, "the reply redirects what was meant for its origin alone");
    hop.url = std::move(*to);
  }
}

net::Task<base::Result<Reply>> Client::ask(const Request& request, const Hop& hop, base::Mono deadline,
                                           net::Cancel& cancel) {
  if (hop.url.tls && !request.tls) co_return fail(Code::kInternal, "https is asked for without TLS");
  const auto all =
      co_await resolver_.resolve(hop.url.host, hop.url.port, keep_.resolve_every, deadline, &cancel);
  if (!all) co_return std::unexpected(dial_error(all.error()));
  const auto addresses = passed(*all, request.filter);
  if (addresses->empty()) co_return fail(Code::kAddressRefused, "the name has no address that may be asked");

  std::string head;
  head.reserve(256 + hop.url.path.size() + request.fields.size() + request.credentials.size() +
               hop.body.size());
  head.append(http::text_of(hop.method)).append(" ");
  if (!hop.url.path.starts_with('/')) head += '/';
  head.append(hop.url.path).append(" HTTP/1.1\r\nHost: ").append(hop.url.authority()).append("\r\n");
  if (hop.own_origin)
    head.append(request.fields).append(request.credentials);
  else
    append_without_credentials(request.fields, head);
  if (!hop.body.empty() || expects_body(hop.method)) {
    char digits[20];
    head += "Content-Length: ";
    head.append(digits, std::to_chars(digits, digits + sizeof digits, hop.body.size()).ptr);
    head += "\r\n";
  }
  head += "\r\n";
  // In one piece with the head: it is there, and so can be sent again where the method allows it.
  head += hop.body;
  co_return co_await exchange(pool_of(request, hop, addresses), {.method = hop.method, .head = head},
                              &cancel);
}

base::Ref<Pool> Client::pool_of(const Request& request, const Hop& hop,
                                const net::Resolver::Addresses& addresses) {
  Remote remote{.host = hop.url.host,
                .port = hop.url.port,
                .tls = hop.url.tls,
                .server_name = hop.own_origin && !request.server_name.empty()
                                   ? std::string(request.server_name)
                                   : hop.url.host,
                .timeouts = {.connect = kUnbounded, .first_byte = kUnbounded, .idle = kUnbounded},
                .pool = keep_,
                .addresses = addresses};
  if (keep_.idle == 0)  // nothing would be found again
    return base::make_ref<Pool>(loop_, resolver_, std::move(remote), hop.url.tls ? request.tls : nullptr,
                                stats_);
  // What tells two connections apart: the server, how it is verified (the pool keeps `tls`, so that its
  // address stays its own), and where it may be. Names of hosts hold no NUL.
  const net::TlsContext* const tls = hop.url.tls ? request.tls.get() : nullptr;
  std::string key = hop.url.host + '\0' + std::to_string(hop.url.port) + '\0' + remote.server_name + '\0';
  key.append(std::to_string(reinterpret_cast<std::uintptr_t>(tls))).push_back('\0');
  std::vector<std::array<std::uint8_t, 16>> places;
  for (const net::Endpoint& one : *addresses) places.push_back(one.bytes());
  std::ranges::sort(places);
  for (const auto& place : places) key.append(reinterpret_cast<const char*>(place.data()), place.size());

  if (const auto known = pools_.find(key); known != pools_.end()) return known->second;
  make_room();
  auto pool = base::make_ref<Pool>(loop_, resolver_, std::move(remote), tls ? request.tls : nullptr, stats_);
  pools_.emplace(std::move(key), pool);
  return pool;
}

// A pool that goes lives on in the replies that are under way.
void Client::make_room() {
  if (pools_.size() < kPools) return;
  std::erase_if(pools_, [](const auto& one) { return one.second->unused(); });
  if (pools_.size() >= kPools) pools_.clear();
}

void Client::close_idle() {
  for (const auto& [key, pool] : pools_) pool->close_idle();
  pools_.clear();
}

}  // namespace client
