// Parsing one request head: ours against llhttp, the yardstick of the bench's bars (head parse ≤ 0.3 of it).
#include <benchmark/benchmark.h>
#include <llhttp.h>

#include <array>
#include <string>
#include <string_view>

#include "http/head.h"
#include "http/response_head.h"
#include "http/target.h"

namespace http {
namespace {

// 6 fields, one of them a bearer token of HS256 as identity providers mint them; about 410 bytes.
const std::string kHead =
    "GET /photos/2026/11/holiday-0042.jpg HTTP/1.1\r\n"
    "Host: media.example.com\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:133.0)\r\n"
    "Accept: image/avif,image/webp,*/*;q=0.8\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Authorization: Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
    "eyJzdWIiOiJhbGljZSIsImF1ZCI6InNla2lzaG8iLCJpc3MiOiJodHRwczovL2lkIiwiZXhwIjoxNzk0MDAwMDAwfQ."
    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk\r\n"
    "Connection: keep-alive\r\n"
    "\r\n";

void BM_Head(benchmark::State& state) {
  RequestHead head;
  const HeadLimits limits;
  for (auto _ : state) {
    auto used = parse_request(kHead, limits, head);
    benchmark::DoNotOptimize(used);
    benchmark::DoNotOptimize(head);
  }
  if (parse_request(kHead, limits, head) != kHead.size()) state.SkipWithError("the head was refused");
  state.SetBytesProcessed(static_cast<std::int64_t>(kHead.size()) * state.iterations());
}
BENCHMARK(BM_Head);

// With the callbacks that any user of llhttp needs to end up with what ours gives: the target, and the fields
// as a list of spans.
struct Oracle {
  struct Span {
    std::string_view name, value;
  };
  llhttp_settings_t settings;
  llhttp_t parser;
  std::string_view target;
  std::array<Span, FieldList::kInline> fields;
  std::size_t count = 0;
  bool complete = false;

  static Oracle& of(llhttp_t* p) { return *static_cast<Oracle*>(p->data); }

  Oracle() {
    llhttp_settings_init(&settings);
    settings.on_message_begin = [](llhttp_t* p) {
      of(p).count = 0;
      return 0;
    };
    settings.on_url = [](llhttp_t* p, const char* at, std::size_t n) {
      of(p).target = {at, n};
      return 0;
    };
    settings.on_header_field = [](llhttp_t* p, const char* at, std::size_t n) {
      of(p).fields[of(p).count].name = {at, n};
      return 0;
    };
    settings.on_header_value = [](llhttp_t* p, const char* at, std::size_t n) {
      of(p).fields[of(p).count].value = {at, n};
      return 0;
    };
    settings.on_header_value_complete = [](llhttp_t* p) {
      ++of(p).count;
      return 0;
    };
    settings.on_message_complete = [](llhttp_t* p) {
      of(p).complete = true;
      return 0;
    };
    llhttp_init(&parser, HTTP_REQUEST, &settings);
    parser.data = this;
  }
};

void BM_HeadLlhttp(benchmark::State& state) {
  Oracle oracle;
  for (auto _ : state) {
    const auto result = llhttp_execute(&oracle.parser, kHead.data(), kHead.size());
    benchmark::DoNotOptimize(result);
    benchmark::DoNotOptimize(oracle.fields);
  }
  if (!oracle.complete) state.SkipWithError("llhttp refused the head");
  state.SetBytesProcessed(static_cast<std::int64_t>(kHead.size()) * state.iterations());
}
BENCHMARK(BM_HeadLlhttp);

void BM_Target(benchmark::State& state) {
  char scratch[256];
  Target target;
  for (auto _ : state) {
    auto ok = parse_target("/photos/2026/11/holiday-0042.jpg?w=640", scratch, target);
    benchmark::DoNotOptimize(ok);
    benchmark::DoNotOptimize(target);
  }
}
BENCHMARK(BM_Target);

}  // namespace
}  // namespace http
