// Cases of http and telemetry: reading and writing messages, counting and logging them.
#include <array>
#include <memory>
#include <string>

#include "http/chunked.h"
#include "http/conditions.h"
#include "http/date.h"
#include "http/head.h"
#include "http/range.h"
#include "http/response_head.h"
#include "http/target.h"
#include "instr.h"
#include "telemetry/access_line.h"
#include "telemetry/metrics.h"

namespace instr {
namespace {

// As in src/http/head_bench.cc: six fields, one of them a bearer token of HS256.
constexpr std::string_view kRequest =
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
constexpr std::string_view kReply =
    "HTTP/1.1 200 OK\r\n"
    "Date: Sat, 21 Nov 2026 10:00:00 GMT\r\n"
    "Content-Type: image/jpeg\r\n"
    "Content-Length: 48213\r\n"
    "ETag: \"0123456789abcdef\"\r\n"
    "Last-Modified: Fri, 20 Nov 2026 09:00:00 GMT\r\n"
    "Cache-Control: public, max-age=600\r\n"
    "Connection: keep-alive\r\n"
    "\r\n";

void request_head(Run& run) {
  http::RequestHead head;
  const http::HeadLimits limits;
  run.each([&] {
    auto used = http::parse_request(kRequest, limits, head);
    expect(used == kRequest.size(), "the request's head is read");
    keep(head);
  });
}

void reply_head(Run& run) {
  http::ResponseHead head;
  const http::HeadLimits limits;
  run.each([&] {
    auto used = http::parse_response(kReply, http::Method::kGet, limits, head);
    expect(used == kReply.size(), "the reply's head is read");
    keep(head);
  });
}

void target(Run& run, std::string_view raw) {
  std::array<char, 256> scratch;
  http::Target out;
  run.each([&] {
    expect(http::parse_target(raw, scratch, out).has_value(), "the target is read");
    keep(out);
  });
}
void target_plain(Run& run) {
  target(run, "/photos/2026/11/holiday-0042.jpg?w=640");
}
void target_encoded(Run& run) {
  target(run, "/photos/2026/11/holiday%20in%20Ky%C5%8Dto//0042.jpg?w=640");
}

void date_write(Run& run) {
  char out[http::kDateSize];
  std::int64_t second = 1'900'000'000;
  run.each([&] { keep(http::write_date(second += 86'399, out)); });
}

void date_parse(Run& run) {
  run.each([&] {
    auto date = http::parse_date("Sun, 06 Nov 1994 08:49:37 GMT", 1'900'000'000);
    expect(date == 784'111'777, "the date is read");
  });
}

http::RequestHead with_fields(const std::string& text) {
  http::RequestHead head;
  expect(http::parse_request(text, {}, head) == text.size(), "the head is read");
  return head;
}

void conditions(Run& run) {
  const std::string text =
      "GET / HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"other\", W/\"another\", \"0123456789abcdef\"\r\n"
      "If-Modified-Since: Fri, 20 Nov 2026 09:00:00 GMT\r\n\r\n";
  const http::RequestHead head = with_fields(text);
  const http::Validators current{
      .etag = "\"0123456789abcdef\"", .last_modified = 1'795'165'200, .date = 1'795'255'200};
  run.each([&] {
    expect(http::evaluate(head.method, head.fields, current) == http::Verdict::kNotModified, "304");
  });
}

void if_modified_since(Run& run) {
  const std::string text =
      "GET / HTTP/1.1\r\nHost: a\r\nIf-Modified-Since: Fri, 20 Nov 2026 09:00:00 GMT\r\n\r\n";
  const http::RequestHead head = with_fields(text);
  const http::Validators current{.etag = {}, .last_modified = 1'795'165'200, .date = {}};
  run.each([&] {
    expect(http::evaluate(head.method, head.fields, current) == http::Verdict::kNotModified, "304");
  });
}

void range(Run& run, std::string_view value, std::size_t pieces) {
  run.each([&] {
    const http::RangeSet ranges = http::parse_range(value, 1 << 20);
    expect(ranges.size() == pieces, "the ranges are read");
  });
}
void range_one(Run& run) {
  range(run, "bytes=65536-131071", 1);
}
void range_four(Run& run) {
  range(run, "bytes=0-99, 1000-1999, 65536-131071, -500", 4);
}

// A body of 64 KiB in chunks of 1 KiB; the operation is a chunk.
void chunked_read(Run& run) {
  constexpr std::size_t kChunks = 64;
  std::string body;
  for (std::size_t i = 0; i < kChunks; ++i) body.append("400\r\n").append(1024, 'x').append("\r\n");
  body.append(http::kLastChunk);
  run.all([&](std::uint64_t n) {
    for (std::uint64_t chunks = 0; chunks < n; chunks += kChunks) {
      http::ChunkedDecoder decoder;
      std::string_view in = body;
      while (true) {
        auto step = decoder.next(in);
        expect(step.has_value(), "the chunk is read");
        keep(*step);
        if (step->done) break;
      }
      expect(decoder.body_bytes() == kChunks * 1024, "the body is whole");
    }
  });
}

void chunked_write(Run& run) {
  char out[http::kChunkHeaderMax];
  std::uint64_t size = 1024;
  run.each([&] {
    keep(http::write_chunk_header(size, out));
    size = (size + 1117) & 0xffff;
  });
}

void access_line(Run& run) {
  auto out = std::make_unique<char[]>(telemetry::kMaxAccessLine);
  telemetry::AccessLineFormatter formatter;
  telemetry::AccessRecord record{
      .time = base::wall_now(),
      .request_id = "0123456789abcdef0123456789",
      .client = "192.0.2.7",
      .principal = "ana@example.com",
      .issuer = "https://id.example.com",
      .method = "GET",
      .host = "cdn.example.com",
      .path = "/photos/2026/11/a.jpg?width=200",
      .route = "/photos/",
      .user_agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
      .cache = "hit",
      .status = 200,
      .bytes_sent = 1234,
      .bytes_received = 410,
      .duration = base::Nanos(34'567)};
  run.each([&] {
    record.time += base::Millis(1);
    expect(formatter.format(record, out.get()) > 200, "a line is written");
  });
}

void count_request(Run& run) {
  auto metrics = std::make_unique<telemetry::WorkerMetrics>();
  const telemetry::LabelId route = telemetry::routes().intern("/photos/");
  std::int64_t ns = 1;
  run.each([&] {
    metrics->routes[route].request(200, telemetry::Outcome::kServed);
    metrics->routes[route].cache[telemetry::CacheResult::kHit].add();
    metrics->request_duration.record(base::Nanos(ns));
    ns = (ns * 5 + 1) & 0xffffffff;
    keep(*metrics);
  });
}

constexpr Case kCases[] = {
    {"http/request-head", 5'000, request_head},
    {"http/reply-head", 5'000, reply_head},
    {"http/target", 10'000, target_plain},
    {"http/target-encoded", 10'000, target_encoded},
    {"http/date-write", 20'000, date_write},
    {"http/date-parse", 20'000, date_parse},
    {"http/conditions", 10'000, conditions},
    {"http/if-modified-since", 10'000, if_modified_since},
    {"http/range", 20'000, range_one},
    {"http/range-four", 10'000, range_four},
    {"http/chunk-read", 16'384, chunked_read},
    {"http/chunk-write", 20'000, chunked_write},
    {"telemetry/access-line", 5'000, access_line},
    {"telemetry/count-request", 20'000, count_request},
};

}  // namespace

std::span<const Case> message_cases() {
  return kCases;
}

}  // namespace instr
