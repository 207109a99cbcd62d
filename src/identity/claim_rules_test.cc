#include "identity/claim_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>

#include "config/claim_path.h"
#include "config/claim_value.h"

namespace identity {
namespace {

using config::ClaimRule;
using config::ClaimValue;
using enum config::ClaimRule::Test;

base::Ref<Principal> principal(std::string_view payload) {
  return Principal::make(payload.size(),
                         [&](char* out) { std::memcpy(out, payload.data(), payload.size()); });
}

ClaimRule rule(ClaimRule::Test test, std::string claim, std::vector<ClaimValue> values) {
  ClaimRule out;
  out.test = test;
  out.claim = std::move(claim);
  out.values = std::move(values);
  return out;
}
// A value as a configuration writes it.
ClaimRule rule(ClaimRule::Test test, std::string claim, const char* value) {
  return rule(test, std::move(claim), {*config::parse_claim_value(value, false)});
}
ClaimRule text(ClaimRule::Test test, std::string claim, std::string value) {
  return rule(test, std::move(claim), {ClaimValue(std::move(value))});
}
ClaimRule there(std::string claim, bool yes = true) {
  return rule(kExists, std::move(claim), {ClaimValue(yes)});
}
ClaimRule group(ClaimRule::Kind kind, std::vector<ClaimRule> rules) {
  ClaimRule out;
  out.kind = kind;
  out.rules = std::move(rules);
  return out;
}
ClaimRule all(std::vector<ClaimRule> rules) {
  return group(ClaimRule::Kind::kAll, std::move(rules));
}
ClaimRule any(std::vector<ClaimRule> rules) {
  return group(ClaimRule::Kind::kAny, std::move(rules));
}
ClaimRule no(ClaimRule one) {
  return group(ClaimRule::Kind::kNot, {std::move(one)});
}

bool holds(const ClaimRule& one, std::string_view payload) {
  return ClaimRules(std::span(&one, 1)).hold(*principal(payload));
}

TEST(ClaimRules, AskNothingWhenThereAreNone) {
  const ClaimRules none({});
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.id(), 0U);
  EXPECT_TRUE(none.hold(*principal("{}")));
}

TEST(ClaimRules, AllOfTheListMustHold) {
  const std::vector<ClaimRule> rules{rule(kEquals, "a", "1"), rule(kEquals, "b", "2")};
  const ClaimRules both(rules);
  EXPECT_TRUE(both.hold(*principal(R"({"a":1,"b":2})")));
  EXPECT_FALSE(both.hold(*principal(R"({"a":1,"b":3})")));
  EXPECT_FALSE(both.hold(*principal(R"({"a":1})")));
}

TEST(ClaimRules, EqualIsTheSameTypeAndValue) {
  EXPECT_TRUE(holds(rule(kEquals, "a", "x"), R"({"a":"x"})"));
  EXPECT_FALSE(holds(rule(kEquals, "a", "x"), R"({"a":"X"})"));
  EXPECT_FALSE(holds(rule(kEquals, "a", "x"), R"({"a":"xx"})"));
  EXPECT_FALSE(holds(rule(kEquals, "a", "x"), R"({"a":["x"]})"));
  EXPECT_FALSE(holds(rule(kEquals, "a", "x"), R"({"a":{"x":"x"}})"));
  EXPECT_FALSE(holds(rule(kEquals, "a", "x"), R"({"a":{}})"));
  EXPECT_TRUE(holds(rule(kEquals, "a", "true"), R"({"a":true})"));
  EXPECT_FALSE(holds(rule(kEquals, "a", "true"), R"({"a":false})"));
  for (const char* other : {"\"true\"", "1", "1.0", "\"1\"", "[true]", "{}", "null"})
    EXPECT_FALSE(holds(rule(kEquals, "a", "true"), R"({"a":)" + std::string(other) + "}")) << other;
  for (const char* other : {"\"42\"", "true", "[42]", "{}", "null", "42.5", "43", "-42"})
    EXPECT_FALSE(holds(rule(kEquals, "a", "42"), R"({"a":)" + std::string(other) + "}")) << other;
  for (const char* other : {"42", "42.0", "true", "[\"42\"]", "null"})
    EXPECT_FALSE(holds(text(kEquals, "a", "42"), R"({"a":)" + std::string(other) + "}")) << other;
  EXPECT_TRUE(holds(text(kEquals, "a", ""), R"({"a":""})"));
}

TEST(ClaimRules, CompareNumbersExactlyHoweverTheyAreWritten) {
  for (const char* three : {"3", "3.0", "0.3e1", "30e-1", "3.000000000000000000"})
    for (const char* wanted : {"3", "3.0", "3e0"})
      EXPECT_TRUE(holds(rule(kEquals, "a", wanted), R"({"a":)" + std::string(three) + "}")) << three;
  // 2^53 + 1 has no double.
  EXPECT_TRUE(holds(rule(kEquals, "a", "9007199254740993"), R"({"a":9007199254740993})"));
  EXPECT_FALSE(holds(rule(kEquals, "a", "9007199254740993"), R"({"a":9007199254740992.0})"));
  EXPECT_TRUE(holds(rule(kGt, "a", "9007199254740992.0"), R"({"a":9007199254740993})"));
  EXPECT_TRUE(holds(rule(kLt, "a", "9007199254740993"), R"({"a":9007199254740992.0})"));
  EXPECT_FALSE(holds(rule(kGte, "a", "9007199254740993"), R"({"a":9007199254740992.0})"));
  // The ends of 64 bits.
  EXPECT_TRUE(holds(rule(kEquals, "a", "9223372036854775807"), R"({"a":9223372036854775807})"));
  EXPECT_FALSE(holds(rule(kEquals, "a", "9223372036854775807"), R"({"a":9223372036854775808})"));
  EXPECT_FALSE(holds(rule(kEquals, "a", "-1"), R"({"a":18446744073709551615})"));
  EXPECT_TRUE(holds(rule(kGt, "a", "9223372036854775807"), R"({"a":18446744073709551615})"));
  EXPECT_TRUE(holds(rule(kGt, "a", "9223372036854775807"), R"({"a":1e300})"));
  EXPECT_TRUE(holds(rule(kLt, "a", "-9223372036854775808"), R"({"a":-1e300})"));
  EXPECT_TRUE(holds(rule(kGte, "a", "-9223372036854775808"), R"({"a":-9223372036854775808})"));
  EXPECT_TRUE(holds(rule(kLt, "a", "1e300"), R"({"a":18446744073709551615})"));
  // Fractions, read to the last bit.
  EXPECT_TRUE(holds(rule(kEquals, "a", "0.1"), R"({"a":0.1})"));
  EXPECT_TRUE(holds(rule(kEquals, "a", "0.1"), R"({"a":0.1000000000000000055511151231257827})"));
  EXPECT_TRUE(holds(rule(kEquals, "a", "8.41e21"), R"({"a":8410000000000000000000.0})"));
  EXPECT_TRUE(holds(rule(kEquals, "a", "1.7976931348623157e308"), R"({"a":1.7976931348623157e308})"));
  EXPECT_TRUE(holds(rule(kEquals, "a", "2.2250738585072014e-308"), R"({"a":22250738585072014e-324})"));
  for (const char* hard : {"588189546311528.930e162", "947711864209424.563e-124", "507788786802277.180e-193"})
    EXPECT_TRUE(holds(rule(kEquals, "a", hard), R"({"a":)" + std::string(hard) + "}")) << hard;
  EXPECT_TRUE(holds(rule(kGt, "a", "2"), R"({"a":2.5})"));
  EXPECT_FALSE(holds(rule(kGt, "a", "3"), R"({"a":2.5})"));
  EXPECT_TRUE(holds(rule(kLt, "a", "-2"), R"({"a":-2.5})"));
  EXPECT_TRUE(holds(rule(kEquals, "a", "0"), R"({"a":-0.0})"));
}

TEST(ClaimRules, OrderNumbersOnly) {
  struct Case {
    ClaimRule::Test test;
    bool less, same, more;
  };
  for (const Case& c : {Case{kGt, false, false, true}, Case{kLt, true, false, false},
                        Case{kGte, false, true, true}, Case{kLte, true, true, false}}) {
    for (const char* wanted : {"5", "5.0"}) {
      const ClaimRule one = rule(c.test, "a", wanted);
      for (const char* suffix : {"", ".0"}) {
        EXPECT_EQ(holds(one, R"({"a":4)" + std::string(suffix) + "}"), c.less);
        EXPECT_EQ(holds(one, R"({"a":5)" + std::string(suffix) + "}"), c.same);
        EXPECT_EQ(holds(one, R"({"a":6)" + std::string(suffix) + "}"), c.more);
      }
      for (const char* other : {"\"4\"", "\"5\"", "\"6\"", "true", "[6]", "{}", "null", "\"\""})
        EXPECT_FALSE(holds(one, R"({"a":)" + std::string(other) + "}")) << other;
      EXPECT_FALSE(holds(one, "{}"));
    }
  }
}

TEST(ClaimRules, InIsOneOfThese) {
  const ClaimRule one = rule(kIn, "a", {ClaimValue("x"), ClaimValue(std::int64_t{3}), ClaimValue(true)});
  for (const char* good : {"\"x\"", "3", "3.0", "true"})
    EXPECT_TRUE(holds(one, R"({"a":)" + std::string(good) + "}")) << good;
  for (const char* bad : {"\"y\"", "\"3\"", "4", "false", "\"true\"", "[\"x\"]", "null", "{}"})
    EXPECT_FALSE(holds(one, R"({"a":)" + std::string(bad) + "}")) << bad;
}

TEST(ClaimRules, ContainIsAnElementOrTheWholeText) {
  const ClaimRule admin = text(kContains, "a", "admin");
  for (const char* good : {R"(["admin"])", R"(["x","admin"])", R"("admin")"})
    EXPECT_TRUE(holds(admin, R"({"a":)" + std::string(good) + "}")) << good;
  for (const char* bad : {R"(["administrator"])", R"([["admin"]])", R"({"admin":true})", R"("Admin")", "[]",
                          R"("an admin here")", R"("admins-not")", "null", "true", R"([{"admin":"admin"}])"})
    EXPECT_FALSE(holds(admin, R"({"a":)" + std::string(bad) + "}")) << bad;
  EXPECT_TRUE(holds(rule(kContains, "a", "4"), R"({"a":[1,4.0]})"));
  EXPECT_FALSE(holds(rule(kContains, "a", "4"), R"({"a":["4"]})"));
  EXPECT_FALSE(holds(rule(kContains, "a", "4"), R"({"a":"4"})"));
  EXPECT_FALSE(holds(rule(kContains, "a", "4"), R"({"a":4})"));
  EXPECT_TRUE(holds(rule(kContains, "a", "true"), R"({"a":[true]})"));
  EXPECT_FALSE(holds(rule(kContains, "a", "true"), R"({"a":"true"})"));
}

TEST(ClaimRules, ContainIsAWordOfAScope) {
  for (const std::string name : {"scope", "scp"}) {
    const ClaimRule admin = text(kContains, name, "admin");
    for (const char* good : {"admin", "read admin", "admin read", "  admin  "})
      EXPECT_TRUE(holds(admin, R"({")" + name + R"(":")" + good + "\"}")) << good;
    for (const char* bad : {"", " ", "admins", "not-admin", "read,admin", "Admin"})
      EXPECT_FALSE(holds(admin, R"({")" + name + R"(":")" + bad + "\"}")) << bad;
    EXPECT_TRUE(holds(text(kEquals, name + "[1]", "b"), R"({")" + name + R"(":"a b"})"));
    EXPECT_TRUE(holds(text(kEquals, name, "a b"), R"({")" + name + R"(":"a b"})")) << "it is a text, too";
  }
  EXPECT_FALSE(holds(text(kContains, "a.scope", "x"), R"({"a":{"scope":"x y"}})"))
      << "only the registered claim";
}

