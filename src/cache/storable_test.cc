#include "cache/storable.h"

#include <gtest/gtest.h>

#include <array>
#include <initializer_list>
#include <string>
#include <utility>

#include "cache/entry.h"
#include "http/date.h"
#include "http/response_head.h"

namespace cache {
namespace {

using base::Nanos;
using base::Seconds;
using Fields = std::initializer_list<std::pair<std::string_view, std::string_view>>;

constexpr std::int64_t kNow = 784'111'777;  // Sun, 06 Nov 1994 08:49:37 GMT
constexpr std::string_view kDate = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr std::string_view kMinuteLater = "Sun, 06 Nov 1994 08:50:37 GMT";
constexpr std::string_view kMinuteEarlier = "Sun, 06 Nov 1994 08:48:37 GMT";

const ExchangeTimes kTimes{base::Mono(Seconds(100)), base::Mono(Seconds(100)), base::Wall(Seconds(kNow))};

void fill(http::FieldList& list, Fields fields) {
  for (const auto& [name, value] : fields) list.push(name, value, http::field_id(name));
}

RequestRules rules_of(Fields fields, http::Method method = http::Method::kGet, bool credentials = false) {
  http::RequestHead request;
  request.method = method;
  fill(request.fields, fields);
  return request_rules(request, credentials);
}

Storable judge(Fields fields, std::optional<Nanos> ttl = std::nullopt, std::uint16_t status = 200,
               const ExchangeTimes& times = kTimes) {
  http::ResponseHead reply;
  reply.status = status;
  fill(reply.fields, fields);
  return may_store(rules_of({}), reply, ttl, times);
}

TEST(Storable, TakesTheLifetimeFromTheMostSpecificWord) {
  const auto lifetime = [](Fields fields, std::optional<Nanos> ttl) { return judge(fields, ttl).freshness; };
  const std::optional<Nanos> hour = Seconds(3600);
  EXPECT_EQ(lifetime({{"Cache-Control", "max-age=20, s-maxage=10"}, {"Expires", kMinuteLater}}, hour),
            Seconds(10));
  EXPECT_EQ(lifetime({{"Cache-Control", "max-age=20"}, {"Expires", kMinuteLater}}, hour), Seconds(20));
  EXPECT_EQ(lifetime({{"Date", kDate}, {"Expires", kMinuteLater}}, hour), Seconds(60));
  EXPECT_EQ(lifetime({{"Expires", kMinuteLater}}, hour), Seconds(60)) << "no Date: from when it came";
  EXPECT_EQ(lifetime({{"Date", kDate}}, hour), hour);
  EXPECT_EQ(lifetime({{"Cache-Control", "public"}}, hour), hour) << "public says nothing about time";
}

TEST(Storable, DoesNotGuessALifetime) {
  EXPECT_FALSE(judge({{"Last-Modified", kMinuteEarlier}}).store);
  EXPECT_TRUE(judge({}, Seconds(1)).store);
}

TEST(Storable, LetsTheOriginsRefusalWinOverTheRoutesTtl) {
  for (const std::string_view word :
       {"no-store", "private", "no-cache", "No-Store", "max-age=0", "s-maxage=0, max-age=60",
        "max-age=60, no-cache", "private=\"X\", max-age=60", "no-cache=\"Set-Cookie\", max-age=9",
        "max-age=junk"})
    EXPECT_FALSE(judge({{"Cache-Control", word}}, Seconds(60)).store) << word;
  EXPECT_FALSE(judge({{"Cache-Control", "max-age=60"}, {"Cache-Control", "no-store"}}, Seconds(60)).store);
  EXPECT_FALSE(judge({{"Expires", "0"}}, Seconds(60)).store);
  EXPECT_FALSE(judge({{"Date", kDate}, {"Expires", kMinuteEarlier}}, Seconds(60)).store);
  EXPECT_FALSE(judge({{"Pragma", "no-cache"}}, Seconds(60)).store);
  EXPECT_TRUE(judge({{"Pragma", "no-cache"}, {"Cache-Control", "max-age=60"}}).store)
      << "Cache-Control speaks";
}

TEST(Storable, BelievesWhatIsSaidToCachesLikeThisOne) {
  const auto cdn = [](std::string_view value, std::string_view control = "max-age=600") {
    return judge({{"CDN-Cache-Control", value}, {"Cache-Control", control}, {"Expires", kMinuteEarlier}},
                 Seconds(5));
  };
  EXPECT_EQ(cdn("max-age=60").freshness, Seconds(60));
  EXPECT_EQ(cdn("max-age=60, s-maxage=90").freshness, Seconds(90));
  EXPECT_TRUE(cdn("max-age=60", "no-store").store);
  EXPECT_EQ(cdn("none", "no-store").freshness, Seconds(5)) << "neither Cache-Control nor Expires speaks then";
  for (const std::string_view word : {"no-store", "private", "no-cache", "max-age=0", "max-age=\"60\""})
    EXPECT_FALSE(cdn(word).store) << word;
  for (const std::string_view junk : {"", "max-age=60,", "NO-STORE", "no-store; "})
    EXPECT_EQ(cdn(junk).freshness, Seconds(600)) << junk;
}

TEST(Storable, RefusesWhatItCannotRead) {
  EXPECT_FALSE(judge({{"Cache-Control", "foo=\"bar, no-store"}}, Seconds(60)).store);
  EXPECT_FALSE(judge({{"Cache-Control", "max-age=60, foo=\"bar"}}).store);
  EXPECT_TRUE(judge({{"Cache-Control", "foo=\"bar, no-store\", max-age=60"}}).store);
}

TEST(Storable, RefusesWhatCannotBeSharedYet) {
  EXPECT_FALSE(judge({{"Set-Cookie", "a=b"}}, Seconds(60)).store);
  EXPECT_FALSE(judge({{"Vary", "Accept-Encoding"}}, Seconds(60)).store);
  for (const auto status : std::to_array<std::uint16_t>({206, 203, 204, 301, 304, 404, 500}))
    EXPECT_FALSE(judge({{"Cache-Control", "max-age=60"}}, Seconds(60), status).store) << status;
}

TEST(Storable, SaysWhyNot) {
  EXPECT_EQ(judge({{"Set-Cookie", "a=b"}}).why_not, "Set-Cookie");
  EXPECT_EQ(judge({{"Cache-Control", "no-store"}}).why_not, "no-store");
  EXPECT_EQ(judge({}, Seconds(1)).why_not, "");
}

TEST(Storable, BelievesTheGreaterOfAgeAndDate) {
  const std::string_view hour = "max-age=3600";
  EXPECT_EQ(judge({{"Cache-Control", hour}, {"Date", kDate}}).initial_age, Seconds(0));
  EXPECT_EQ(judge({{"Cache-Control", hour}, {"Date", kMinuteEarlier}}).initial_age, Seconds(60));
  EXPECT_EQ(judge({{"Cache-Control", hour}, {"Date", kMinuteLater}}).initial_age, Seconds(0))
      << "clock ahead";
  EXPECT_EQ(judge({{"Cache-Control", hour}, {"Date", kMinuteEarlier}, {"Age", "90"}}).initial_age,
            Seconds(90));
  EXPECT_EQ(judge({{"Cache-Control", hour}, {"Age", "5, 7"}}).initial_age, Seconds(5));
  for (const std::string_view junk : {"", "-5", "5x", "x", "+5", "5.5"})
    EXPECT_EQ(judge({{"Cache-Control", hour}, {"Age", junk}}).initial_age, Seconds(0)) << junk;
  EXPECT_FALSE(judge({{"Cache-Control", hour}, {"Age", "99999999999999999999999"}}).store)
      << "more than we count";
  EXPECT_FALSE(judge({{"Cache-Control", hour}, {"Age", "3600"}}).store) << "already stale";
}

TEST(Storable, AddsTheTimeUnderWayToAge) {
  const ExchangeTimes slow{base::Mono(Seconds(100)), base::Mono(Seconds(103)), base::Wall(Seconds(kNow))};
  const Storable judged =
      judge({{"Cache-Control", "max-age=60"}, {"Age", "10"}, {"Date", kDate}}, {}, 200, slow);
  EXPECT_EQ(judged.initial_age, Seconds(13));
}

TEST(RequestRules, BypassForOtherMethodsAndForwardedCredentials) {
  EXPECT_TRUE(rules_of({}, http::Method::kPost).bypass());
  EXPECT_TRUE(rules_of({}, http::Method::kGet, true).bypass());
  const RequestRules head = rules_of({}, http::Method::kHead);
  EXPECT_TRUE(head.lookup);
  EXPECT_FALSE(head.store);
  const RequestRules get = rules_of({{"Authorization", "Bearer consumed"}});
  EXPECT_TRUE(get.lookup && get.store) << "a credential that stays here does not matter";
}

TEST(RequestRules, GoToTheOriginAndRefreshWhenAskedTo) {
  for (const Fields& fields : {Fields{{"Cache-Control", "no-cache"}}, Fields{{"Cache-Control", "max-age=0"}},
                               Fields{{"Pragma", "no-cache"}}}) {
    const RequestRules rules = rules_of(fields);
    EXPECT_TRUE(rules.anew && rules.store);
  }
  EXPECT_FALSE(rules_of({{"Cache-Control", "max-age=60"}, {"Pragma", "no-cache"}}).anew);
}

TEST(RequestRules, KeepNothingOfANoStoreRequest) {
  const RequestRules rules = rules_of({{"Cache-Control", "no-store"}});
  EXPECT_TRUE(rules.lookup);
  http::ResponseHead reply;
  reply.status = 200;
  EXPECT_FALSE(may_store(rules, reply, Seconds(60), kTimes).store);
}

TEST(RequestRules, AcceptOnlyWhatIsYoungAndFreshEnough) {
  const base::Mono now = base::mono_now();
  const auto entry = Entry::make(
      {.key = KeyView("k"), .stored_at = now, .initial_age = Seconds(10), .freshness = Seconds(60)});
  EXPECT_TRUE(rules_of({}).accepts(*entry, now));
  EXPECT_TRUE(rules_of({{"Cache-Control", "max-age=10"}}).accepts(*entry, now));
  EXPECT_FALSE(rules_of({{"Cache-Control", "max-age=9"}}).accepts(*entry, now));
  EXPECT_TRUE(rules_of({{"Cache-Control", "min-fresh=49"}}).accepts(*entry, now));
  EXPECT_FALSE(rules_of({{"Cache-Control", "min-fresh=50"}}).accepts(*entry, now));
  EXPECT_FALSE(rules_of({{"Cache-Control", "no-cache"}}).accepts(*entry, now));
  EXPECT_TRUE(rules_of({{"Cache-Control", "only-if-cached"}}).only_if_cached);
}

}  // namespace
}  // namespace cache
