#include "admin/admin.h"

#include <signal.h>

#include <algorithm>
#include <array>

#include "gateway/key_refresh.h"
#include "http/head.h"
#include "http/problem.h"
#include "http/reason.h"
#include "identity/challenge.h"
#include "telemetry/oplog.h"
#include "telemetry/page.h"

namespace admin {

namespace log = telemetry::log;
using base::Code;
using base::Error;

struct Request {
  const http::RequestHead& head;
  std::string_view path;
  std::string_view body;

  bool reads() const { return head.method == http::Method::kGet || head.method == http::Method::kHead; }
};

namespace {

constexpr std::size_t kBuffer = 16 << 10;
constexpr base::Nanos kPatience = base::Seconds(30);
constexpr base::Nanos kPatienceForKeys = base::Seconds(2);
constexpr std::size_t kConnections = 64;  // then the oldest goes, so that silent ones do not keep others out

Response problem(Error error) {
  Response response{
      .status = base::row_of(error.code).status, .type = http::kProblemType, .body = {}, .error = error};
  http::append_problem(error, "", response.body);
  if (error.code == Code::kUnauthorized) response.challenge = identity::challenge(error);
  if (error.code == Code::kClaimsRejected) response.challenge = R"(Bearer error="insufficient_scope")";
  return response;
}

bool is_loopback(const net::Endpoint& address) {
  const auto bytes = address.bytes();
  constexpr std::array<std::uint8_t, 13> kV4{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127};
  constexpr std::array<std::uint8_t, 16> kV6{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return std::equal(kV4.begin(), kV4.end(), bytes.begin()) || bytes == kV6;
}

Response level_now() {
  return {.body = R"({"level":")" + std::string(log::name_of(log::level())) + "\"}\n"};
}

// {"level":"debug"}: one member, one string; that much JSON needs no parser.
Response set_level(const Request& request) {
  const auto refuse = [](std::string_view why) {
    Response response = problem({Code::kBadRequest, why});
    response.action = "set_log_level";
    return response;
  };
  if (!request.head.value(http::FieldId::kContentType).starts_with("application/json"))
    return refuse("send application/json");
  std::string compact;
  for (const char c : request.body)
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t') compact.push_back(c);
  constexpr std::string_view kOpen = R"({"level":")", kClose = R"("})";
  if (!compact.starts_with(kOpen) || !compact.ends_with(kClose) ||
      compact.size() < kOpen.size() + kClose.size())
    return refuse(R"(send {"level":"debug"})");
  const auto level = log::parse_level(
      std::string_view(compact).substr(kOpen.size(), compact.size() - kOpen.size() - kClose.size()));
  if (!level) return refuse("the levels are trace, debug, info, warn, error and off");
  log::set_level(*level);
  log::write(log::Level::kInfo, "log level changed", {{"level", log::name_of(*level)}});
  Response response = level_now();
  response.action = "set_log_level";
  response.argument = {"level", log::name_of(*level)};
  return response;
}

}  // namespace

AdminServer::AdminServer(const net::Endpoint& address, net::Offload& offload, Sources sources,
                         base::Secret token, telemetry::AuditLog* audit)
    : listener_(loop_, address, false),
      loopback_(is_loopback(address)),
      readiness_(loop_, offload, std::move(sources.dependencies)),
      metrics_(std::move(sources.metrics)),
      credentials_(std::move(token)),
      audit_(audit),
      connections_(loop_),
      end_(loop_) {}

AdminServer::~AdminServer() {
  stop();
}

void AdminServer::start(const std::shared_ptr<const gateway::Snapshot>& snapshot) {
  adopt(snapshot);
  connections_.spawn(
      listener_.run([this](int fd, const net::Endpoint& peer) { connections_.spawn(serve(fd, peer)); }));
  thread_ = std::thread([this] { loop_.run(); });
}

void AdminServer::watch(std::shared_ptr<const gateway::Snapshot> snapshot) {
  loop_.post([this, next = std::move(snapshot)] { adopt(next); });
}

void AdminServer::adopt(const std::shared_ptr<const gateway::Snapshot>& snapshot) {
  readiness_.watch(snapshot);
  credentials_.accept(snapshot->admin_verifiers(), {snapshot, &snapshot->admin_require()});
}

void AdminServer::draining() {
  loop_.post([this] { readiness_.draining(); });
}

void AdminServer::stop() {
  if (!thread_.joinable()) return;
  loop_.post([this] { end_.spawn(shut()); });
  thread_.join();
}

net::Task<> AdminServer::shut() {
  listener_.stop();
  for (net::Stream* stream : open_) stream->cancel();
  co_await connections_.drained();
  co_await readiness_.stop();
  loop_.stop();
}

Response AdminServer::answer(const Request& request) {
  if (request.path == "/log/level" && request.head.method == http::Method::kPost) return set_level(request);
  if (!request.reads()) return problem({Code::kMethodNotAllowed, "read with GET"});
  if (request.path == "/health") return {.body = "{\"alive\":true}\n"};
  if (request.path == "/ready")
    return {.status = readiness_.ready() ? 200U : 503U, .body = readiness_.report()};
  if (request.path == "/metrics")
    return {.type = telemetry::kExpositionType, .body = metrics_(readiness_.ready())};
  if (request.path == "/log/level") return level_now();
  return problem({Code::kNotFound, "try /health, /ready, /metrics or /log/level"});
}

net::Task<Response> AdminServer::respond(const Request& request, const net::Endpoint& peer) {
  const base::Mono began = base::mono_now();
  const bool open =
      request.path == "/health" || request.path == "/ready" || (request.path == "/metrics" && loopback_);
  if (open) co_return answer(request);
  const auto caller = co_await identify(request, peer);
  Response response = caller ? answer(request) : problem(caller.error());
  if (!caller || !response.action.empty())
    audit(request, peer, caller.value_or(Credentials::Caller{}), response, began);
  co_return response;
}

net::Task<base::Result<Credentials::Caller>> AdminServer::identify(const Request& request,
                                                                   const net::Endpoint& peer) {
  const auto verifiers = credentials_.verifiers();  // a reload may come while we wait for keys
  const auto check = [&](identity::KeySource** ask) {
    return credentials_.check(
        {.head = request.head, .address = peer.bytes(), .now = base::mono_now(), .wall = base::wall_now()},
        ask);
  };
  identity::KeySource* ask = nullptr;
  auto caller = check(&ask);
  const base::Mono until = base::mono_now() + kPatienceForKeys;
  while (!caller && ask && base::mono_now() < until && ask->want(base::mono_now())) {
    co_await gateway::keys_fetched(*ask, loop_, until);
    caller = check(&ask);
  }
  if (!caller && ask) caller = check(nullptr);  // for good, and charged
  co_return caller;
}

void AdminServer::audit(const Request& request, const net::Endpoint& peer, const Credentials::Caller& caller,
                        const Response& response, base::Mono began) {
  if (!audit_) return;
  const base::Mono now = base::mono_now();
  const Code code = response.error.code;
  if (code == Code::kTooManyFailures) {
    if (told_of_flood_ != base::Mono{} && now - told_of_flood_ < base::Seconds(1)) return;
    told_of_flood_ = now;
  }
  const bool done = response.status < 300;
  const bool refused =
      code == Code::kUnauthorized || code == Code::kClaimsRejected || code == Code::kTooManyFailures;
  const std::string client = peer.host();
  telemetry::AuditRecord record{.event = telemetry::AuditEvent::kAdmin,
                                .client = client,
                                .credential = caller.credential,
                                .method = request.head.method_text,
                                .path = request.path,
                                .action = response.action,
                                .status = static_cast<std::uint16_t>(response.status),
                                .duration = now - began};
  if (caller.principal) {
    record.issuer = caller.principal->issuer;
    record.subject = caller.principal->subject;
    record.agent = caller.principal->agent;
  }
  if (!response.argument.name.empty()) record.arguments = {&response.argument, 1};
  if (!done) {
    record.decision = refused ? telemetry::AuditDecision::kDeny : telemetry::AuditDecision::kError;
    record.reason =
        code == Code::kUnauthorized ? response.error.text : std::string_view(telemetry::label(code));
    if (record.reason != response.error.text) record.detail = response.error.text;
  }
  audit_->event(record);
}

net::Task<> AdminServer::serve(int fd, net::Endpoint peer) {
  net::Stream stream(loop_, fd);
  if (!stream.open()) co_return;
  open_.push_back(&stream);
  if (open_.size() > kConnections) open_[open_.size() - kConnections - 1]->cancel();
  const auto buffer = std::make_unique<char[]>(kBuffer);
  const auto head = std::make_unique<http::RequestHead>();
  std::size_t have = 0;
  bool keep_alive = true;
  while (keep_alive) {
    std::size_t used = 0;
    Response response;
    bool complete = false;
    stream.set_deadline(kPatience);  // for the request as a whole
    while (!complete) {
      const auto parsed = http::parse_request({buffer.get(), have}, {.head = kBuffer}, *head);
      if (!parsed) {
        response = problem(parsed.error());
        keep_alive = false;
        break;
      }
      if (*parsed > 0) {
        if (head->framing == http::Framing::kChunked || head->content_length > kBuffer - *parsed) {
          response = problem({Code::kBodyTooLarge, "a short body with Content-Length, please"});
          keep_alive = false;
          break;
        }
        used = *parsed + static_cast<std::size_t>(head->content_length);
        complete = have >= used;
      }
      if (complete) break;
      const auto n = co_await stream.read({buffer.get() + have, kBuffer - have});
      if (!n || *n == 0) {
        std::erase(open_, &stream);
        co_return;
      }
      have += *n;
    }
    if (complete) {
      const std::string_view body(buffer.get() + used - head->content_length, head->content_length);
      const Request request{
          .head = *head, .path = head->target.substr(0, head->target.find('?')), .body = body};
      response = co_await respond(request, peer);
      keep_alive = head->keep_alive;
    }
    std::string out;
    http::append_status_line(static_cast<std::uint16_t>(response.status), out);
    out.append("Content-Type: ").append(response.type).append("\r\nCache-Control: no-store\r\n");
    if (response.status == 405) out.append("Allow: GET, HEAD\r\n");
    if (!response.challenge.empty())
      out.append("WWW-Authenticate: ").append(response.challenge).append("\r\n");
    if (response.status == 429) out.append("Retry-After: 1\r\n");
    out.append(keep_alive ? "" : "Connection: close\r\n");
    out.append("Content-Length: ").append(std::to_string(response.body.size())).append("\r\n\r\n");
    if (head->method != http::Method::kHead) out.append(response.body);
    stream.set_deadline(kPatience);
    if (!co_await stream.write_all(out)) break;
    std::copy(buffer.get() + used, buffer.get() + have, buffer.get());
    have -= used;
  }
  std::erase(open_, &stream);
}

}  // namespace admin
