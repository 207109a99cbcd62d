#include "origin/http_origin.h"

#include <charconv>

#include "config/fingerprint.h"
#include "http/target.h"

namespace origin {

namespace {

client::Remote remote_of(const config::HttpOrigin& options) {
  return {.host = options.url.host,
          .port = options.url.port,
          .tls = options.url.tls,
          .server_name = options.tls.server_name.empty() ? options.url.host : options.tls.server_name,
          .timeouts = options.timeouts,
          .pool = options.pool,
          .limits = options.limits};
}

// Methods whose meaning includes a body say so when theirs is empty, RFC 9110 section 8.6.
bool expects_body(http::Method method) {
  return method == http::Method::kPost || method == http::Method::kPut || method == http::Method::kPatch;
}

}  // namespace

HttpOrigin::HttpOrigin(const config::Origin& configuration, const config::HttpOrigin& options, Env env)
    : Origin(configuration.name, config::fingerprint(configuration)),
      base_path_(options.url.path),
      authority_(options.url.authority()),
      preserve_host_(options.preserve_host),
      pool_(base::make_ref<client::Pool>(env.loop, env.resolver, remote_of(options), options.tls,
                                         shared_stats())) {}

void HttpOrigin::render(const Ask& ask, std::string& out) const {
  out += ask.method_text;
  out += ' ';
  out += base_path_;
  http::append_sent_path(ask.path, out);
  if (ask.has_query) {
    out += '?';
    out += ask.raw_query;
  }
  out += " HTTP/1.1\r\nHost: ";
  out += preserve_host_ && !ask.host.empty() ? ask.host : std::string_view(authority_);
  out += "\r\n";
  out += ask.fields;
  if (ask.framing == http::Framing::kChunked) {
    out += "Transfer-Encoding: chunked\r\n";
  } else if (ask.framing == http::Framing::kLength || expects_body(ask.method)) {
    char digits[20];
    out += "Content-Length: ";
    out.append(digits, std::to_chars(digits, digits + sizeof digits, ask.content_length).ptr);
    out += "\r\n";
  }
  if (ask.websocket) out += "Connection: Upgrade\r\nUpgrade: websocket\r\n";
  out += "\r\n";
}

net::Task<base::Result<Reply>> HttpOrigin::fetch(const Ask& ask, net::Cancel* cancel) {
  std::string head;
  head.reserve(256 + base_path_.size() + ask.path.size() + ask.raw_query.size() + ask.fields.size());
  render(ask, head);
  const bool has_body = ask.framing == http::Framing::kChunked || ask.content_length > 0;
  const client::Question question{.method = ask.method,
                                  .head = head,
                                  .framing = ask.framing,
                                  .content_length = ask.content_length,
                                  .body = has_body ? ask.body : nullptr,
                                  .websocket = ask.websocket,
                                  .interims = ask.interims,
                                  .sent = ask.sent,
                                  .account = ask.account};
  co_return co_await client::exchange(pool_, question, cancel);
}

net::Task<base::Result<>> HttpOrigin::probe(net::Cancel* cancel) {
  const auto connection = co_await pool_->dial(cancel);
  if (!connection) co_return std::unexpected(connection.error());
  co_return base::Result<>{};
}

bool HttpOrigin::effective_query(std::string_view raw_query, bool has_query, std::string& out) const {
  if (has_query) out += raw_query;
  return has_query;
}

}  // namespace origin
