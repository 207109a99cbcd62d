#include "admin/admin.h"

#include <signal.h>

#include <algorithm>
#include <array>

#include "http/head.h"
#include "http/problem.h"
#include "http/reason.h"
#include "telemetry/exposition.h"
#include "telemetry/oplog.h"

namespace admin {

namespace log = telemetry::log;
using base::Code;
using base::Error;

struct Request {
  http::Method method;
  std::string_view path;
  std::string_view content_type;
  std::string_view body;
};

namespace {

constexpr std::size_t kBuffer = 16 << 10;
constexpr base::Nanos kPatience = base::Seconds(30);
constexpr std::size_t kConnections = 64;  // then the oldest goes, so that silent ones do not keep others out

Response problem(Error error) {
  Response response{.status = http::row_of(error.code).status, .type = http::kProblemType, .body = {}};
  http::append_problem(error, "", response.body);
  return response;
}

Response level_now() {
  return {.body = R"({"level":")" + std::string(log::name_of(log::level())) + "\"}\n"};
}

// {"level":"debug"}: one member, one string; that much JSON needs no parser.
Response set_level(const Request& request) {
  if (!request.content_type.starts_with("application/json"))
    return problem({Code::kBadRequest, "send application/json"});
  std::string compact;
  for (const char c : request.body)
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t') compact.push_back(c);
  constexpr std::string_view kOpen = R"({"level":")", kClose = R"("})";
  if (!compact.starts_with(kOpen) || !compact.ends_with(kClose) ||
      compact.size() < kOpen.size() + kClose.size())
    return problem({Code::kBadRequest, R"(send {"level":"debug"})"});
  const auto level = log::parse_level(
      std::string_view(compact).substr(kOpen.size(), compact.size() - kOpen.size() - kClose.size()));
  if (!level) return problem({Code::kBadRequest, "the levels are trace, debug, info, warn, error and off"});
  log::set_level(*level);
  log::write(log::Level::kInfo, "log level changed", {{"level", log::name_of(*level)}});
  return level_now();
}

}  // namespace

AdminServer::AdminServer(const net::Endpoint& address, net::Offload& offload, Metrics metrics)
    : listener_(loop_, address, false),
      readiness_(loop_, offload),
      metrics_(std::move(metrics)),
      connections_(loop_),
      end_(loop_) {}

AdminServer::~AdminServer() {
  stop();
}

void AdminServer::start(std::shared_ptr<const gateway::Snapshot> snapshot) {
  readiness_.watch(std::move(snapshot));
  connections_.spawn(listener_.run([this](int fd, const net::Endpoint&) { connections_.spawn(serve(fd)); }));
  thread_ = std::thread([this] { loop_.run(); });
}

void AdminServer::watch(std::shared_ptr<const gateway::Snapshot> snapshot) {
  loop_.post([this, next = std::move(snapshot)]() mutable { readiness_.watch(std::move(next)); });
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
  const bool reads = request.method == http::Method::kGet || request.method == http::Method::kHead;
  if (request.path == "/log/level" && request.method == http::Method::kPost) return set_level(request);
  if (!reads) return problem({Code::kMethodNotAllowed, "read with GET"});
  if (request.path == "/health") return {.body = "{\"alive\":true}\n"};
  if (request.path == "/ready")
    return {.status = readiness_.ready() ? 200U : 503U, .body = readiness_.report()};
  if (request.path == "/metrics")
    return {.type = telemetry::kExpositionType, .body = metrics_(readiness_.ready())};
  if (request.path == "/log/level") return level_now();
  return problem({Code::kNotFound, "try /health, /ready, /metrics or /log/level"});
}

net::Task<> AdminServer::serve(int fd) {
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
      response = answer({.method = head->method,
                         .path = head->target.substr(0, head->target.find('?')),
                         .content_type = head->value(http::FieldId::kContentType),
                         .body = body});
      keep_alive = head->keep_alive;
    }
    std::string out;
    http::append_status_line(static_cast<std::uint16_t>(response.status), out);
    out.append("Content-Type: ").append(response.type).append("\r\nCache-Control: no-store\r\n");
    if (response.status == 405) out.append("Allow: GET, HEAD\r\n");
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