TEST(ClaimRules, SubstringIsATextWithinAText) {
  const ClaimRule admin = text(kSubstring, "a", "admin");
  for (const char* good : {R"("admin")", R"("an admin here")", R"("administrators")"})
    EXPECT_TRUE(holds(admin, R"({"a":)" + std::string(good) + "}")) << good;
  for (const char* bad : {R"(["admin"])", R"("Admin")", R"("")", "null", "{}", "1"})
    EXPECT_FALSE(holds(admin, R"({"a":)" + std::string(bad) + "}")) << bad;
  EXPECT_TRUE(holds(text(kSubstring, "a[*]", "dm"), R"({"a":["x","admin"]})"));
}

TEST(ClaimRules, ExistIsOtherThanNull) {
  for (const char* value : {"0", "\"\"", "false", "[]", "{}", "\"x\""}) {
    EXPECT_TRUE(holds(there("a"), R"({"a":)" + std::string(value) + "}")) << value;
    EXPECT_FALSE(holds(there("a", false), R"({"a":)" + std::string(value) + "}")) << value;
  }
  for (const char* payload : {"{}", R"({"a":null})", R"({"A":1})", R"({"a ":1})"}) {
    EXPECT_FALSE(holds(there("a"), payload)) << payload;
    EXPECT_TRUE(holds(there("a", false), payload)) << payload;
  }
}

