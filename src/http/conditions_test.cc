#include "http/conditions.h"

#include <gtest/gtest.h>

#include <string>

#include "http/etag.h"

namespace http {
namespace {

constexpr std::int64_t kNov6 = 784'111'777;  // Sun, 06 Nov 1994 08:49:37 GMT
constexpr const char* kNov6Text = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr const char* kNov7Text = "Mon, 07 Nov 1994 08:49:37 GMT";
constexpr const char* kNov5Text = "Sat, 05 Nov 1994 08:49:37 GMT";

FieldList fields(std::initializer_list<std::pair<FieldId, std::string_view>> list) {
  FieldList out;
  for (const auto& [id, value] : list) out.push(field_name(id), value, id);
  return out;
}

const Validators kCurrent{"\"x\"", kNov6, kNov6 + 60, true};

TEST(Etag, IsComparedStronglyOrWeakly) {
  EXPECT_TRUE(etags_equal_strong("\"a\"", "\"a\""));
  EXPECT_FALSE(etags_equal_strong("W/\"a\"", "W/\"a\""));
  EXPECT_FALSE(etags_equal_strong("W/\"a\"", "\"a\""));
  EXPECT_FALSE(etags_equal_strong("\"a\"", "\"b\""));
  EXPECT_TRUE(etags_equal_weak("W/\"a\"", "\"a\""));
  EXPECT_TRUE(etags_equal_weak("W/\"a\"", "W/\"a\""));
  EXPECT_FALSE(etags_equal_weak("W/\"a\"", "W/\"b\""));
  for (const char* bad : {"", "a", "\"a", "a\"", "w/\"a\"", "\"a\"b", "\"a\"\"", "\"a b\"", "W/", "W/a"})
    EXPECT_FALSE(parse_etag(bad)) << bad;
  EXPECT_TRUE(parse_etag("\"\"") && parse_etag("\"a\\\"") && parse_etag("\"\xc3\xa4\"") &&
              parse_etag("\"a,b\""));
}

TEST(Etag, IsFoundInLists) {
  constexpr auto kStrong = EtagComparison::kStrong;
  constexpr auto kWeak = EtagComparison::kWeak;
  EXPECT_TRUE(etag_list_matches("\"a\", W/\"x\",,\"b\"", "\"x\"", kWeak));
  EXPECT_FALSE(etag_list_matches("\"a\", W/\"x\",,\"b\"", "\"x\"", kStrong));
  EXPECT_TRUE(etag_list_matches(" , \"a\" ,\t\"x\"", "\"x\"", kStrong));
  EXPECT_FALSE(etag_list_matches("\"a\" \"x\"", "\"x\"", kStrong)) << "no comma";
  EXPECT_TRUE(etag_list_matches("\"a,b\",\"x\"", "\"x\"", kStrong)) << "a comma within a tag";
  EXPECT_TRUE(etag_list_matches("*", "", kStrong));
  EXPECT_FALSE(etag_list_matches("*, \"x\"", "\"x\"", kStrong));
  EXPECT_FALSE(etag_list_matches("x", "\"x\"", kWeak));
  EXPECT_FALSE(etag_list_matches("\"x\"", "W/\"x\"", kStrong));
  EXPECT_FALSE(etag_list_matches("\"\"", "", kWeak));
}

TEST(Conditions, ProceedWhenThereAreNone) {
  EXPECT_EQ(evaluate(Method::kGet, fields({{FieldId::kHost, "a"}}), kCurrent), Verdict::kProceed);
}

TEST(Conditions, OfIfNoneMatchAnswerNotModifiedToReadersAndFailWriters) {
  const FieldList same = fields({{FieldId::kIfNoneMatch, "\"a\", W/\"x\""}});
  EXPECT_EQ(evaluate(Method::kGet, same, kCurrent), Verdict::kNotModified);
  EXPECT_EQ(evaluate(Method::kHead, same, kCurrent), Verdict::kNotModified);
  EXPECT_EQ(evaluate(Method::kPut, same, kCurrent), Verdict::kPreconditionFailed);
  EXPECT_EQ(evaluate(Method::kGet, fields({{FieldId::kIfNoneMatch, "\"y\""}}), kCurrent), Verdict::kProceed);
  EXPECT_EQ(evaluate(Method::kGet,
                     fields({{FieldId::kIfNoneMatch, "\"y\""}, {FieldId::kIfNoneMatch, "\"x\""}}), kCurrent),
            Verdict::kNotModified);
}

TEST(Conditions, WithAStarAskWhetherThereIsAnObject) {
  const Validators missing{{}, {}, {}, false};
  EXPECT_EQ(evaluate(Method::kPut, fields({{FieldId::kIfNoneMatch, "*"}}), kCurrent),
            Verdict::kPreconditionFailed);
  EXPECT_EQ(evaluate(Method::kPut, fields({{FieldId::kIfNoneMatch, "*"}}), missing), Verdict::kProceed);
  EXPECT_EQ(evaluate(Method::kPut, fields({{FieldId::kIfMatch, "*"}}), missing),
            Verdict::kPreconditionFailed);
  EXPECT_EQ(evaluate(Method::kPut, fields({{FieldId::kIfMatch, "*"}}), kCurrent), Verdict::kProceed);
}

TEST(Conditions, OfIfMatchCompareStrongly) {
  EXPECT_EQ(evaluate(Method::kGet, fields({{FieldId::kIfMatch, "\"x\""}}), kCurrent), Verdict::kProceed);
  EXPECT_EQ(evaluate(Method::kGet, fields({{FieldId::kIfMatch, "W/\"x\""}}), kCurrent),
            Verdict::kPreconditionFailed);
  EXPECT_EQ(evaluate(Method::kGet, fields({{FieldId::kIfMatch, "\"y\""}}), kCurrent),
            Verdict::kPreconditionFailed);
}

TEST(Conditions, OfDatesCompareWithLastModified) {
  using Id = FieldId;
  EXPECT_EQ(evaluate(Method::kGet, fields({{Id::kIfModifiedSince, kNov6Text}}), kCurrent),
            Verdict::kNotModified);
  EXPECT_EQ(evaluate(Method::kGet, fields({{Id::kIfModifiedSince, kNov7Text}}), kCurrent),
            Verdict::kNotModified);
  EXPECT_EQ(evaluate(Method::kGet, fields({{Id::kIfModifiedSince, kNov5Text}}), kCurrent), Verdict::kProceed);
  EXPECT_EQ(evaluate(Method::kPost, fields({{Id::kIfModifiedSince, kNov6Text}}), kCurrent),
            Verdict::kProceed);
  EXPECT_EQ(evaluate(Method::kGet, fields({{Id::kIfModifiedSince, "junk"}}), kCurrent), Verdict::kProceed);
  EXPECT_EQ(evaluate(Method::kGet, fields({{Id::kIfUnmodifiedSince, kNov6Text}}), kCurrent),
            Verdict::kProceed);
  EXPECT_EQ(evaluate(Method::kGet, fields({{Id::kIfUnmodifiedSince, kNov5Text}}), kCurrent),
            Verdict::kPreconditionFailed);
  EXPECT_EQ(evaluate(Method::kGet, fields({{Id::kIfUnmodifiedSince, "junk"}}), kCurrent), Verdict::kProceed);
  const Validators undated{"\"x\"", {}, {}, true};
  EXPECT_EQ(evaluate(Method::kGet, fields({{Id::kIfModifiedSince, kNov6Text}}), undated), Verdict::kProceed);
}

TEST(Conditions, OfTagsTakePrecedenceOverDates) {
  using Id = FieldId;
  EXPECT_EQ(evaluate(Method::kGet, fields({{Id::kIfNoneMatch, "\"y\""}, {Id::kIfModifiedSince, kNov7Text}}),
                     kCurrent),
            Verdict::kProceed);
  EXPECT_EQ(evaluate(Method::kGet, fields({{Id::kIfMatch, "\"x\""}, {Id::kIfUnmodifiedSince, kNov5Text}}),
                     kCurrent),
            Verdict::kProceed);
  EXPECT_EQ(evaluate(Method::kGet, fields({{Id::kIfMatch, "\"y\""}, {Id::kIfNoneMatch, "\"x\""}}), kCurrent),
            Verdict::kPreconditionFailed);
  EXPECT_EQ(evaluate(Method::kGet, fields({{Id::kIfMatch, "\"x\""}, {Id::kIfNoneMatch, "\"x\""}}), kCurrent),
            Verdict::kNotModified);
}

TEST(IfRange, HoldsForTheSameStrongValidatorOnly) {
  EXPECT_TRUE(if_range_holds("\"x\"", kCurrent));
  EXPECT_FALSE(if_range_holds("\"y\"", kCurrent));
  EXPECT_FALSE(if_range_holds("W/\"x\"", kCurrent));
  EXPECT_FALSE(if_range_holds("\"x\"", {"W/\"x\"", {}, {}, true}));
  EXPECT_TRUE(if_range_holds(kNov6Text, kCurrent));
  EXPECT_FALSE(if_range_holds(kNov7Text, kCurrent)) << "exactly the same, not merely later";
  EXPECT_FALSE(if_range_holds(kNov6Text, {{}, kNov6, kNov6, true}))
      << "it may have changed within that second";
  EXPECT_FALSE(if_range_holds(kNov6Text, {{}, kNov6, {}, true}));
  EXPECT_FALSE(if_range_holds("junk", kCurrent));
}

}  // namespace
}  // namespace http
