#include "app/endpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "app/openapi.h"

namespace app {

using base::Code;

namespace {

// application/json, with parameters or without (RFC 8259 §11 gives them no meaning).
bool is_json(std::string_view type) {
  constexpr std::string_view kJson = "application/json";
  std::string_view essence = type.substr(0, type.find(';'));
  while (essence.ends_with(' ') || essence.ends_with('\t')) essence.remove_suffix(1);
  return std::ranges::equal(essence, kJson, {}, [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
  });
}

}  // namespace

Endpoint::Endpoint(std::string_view title, std::span<const Operation> operations)
    : router_(operations), document_(openapi_document(title, operations)) {}

bool Endpoint::open(const Call& call) const {
  if (call.operation) return is_open(call.operation->access, call.local);
  return router_.open(call.path, call.local);
}

Question Endpoint::describe(const Call& call) const {
  return {.action = call.operation ? call.operation->id : std::string_view(), .resource = call.path};
}

net::Task<base::Result<Answer>> Endpoint::answer(Call& call) {
  if (!open(call) && !call.caller.identified()) {
    Answer refusal = problem(call, Code::kUnauthorized, "this operation asks for a credential");
    refusal.error.text = "no_credential";  // as identity would say
    refusal.add("WWW-Authenticate", R"(Bearer realm="sekisho")");
    co_return refusal;
  }
  if (!call.operation) {
    const std::string allowed = router_.allowed(call.path);
    if (allowed.empty()) co_return problem(call, Code::kNotFound, "GET /openapi.json lists what there is");
    Answer refusal = problem(call, Code::kMethodNotAllowed, "this path takes " + allowed);
    refusal.add("Allow", allowed);
    co_return refusal;
  }
  if (call.operation->body) {
    auto refusal = co_await read_body(call);
    if (!refusal) co_return std::unexpected(refusal.error());
    if (*refusal) co_return std::move(**refusal);
  }
  co_return co_await call.operation->handler(*this, call);
}

// Nothing, or why not.
net::Task<base::Result<std::optional<Answer>>> Endpoint::read_body(Call& call) const {
  using Refusal = std::optional<Answer>;
  const std::size_t most = call.operation->most;
  // Also where there is no body: a page of somebody else can post without this, through a browser, but not
  // with it.
  if (!is_json(call.head->value(http::FieldId::kContentType)))
    co_return Refusal(problem(call, Code::kUnsupportedMediaType, "send application/json"));
  const auto too_large = [&] {
    return Refusal(problem(call, Code::kBodyTooLarge, fmt::format("this body may have {} bytes", most)));
  };
  if (call.head->content_length > most) co_return too_large();
  std::string text;
  if (call.upload && call.head->has_body()) {
    text.resize(std::min<std::size_t>(most, call.head->framing == http::Framing::kLength
                                                ? static_cast<std::size_t>(call.head->content_length)
                                                : most) +
                1);  // one more than there may be
    std::size_t have = 0;
    for (;;) {
      const auto n = co_await call.upload->read(std::span(text).subspan(have));
      if (!n) co_return std::unexpected(n.error());
      if (*n == 0) break;
      have += *n;
      if (have > most) co_return too_large();
    }
    text.resize(have);
  }
  auto read = read_object(text, *call.operation->body);
  if (!read) co_return Refusal(problem(call, Code::kBadRequest, std::move(read.error())));
  call.body = *std::move(read);
  co_return Refusal();
}

base::Result<Answer> Endpoint::openapi(Call&) {
  return Answer{.body = std::string_view(document_)};
}

}  // namespace app