TEST(ClaimRules, FollowPathsThroughObjectsAndArrays) {
  constexpr const char* kPayload =
      R"({"realm":{"roles":["a","b"],"x.y":{"z":1}},"https://x.test/roles":["r"],"list":[[1,2],[3]],"m":[{"n":1},{"n":2},7]})";
  EXPECT_TRUE(holds(rule(kEquals, "realm.roles[0]", "a"), kPayload));
  EXPECT_TRUE(holds(rule(kEquals, "realm.roles[1]", "b"), kPayload));
  EXPECT_FALSE(holds(there("realm.roles[2]"), kPayload));
  EXPECT_TRUE(holds(rule(kEquals, "realm.roles[*]", "b"), kPayload));
  EXPECT_FALSE(holds(rule(kEquals, "realm.roles[*]", "c"), kPayload));
  EXPECT_TRUE(holds(rule(kEquals, R"(realm["x.y"].z)", "1"), kPayload));
  EXPECT_FALSE(holds(there("realm.x.y.z"), kPayload));
  EXPECT_TRUE(holds(rule(kEquals, R"(["https://x.test/roles"][0])", "r"), kPayload));
  EXPECT_TRUE(holds(rule(kEquals, "list[1][0]", "3"), kPayload));
  EXPECT_TRUE(holds(rule(kEquals, "list[*][*]", "3"), kPayload));
  EXPECT_TRUE(holds(rule(kContains, "list[*]", "2"), kPayload));
  EXPECT_FALSE(holds(rule(kEquals, "list[*]", "2"), kPayload));
  EXPECT_TRUE(holds(rule(kEquals, "m[*].n", "2"), kPayload));
  EXPECT_TRUE(holds(rule(kGt, "m[*].n", "1"), kPayload));
  EXPECT_FALSE(holds(rule(kGt, "m[*].n", "2"), kPayload));
}

TEST(ClaimRules, LeadNowhereThroughAWrongType) {
  for (const char* path : {"a.b", "a[0]", "a[*]", "a.b.c", "a[0][0]", "a.length", R"(a[""])"})
    for (const char* value : {"1", "\"b\"", "true", "null", "[]", "{}"}) {
      const std::string payload = R"({"a":)" + std::string(value) + "}";
      EXPECT_FALSE(holds(there(path), payload)) << path << " " << value;
      EXPECT_TRUE(holds(there(path, false), payload)) << path << " " << value;
      EXPECT_FALSE(holds(rule(kEquals, path, "b"), payload)) << path << " " << value;
    }
  EXPECT_FALSE(holds(there("a[0]"), R"({"a":{"0":1}})"));
  EXPECT_FALSE(holds(there("a[*]"), R"({"a":{"x":1}})"));
  EXPECT_FALSE(holds(there(R"(a["0"])"), R"({"a":[1]})"));
  EXPECT_FALSE(holds(there("a[18446744073709551615]"), R"({"a":[1]})"));
}

TEST(ClaimRules, ExistenceIsOfAnyElement) {
  EXPECT_TRUE(holds(there("a[*]"), R"({"a":[null,1]})"));
  EXPECT_FALSE(holds(there("a[*]", false), R"({"a":[null,1]})"));
  EXPECT_FALSE(holds(there("a[*]"), R"({"a":[null,null]})"));
  EXPECT_TRUE(holds(there("a[*]", false), R"({"a":[]})"));
}

TEST(ClaimRules, TakeTheStandardClaims) {
  constexpr const char* kPayload =
      R"({"iss":"https://id.test","sub":"ann","aud":["x","y"],"exp":2000000000})";
  EXPECT_TRUE(holds(text(kEquals, "iss", "https://id.test"), kPayload));
  EXPECT_TRUE(holds(rule(kIn, "sub", {ClaimValue("bob"), ClaimValue("ann")}), kPayload));
  EXPECT_TRUE(holds(rule(kGt, "exp", "1999999999"), kPayload));
  EXPECT_TRUE(holds(rule(kContains, "aud", "y"), kPayload));
}

TEST(ClaimRules, TakeAnAudienceThatIsATextForAListOfOne) {
  const ClaimRule admin = rule(kContains, "aud", "admin");
  EXPECT_TRUE(holds(admin, R"({"aud":"admin"})"));
  EXPECT_TRUE(holds(admin, R"({"aud":["x","admin"]})"));
  EXPECT_FALSE(holds(admin, R"({"aud":"not-admin"})"));
  EXPECT_TRUE(holds(rule(kEquals, "aud[*]", "admin"), R"({"aud":"admin"})"));
  EXPECT_TRUE(holds(rule(kEquals, "aud[0]", "admin"), R"({"aud":"admin"})"));
  EXPECT_FALSE(holds(there("aud[1]"), R"({"aud":"admin"})"));
  EXPECT_TRUE(holds(rule(kEquals, "aud", "admin"), R"({"aud":"admin"})"));
  EXPECT_FALSE(holds(rule(kEquals, "aud", "admin"), R"({"aud":["admin"]})"));
  // Only the registered claim.
  EXPECT_FALSE(holds(rule(kEquals, "a.aud[*]", "admin"), R"({"a":{"aud":"admin"}})"));
}

TEST(ClaimRules, TellNamesApartByTheirBytes) {
  EXPECT_FALSE(holds(there("role"), R"({"Role":1,"role ":1,"roles":1,"rolе":1})"));  // the last: a Cyrillic e
  EXPECT_TRUE(holds(rule(kEquals, "rolé", "x"), R"({"rol\u00e9":"x"})"));
  EXPECT_FALSE(holds(there("rolé"), R"({"role\u0301":"x"})"));  // the same to the eye, by a combining accent
  EXPECT_TRUE(holds(rule(kEquals, "role", "x"), R"({"r\u006fle":"x"})"));
  EXPECT_TRUE(holds(text(kEquals, "a", "😀"), R"({"a":"\ud83d\ude00"})"));
  EXPECT_FALSE(holds(text(kEquals, "a", "x"), R"({"a":"x\u0000"})"));
  EXPECT_TRUE(holds(text(kEquals, "a", std::string("x\0", 2)), R"({"a":"x\u0000"})"));
  EXPECT_FALSE(holds(there("a"), R"({"a\u0000":1})"));
  EXPECT_TRUE(holds(there(R"([""])"), R"({"":1})"));
  EXPECT_TRUE(holds(there(R"(["a\"\\b"])"), R"({"a\"\\b":1})"));
}

TEST(ClaimRules, ReadHugeListsOnce) {
  std::string payload = R"({"a":[)";
  for (int i = 0; i < 20'000; ++i) payload += R"({"b":[1,2]},)";
  payload += R"({"b":["last"]}]})";
  EXPECT_TRUE(holds(rule(kEquals, "a[*].b[*]", "last"), payload));
  EXPECT_FALSE(holds(rule(kEquals, "a[*].b[*]", "none"), payload));
  EXPECT_TRUE(holds(there("a[20000].b"), payload));
  EXPECT_FALSE(holds(there("a[20001]"), payload));
}

TEST(ClaimRules, RefuseWhatIsNoObject) {
  for (const char* payload : {"", "[]", "1", "null", "{", "{}x"})
    EXPECT_FALSE(holds(no(there("a")), payload)) << payload;
}

TEST(ClaimRules, NestAsDeepAsConfigurationsDo) {
  ClaimRule deep = rule(kEquals, "a", "1");
  for (int i = 0; i < 32; ++i) deep = i % 2 ? all({deep}) : any({no(no(deep))});
  EXPECT_TRUE(holds(deep, R"({"a":1})"));
  EXPECT_FALSE(holds(deep, R"({"a":2})"));
  std::string path = "a";
  std::string payload = "1";
  for (int i = 0; i < 15; ++i) path += "[0]", payload.insert(0, "[").append("]");
  EXPECT_TRUE(holds(rule(kEquals, path, "1"), R"({"a":)" + payload + "}"));
}

// ---- laws

class Dice {
 public:
  std::size_t below(std::size_t n) { return engine_() % n; }
  template <std::size_t N>
  const char* of(const char* const (&list)[N]) {
    return list[below(N)];
  }
  ClaimRule test() {
    static constexpr const char* kPaths[] = {"a",      "b",    "a.c", "a[0]",  "a[*]",
                                             "a[*].c", "b[1]", "aud", "aud[*]"};
    static constexpr const char* kValues[] = {"1", "2.5", "x", "true", "xy", "false", "-3"};
    static constexpr ClaimRule::Test kTests[] = {kEquals, kIn,  kContains, kGt,       kLt,
                                                 kGte,    kLte, kExists,   kSubstring};
    const ClaimRule::Test test = kTests[below(9)];
    if (test == kExists) return there(of(kPaths), below(2) == 0);
    return rule(test, of(kPaths), of(kValues));
  }
  ClaimRule any_rule(int depth) {
    if (depth == 0 || below(3) == 0) return test();
    if (below(3) == 0) return no(any_rule(depth - 1));
    std::vector<ClaimRule> rules;
    for (std::size_t n = 1 + below(3); n > 0; --n) rules.push_back(any_rule(depth - 1));
    return below(2) ? all(std::move(rules)) : any(std::move(rules));
  }
  std::string json(int depth) {
    static constexpr const char* kLeaves[] = {"1",     "1.0",  "2.5", "\"x\"", "\"xy\"", "true",
                                              "false", "null", "-3",  "{}",    "[]"};
    switch (depth == 0 ? 0 : below(3)) {
      case 1: {
        std::string out = "[";
        for (std::size_t n = below(3) + 1; n > 0; --n) out += json(depth - 1) + (n > 1 ? "," : "");
        return out + "]";
      }
      case 2:
        return R"({"c":)" + json(depth - 1) + "}";
      default:
        return of(kLeaves);
    }
  }
  std::string payload() { return R"({"a":)" + json(2) + R"(,"b":)" + json(1) + R"(,"aud":)" + json(1) + "}"; }

 private:
  std::mt19937 engine_{7};
};

TEST(ClaimRules, KeepTheLawsOfLogic) {
  Dice dice;
  std::size_t held = 0;
  for (int i = 0; i < 5'000; ++i) {
    const ClaimRule p = dice.any_rule(2);
    const ClaimRule q = dice.any_rule(2);
    const std::string payload = dice.payload();
    const bool a = holds(p, payload);
    const bool b = holds(q, payload);
    held += a;
    ASSERT_EQ(holds(no(p), payload), !a) << payload;
    ASSERT_EQ(holds(all({p, q}), payload), a && b) << payload;
    ASSERT_EQ(holds(any({p, q}), payload), a || b) << payload;
    ASSERT_EQ(holds(no(all({p, q})), payload), holds(any({no(p), no(q)}), payload)) << payload;
    ASSERT_EQ(holds(no(any({p, q})), payload), holds(all({no(p), no(q)}), payload)) << payload;
    ASSERT_EQ(holds(all({p}), payload), a) << payload;
    ASSERT_EQ(holds(any({p}), payload), a) << payload;
  }
  EXPECT_GT(held, 500U);
  EXPECT_LT(held, 4'500U);
}

TEST(ClaimRules, TestsHangTogether) {
  Dice dice;
  for (int i = 0; i < 5'000; ++i) {
    const ClaimRule one = dice.test();
    const std::string payload = dice.payload();
    const bool exists = holds(there(one.claim), payload);
    ASSERT_NE(exists, holds(there(one.claim, false), payload));
    if (one.test == kExists) continue;
    if (holds(one, payload)) ASSERT_TRUE(exists) << payload;  // nothing passes where nothing is
    const auto with = [&](ClaimRule::Test test) { return holds(rule(test, one.claim, one.values), payload); };
    ASSERT_EQ(with(kEquals), with(kIn));
    if (!config::is_number(one.values[0])) {
      for (const auto test : {kGt, kLt, kGte, kLte}) ASSERT_FALSE(with(test));
    } else {
      ASSERT_EQ(with(kGte), with(kGt) || with(kEquals)) << payload;
      ASSERT_EQ(with(kLte), with(kLt) || with(kEquals)) << payload;
      if (one.claim.find('*') == std::string::npos) {
        ASSERT_FALSE(with(kGt) && with(kLte)) << payload;
      }
    }
  }
}

// ---- what is remembered

TEST(ClaimRules, AreToldApartByAnIdThatStaysTheSame) {
  const auto id = [](const std::vector<ClaimRule>& rules) { return ClaimRules(rules).id(); };
  const ClaimRule a = rule(kEquals, "a", "1");
  const ClaimRule b = rule(kEquals, "b", "1");
  EXPECT_NE(id({a}), 0U);
  EXPECT_EQ(id({a, b}), id({a, b}));
  ClaimRule elsewhere = a;
  elsewhere.line = 99;
  EXPECT_EQ(id({a}), id({elsewhere}));
  const std::vector<std::vector<ClaimRule>> different = {
      {a},
      {b},
      {a, b},
      {b, a},
      {all({a, b})},
      {any({a, b})},
      {all({a}), b},
      {no(a)},
      {no(no(a))},
      {rule(kEquals, "a", "2")},
      {rule(kEquals, "a", "1.0")},
      {text(kEquals, "a", "1")},
      {rule(kEquals, "a", "true")},
      {rule(kContains, "a", "1")},
      {rule(kIn, "a", {ClaimValue("xy"), ClaimValue("z")})},
      {rule(kIn, "a", {ClaimValue("x"), ClaimValue("yz")})},
      {there("a")},
      {there("a", false)},
  };
  for (std::size_t i = 0; i < different.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(id(different[i]), id(different[j])) << i << " " << j;
}

TEST(ClaimRules, AreAskedOnceForAPrincipal) {
  std::string payload = R"({"a":1})";
  const auto who = principal(payload);
  const std::vector<ClaimRule> yes{rule(kEquals, "a", "1")};
  const std::vector<ClaimRule> other{rule(kEquals, "a", "2")};
  const ClaimRules first(yes);
  const ClaimRules second(other);
  EXPECT_TRUE(first.hold(*who));
  EXPECT_FALSE(second.hold(*who));
  EXPECT_EQ(who->verdict(first.id()), true);
  EXPECT_EQ(who->verdict(second.id()), false);
  // With the payload gone there is nothing to parse; the answers stay, also for the same rules of a reload.
  who->payload = {};
  EXPECT_TRUE(first.hold(*who));
  EXPECT_TRUE(ClaimRules(yes).hold(*who));
  EXPECT_FALSE(second.hold(*who));
}

TEST(ClaimRules, RefuseAPathThatDoesNotParse) {
  const std::vector<ClaimRule> bad{rule(kEquals, "a..b", "1")};
  EXPECT_THROW(ClaimRules{bad}, std::invalid_argument);
}

}  // namespace
}  // namespace identity
