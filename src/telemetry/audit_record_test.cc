#include "telemetry/audit_record.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>

#include "text/json_check.h"

namespace telemetry {
namespace {

using text::testing_support::read_object;

std::string line_of(const AuditRecord& record) {
  const auto out = std::make_unique<char[]>(kMaxLine);
  AuditLineFormatter formatter;
  return {out.get(), formatter.format(record, out.get())};
}

AuditRecord denied() {
  return {.time = base::Wall(base::Nanos(1'795'235'506'123'456'789)),
          .request_id = "0123456789abcdef",
          .client = "192.0.2.7",
          .issuer = "https://id.example.com",
          .subject = "ana@example.com",
          .agent = "assistant-7",
          .method = "GET",
          .path = "/photos/a.jpg?width=200",
          .route = "/photos/",
          .decision = AuditDecision::kDeny,
          .reason = "too_many_requests",
          .limit = "by_person",
          .detail = "a rate limit is exhausted",
          .status = 429,
          .duration = base::Nanos(1'234'567),
          .bytes_sent = 345,
          .bytes_received = 410,
          .bytes = true,
          .cache = "bypass"};
}

TEST(AuditLine, HoldsTheRecordOfARequest) {
  EXPECT_EQ(line_of(denied()),
            R"({"time":"2026-11-21T04:31:46.123Z","event":"request","request_id":"0123456789abcdef",)"
            R"("client":"192.0.2.7","principal":{"issuer":"https://id.example.com",)"
            R"("subject":"ana@example.com","agent":"assistant-7"},"method":"GET",)"
            R"("path":"/photos/a.jpg?width=200","route":"/photos/","decision":"deny",)"
            R"("reason":"too_many_requests","limit":"by_person","detail":"a rate limit is exhausted",)"
            R"("status":429,"duration_ms":1.235,"bytes_sent":345,"bytes_received":410,"cache":"bypass"})"
            "\n");
}

TEST(AuditLine, HoldsAnAdminAction) {
  const AuditArgument level{"level", "debug"};
  EXPECT_EQ(line_of({.event = AuditEvent::kAdmin,
                     .client = "127.0.0.1",
                     .credential = "bootstrap_token",
                     .method = "POST",
                     .path = "/log/level",
                     .action = "set_log_level",
                     .arguments = {&level, 1},
                     .status = 200,
                     .duration = base::Nanos(0)}),
            R"({"time":"1970-01-01T00:00:00.000Z","event":"admin","client":"127.0.0.1",)"
            R"("credential":"bootstrap_token","method":"POST","path":"/log/level","action":"set_log_level",)"
            R"("arguments":{"level":"debug"},"decision":"allow","status":200,"duration_ms":0.000})"
            "\n");
}

TEST(AuditLine, LeavesOutWhatDoesNotApply) {
  EXPECT_EQ(line_of({.event = AuditEvent::kReload, .by = "SIGHUP"}),
            R"({"time":"1970-01-01T00:00:00.000Z","event":"reload","by":"SIGHUP","decision":"allow"})"
            "\n");
  AuditRecord record = denied();
  record.issuer = record.agent = {};
  EXPECT_EQ(read_object(std::string_view(line_of(record)).substr(0, line_of(record).size() - 1))
                ->count("principal.issuer"),
            0U);
}

TEST(AuditLine, IsOneLineOfJsonWhateverTheClientSends) {
  std::mt19937 random(11);
  for (int round = 0; round < 5000; ++round) {
    std::string hostile(1 + random() % 40, '\0');
    for (char& c : hostile)
      c = static_cast<char>(round % 2 ? random()
                                      : "\"\\/\n\x7f\xc2\x85\xe3\x81\x82\xf0\xed\xa0"[random() % 14]);
    AuditRecord record = denied();
    record.path = record.subject = record.agent = record.method = hostile;
    const std::string line = line_of(record);
    ASSERT_EQ(line.find('\n'), line.size() - 1);
    ASSERT_TRUE(read_object(std::string_view(line).substr(0, line.size() - 1))) << line;
  }
}

TEST(AuditLine, StaysWithinItsBoundWhenEverythingIsLong) {
  const std::string junk(100'000, '\x01');
  const AuditArgument many[] = {{"a", junk}, {"b", junk}, {"c", junk}};
  AuditRecord r;
  r.request_id = r.client = r.issuer = r.subject = r.agent = r.credential = r.method = r.path = junk;
  r.route = r.action = r.by = r.reason = r.limit = r.detail = r.cache = junk;
  r.arguments = many;
  r.bytes = true;
  r.bytes_sent = r.bytes_received = UINT64_MAX;
  r.status = UINT16_MAX;
  r.duration = base::Nanos::max();
  const std::string line = line_of(r);
  EXPECT_LE(line.size(), kMaxLine);
  EXPECT_TRUE(read_object(std::string_view(line).substr(0, line.size() - 1)));
}

}  // namespace
}  // namespace telemetry
