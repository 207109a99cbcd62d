// What is counted and logged of a request, however it ended.
#include "gateway/record.h"

#include <gmock/gmock.h>

#include "gateway/exchange_testing.h"
#include "identity/reason.h"
#include "telemetry/line_testing.h"

namespace gateway {
namespace {

using base::Code;
using telemetry::CacheResult;
using telemetry::Outcome;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing_support::kStaff;

telemetry::HistogramSum summed(const telemetry::Histogram& histogram) {
  telemetry::HistogramSum sum;
  histogram.read_into(sum);
  return sum;
}

struct Said {
  std::string access, audit;
};

class Record : public testing_support::ExchangeTest {
 protected:
  void SetUp() override {
    char name[] = "/tmp/record_test.XXXXXX";
    dir_ = ::mkdtemp(name);
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  // The reply went out whole.
  Exchange& served(Exchange& now, std::uint16_t status = 200) {
    now.plan = Plan::kOrigin;
    now.head_sent = true;
    now.status = status;
    now.bytes_out = 512;
    return now;
  }
  Exchange& refused(Exchange& now, std::uint16_t status, base::Error error) {
    now.stop(error);
    now.head_sent = true;
    now.status = status;
    return now;
  }
  // Both lines, where they were written.
  Said record_it(bool all_requests = false) {
    const std::string access = dir_ + "/access", audit = dir_ + "/audit";
    {
      telemetry::AccessLog access_log(access);
      telemetry::AuditLog audit_log({.output = audit, .all_requests = all_requests});
      telemetry::AccessLogBuffer access_lines(&access_log);
      telemetry::AuditBuffer audit_lines(&audit_log);
      record(x(), metrics, access_lines, audit_lines, base::wall_now());
    }
    Said said{.access = telemetry::testing_support::slurp(access),
              .audit = telemetry::testing_support::slurp(audit)};
    std::filesystem::remove(access);
    std::filesystem::remove(audit);
    return said;
  }
  std::uint64_t requests(std::uint16_t status, Outcome outcome) {
    return metrics.routes[route().label].requests[telemetry::status_slot(status)][outcome].read();
  }
  std::uint64_t cache_count(CacheResult result) { return metrics.routes[route().label].cache[result].read(); }

  telemetry::WorkerMetrics metrics;

 private:
  std::string dir_;
};

TEST_F(Record, CountsAndLogsWhatWasServed) {
  served(receive("GET /a?b=c HTTP/1.1\nHost: example.com\nUser-Agent: test \"1\"\n")).bytes_in = 100;
  const Said said = record_it();
  EXPECT_THAT(said.access, AllOf(HasSubstr(R"("request_id":"our-id")"), HasSubstr(R"("client":"192.0.2.7")"),
                                 HasSubstr(R"("method":"GET")"), HasSubstr(R"("host":"example.com")"),
                                 HasSubstr(R"("path":"/a?b=c")"), HasSubstr(R"("route":"/")"),
                                 HasSubstr(R"("status":200)"), HasSubstr(R"("user_agent":"test \"1\"")"),
                                 Not(HasSubstr("reason"))));
  EXPECT_EQ(telemetry::testing_support::lines_in(said.access), 1U);
  EXPECT_EQ(said.audit, "") << "nothing was denied";
  EXPECT_EQ(requests(200, Outcome::kServed), 1U);
  EXPECT_EQ(metrics.bytes_received.read(), 100U);
  EXPECT_EQ(metrics.bytes_sent.read(), 512U);
  served(receive("GET / HTTP/1.1\nHost: a\n"));
  EXPECT_THAT(record_it(true).audit, HasSubstr(R"("decision":"allow")"));
}

TEST_F(Record, CountsADenialAndSaysWhyInBothLogs) {
  refused(receive("GET /a HTTP/1.1\nHost: a\n"), 401, {Code::kUnauthorized, "expired"});
  const Said said = record_it();
  EXPECT_EQ(requests(401, Outcome::kDenied), 1U);
  EXPECT_EQ(metrics.denials[Code::kUnauthorized].read(), 1U);
  EXPECT_THAT(said.access, AllOf(HasSubstr(R"("status":401)"), HasSubstr(R"("reason":"unauthorized")")));
  EXPECT_THAT(said.audit, AllOf(HasSubstr(R"("decision":"deny")"), HasSubstr(R"("reason":"expired")")));
}

TEST_F(Record, AuditsWhatALimitOfOursTurnedAwayThoughItIsOurError) {
  refused(receive("GET / HTTP/1.1\nHost: a\n"), 503, {Code::kConcurrency, "no place"});
  EXPECT_THAT(record_it().audit, HasSubstr(R"("decision":"deny")"));
  EXPECT_EQ(metrics.denials[Code::kConcurrency].read(), 1U);
  EXPECT_EQ(requests(503, Outcome::kOurError), 1U);
  refused(receive("GET / HTTP/1.1\nHost: a\n"), 500, {Code::kInternal, "ours"});
  EXPECT_EQ(record_it().audit, "");
  EXPECT_EQ(metrics.denials[Code::kInternal].read(), 0U);
  EXPECT_EQ(requests(500, Outcome::kOurError), 1U);
}

TEST_F(Record, KnowsWhoBrokeOff) {
  // The origin, in the middle of its body.
  served(receive("GET / HTTP/1.1\nHost: a\n")).failed = true;
  x().error = {Code::kOriginBadReply, "cut"};
  EXPECT_THAT(record_it().access, HasSubstr(R"("reason":"origin_bad_reply")"));
  EXPECT_EQ(requests(200, Outcome::kOriginError), 1U);
  // The client, in the middle of it.
  served(receive("GET / HTTP/1.1\nHost: a\n")).failed = true;
  x().error = {Code::kClientGone, "left"};
  EXPECT_THAT(record_it().access,
              AllOf(HasSubstr(R"("status":200)"), HasSubstr(R"("reason":"client_gone")")));
  EXPECT_EQ(requests(200, Outcome::kClientGone), 1U);
  // The client, before there was a head.
  receive("GET / HTTP/1.1\nHost: a\n").gone.request();
  EXPECT_THAT(record_it().access, HasSubstr(R"("status":499)"));
  EXPECT_EQ(requests(499, Outcome::kClientGone), 1U);
}

TEST_F(Record, CallsByItsNameWhatTheCacheDid) {
  configure_route("cache: { ttl: 1m }");
  const auto say = [&](CacheUse use) {
    served(receive("GET / HTTP/1.1\nHost: a\n")).cache = use;
    x().rules.store = false;
    return record_it().access;
  };
  EXPECT_THAT(say(CacheUse::kHit), HasSubstr(R"("cache":"hit")"));
  EXPECT_THAT(say(CacheUse::kMiss), HasSubstr(R"("cache":"miss")"));
  EXPECT_THAT(say(CacheUse::kCollapsed), HasSubstr(R"("cache":"collapsed")"));
  EXPECT_THAT(say(CacheUse::kBypass), HasSubstr(R"("cache":"bypass")"));
  EXPECT_THAT(say(CacheUse::kNone), Not(HasSubstr(R"("cache")")));
  for (const CacheResult one :
       {CacheResult::kHit, CacheResult::kMiss, CacheResult::kCollapsed, CacheResult::kBypass})
    EXPECT_EQ(cache_count(one), 1U) << telemetry::label(one);
  // What the cache would have kept, had the origin let it, is no miss.
  served(receive("GET / HTTP/1.1\nHost: a\n")).cache = CacheUse::kMiss;
  x().rules.store = true;
  EXPECT_THAT(record_it().access, HasSubstr(R"("cache":"bypass")"));
}

TEST_F(Record, WritesNoTokenOfAQueryDown) {
  configure_route("identity: staff", kStaff);
  for (const auto& [target, logged] : {std::pair{"/a?x=1&token=secret&y=2", R"("path":"/a?x=1&y=2")"},
                                       {"/a?token=secret", R"("path":"/a")"},
                                       {"/a?t%6Fken=secret", R"("path":"/a")"},
                                       {"/a?x=1", R"("path":"/a?x=1")"}}) {
    served(receive(std::string("GET ") + target + " HTTP/1.1\nHost: a\n"));
    const Said said = record_it(true);
    EXPECT_THAT(said.access, AllOf(HasSubstr(logged), Not(HasSubstr("secret")))) << target;
    EXPECT_THAT(said.audit, AllOf(HasSubstr(logged), Not(HasSubstr("secret")))) << target;
  }
}

TEST_F(Record, NamesThePrincipal) {
  served(receive("GET / HTTP/1.1\nHost: a\n"));
  auto principal = identity::Principal::make(2, [](char* bytes) { std::string_view("{}").copy(bytes, 2); });
  principal->keep("https://id.test", "ann", "robot");
  x().principal = principal;
  const Said said = record_it(true);
  EXPECT_THAT(said.access,
              AllOf(HasSubstr(R"("principal":"ann")"), HasSubstr(R"("issuer":"https://id.test")")));
  EXPECT_THAT(said.audit, AllOf(HasSubstr(R"("subject":"ann")"), HasSubstr(R"("agent":"robot")")));
}

TEST_F(Record, TakesWaitsForOthersOutOfOurTime) {
  Exchange& now = served(receive("GET / HTTP/1.1\nHost: a\n"));
  now.started -= base::Seconds(10);
  now.origin_asked = now.started + base::Seconds(1);
  now.origin_answered = now.origin_asked + base::Seconds(5);
  now.client_wait = base::Seconds(2);
  record_it();
  EXPECT_GE(now.finished - now.started, base::Seconds(10));
  EXPECT_EQ(now.origin_wait, base::Seconds(5));
  EXPECT_EQ(summed(metrics.phases[telemetry::Phase::kOrigin]).count(), 1U);
  EXPECT_EQ(summed(metrics.gateway_duration).count(), 1U);
  EXPECT_LT(summed(metrics.gateway_duration).nanos, 4e9);
}

}  // namespace
}  // namespace gateway
