// The small ones: dates, hop-by-hop fields, problems, reason phrases.
#include <gtest/gtest.h>

#include <string>

#include "http/date.h"
#include "http/hop_by_hop.h"
#include "http/problem.h"
#include "http/reason.h"

namespace http {
namespace {

constexpr std::int64_t kNov6 = 784'111'777;
constexpr std::int64_t kIn2026 = 1'795'000'000;

std::string written(std::int64_t t) {
  char out[kDateSize];
  return std::string(write_date(t, out));
}

TEST(Date, IsWrittenAsImfFixdate) {
  EXPECT_EQ(written(kNov6), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(written(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(written(951'782'400), "Tue, 29 Feb 2000 00:00:00 GMT");
  EXPECT_EQ(written(-1), "Wed, 31 Dec 1969 23:59:59 GMT");
  EXPECT_EQ(written(INT64_MAX), "Fri, 31 Dec 9999 23:59:59 GMT");
  EXPECT_EQ(written(INT64_MIN), "Mon, 01 Jan 0001 00:00:00 GMT");
}

TEST(Date, IsReadInItsThreeForms) {
  EXPECT_EQ(parse_date("Sun, 06 Nov 1994 08:49:37 GMT", kIn2026), kNov6);
  EXPECT_EQ(parse_date("Sunday, 06-Nov-94 08:49:37 GMT", kIn2026), kNov6);
  EXPECT_EQ(parse_date("Sun Nov  6 08:49:37 1994", kIn2026), kNov6);
  EXPECT_EQ(parse_date("Sun Nov 16 08:49:37 1994", kIn2026), kNov6 + 864'000);
  for (std::int64_t t = -60'000'000'000; t < 250'000'000'000; t += 12'345'678'901)
    EXPECT_EQ(parse_date(written(t), kIn2026), t);
}

TEST(Date, TakesTwoDigitYearsForTheNearestWithin50YearsAhead) {
  EXPECT_EQ(written(*parse_date("Friday, 06-Nov-70 08:49:37 GMT", kIn2026)).substr(12, 4), "2070");
  EXPECT_EQ(written(*parse_date("Friday, 06-Nov-77 08:49:37 GMT", kIn2026)).substr(12, 4), "1977");
}

TEST(Date, IsNoneWhenItIsNotOne) {
  for (const char* bad :
       {"", "0", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 6 Nov 1994 08:49:37 GMT", "sun, 06 nov 1994 08:49:37 gmt",
        "Sun, 06 Nov 1994 08:49:37 GMT ", "Sun,06 Nov 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994", "Sunday, 06-Nov-1994 08:49:37 GMT", "Sun, +6 Nov 1994 08:49:37 GMT"})
    EXPECT_EQ(parse_date(bad, kIn2026), std::nullopt) << bad;
}

bool ends_here(std::string_view connection, std::string_view name) {
  FieldList fields;
  fields.push("Connection", connection, FieldId::kConnection);
  return HopByHop(fields).ends_here({name, "", field_id(name)});
}

TEST(HopByHop, FieldsEndHereWhateverConnectionSays) {
  for (const char* name : {"Connection", "Keep-Alive", "Proxy-Connection", "TE", "Trailer",
                           "Transfer-Encoding", "Upgrade", "Proxy-Authenticate", "Proxy-Authorization"}) {
    EXPECT_TRUE(ends_here("close", name)) << name;
    EXPECT_TRUE(HopByHop(FieldList()).ends_here({name, "", field_id(name)})) << name;
  }
  EXPECT_FALSE(ends_here("close", "Accept"));
  EXPECT_FALSE(HopByHop(FieldList()).ends_here({"X-A", "", FieldId::kOther}));
}

TEST(HopByHop, FieldsThatConnectionNominatesEndHereToo) {
  EXPECT_TRUE(ends_here("keep-alive, X-Secret", "x-secret"));
  EXPECT_TRUE(ends_here("x-a,x-b", "X-B"));
  EXPECT_FALSE(ends_here("x-secret", "x-secrets"));
}

TEST(HopByHop, FieldsThatMatterCannotBeNominatedAway) {
  for (const char* name : {"Host", "Content-Length", "Authorization", "Cookie", "Forwarded",
                           "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Request-Id",
                           "Cache-Control", "Range", "If-None-Match", "Expect", "Via"})
    EXPECT_FALSE(ends_here(std::string("close, ") + name, name)) << name;
}

TEST(HopByHop, NominatingMoreThanWeKeepLosesEveryUnknownField) {
  std::string connection = "x0";
  for (int i = 1; i < 17; ++i) connection += ",x" + std::to_string(i);
  EXPECT_TRUE(ends_here(connection, "anything"));
  EXPECT_FALSE(ends_here(connection, "Cookie"));
  EXPECT_FALSE(ends_here(connection.substr(0, connection.rfind(',')), "anything"));
}

TEST(Problem, HasTheMembersOfTheStandard) {
  std::string out;
  append_problem({base::Code::kNoRoute, "no \"route\""}, "r-1", out);
  EXPECT_EQ(out,
            "{\"type\":\"urn:sekisho:problem:no-route\",\"title\":\"Nothing is served under this "
            "path\",\"status\":404,"
            "\"detail\":\"no \\\"route\\\"\",\"request_id\":\"r-1\"}\n");
  std::string bare;
  std::string ours;
  append_problem({base::Code::kOriginDenied, "the secret is wrong"}, "", ours);
  EXPECT_EQ(ours.find("secret"), ours.npos) << "the operator's business";
  append_problem({base::Code::kInternal, ""}, "", bare);
  EXPECT_EQ(bare,
            "{\"type\":\"urn:sekisho:problem:internal\",\"title\":\"The gateway failed\",\"status\":500}\n");
}

TEST(Reason, HasAPhraseForEachStatusWeSend) {
  for (int i = 0; i < static_cast<int>(base::Code::kCount); ++i) {
    const std::uint16_t status = base::row_of(static_cast<base::Code>(i)).status;
    if (status != 499) {
      EXPECT_NE(reason_of(status), "") << status;
    }
  }
  std::string line;
  append_status_line(206, line);
  append_status_line(299, line);
  EXPECT_EQ(line, "HTTP/1.1 206 Partial Content\r\nHTTP/1.1 299 \r\n");
}

}  // namespace
}  // namespace http
