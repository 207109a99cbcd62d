#include "http/field.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "http/chars.h"
#include "http/scan.h"

namespace http {
namespace {

TEST(FieldId, IsFoundForEachNameInAnyCase) {
  for (unsigned i = 1; i < static_cast<unsigned>(FieldId::kCount); ++i) {
    const FieldId id = static_cast<FieldId>(i);
    std::string name(field_name(id));
    EXPECT_EQ(field_id(name), id) << name;
    for (char& c : name) c = lower(c);
    EXPECT_EQ(field_id(name), id) << name;
    for (char& c : name) c = c >= 'a' && c <= 'z' ? static_cast<char>(c & ~0x20) : c;
    EXPECT_EQ(field_id(name), id) << name;
  }
}

TEST(FieldId, IsOtherForEachNameThatDiffersInOneCharacter) {
  for (unsigned i = 1; i < static_cast<unsigned>(FieldId::kCount); ++i) {
    const std::string name(field_name(static_cast<FieldId>(i)));
    for (std::size_t at = 0; at < name.size(); ++at)
      for (const char c : std::string_view("!_x0~^")) {
        std::string changed = name;
        if (lower(changed[at]) == c) continue;
        changed[at] = c;
        EXPECT_EQ(field_id(changed), FieldId::kOther) << changed;
      }
    EXPECT_EQ(field_id(name + "x"), FieldId::kOther);
    EXPECT_EQ(field_id(std::string_view(name).substr(1)), FieldId::kOther);
  }
  EXPECT_EQ(field_id(""), FieldId::kOther);
}

TEST(FieldList, TellsPresentAndRepeatedFieldsAndTheFirstOfEach) {
  FieldList list;
  list.push("Via", "1", FieldId::kVia);
  list.push("x", "2", FieldId::kOther);
  EXPECT_FALSE(list.repeated(FieldId::kVia));
  list.push("via", "3", FieldId::kVia);
  EXPECT_TRUE(list.repeated(FieldId::kVia));
  EXPECT_EQ(list.value(FieldId::kVia), "1");
  EXPECT_EQ(list.find(FieldId::kHost), nullptr);
  EXPECT_EQ(list.value(FieldId::kHost), "");
  const FieldList copy = list;
  EXPECT_EQ(copy.size(), 3u);
  EXPECT_EQ(copy[2].value, "3");
  list.clear();
  EXPECT_FALSE(list.has(FieldId::kVia));
  EXPECT_TRUE(list.empty());
}

TEST(FieldList, GrowsBeyondWhatItHoldsInline) {
  FieldList list;
  list.push("Via", "first", FieldId::kVia);
  for (std::size_t i = 0; i < 5 * FieldList::kInline; ++i) list.push("a", "b", FieldId::kOther);
  list.push("Age", "last", FieldId::kAge);
  EXPECT_EQ(list.size(), 5 * FieldList::kInline + 2);
  EXPECT_EQ(list.value(FieldId::kVia), "first");
  EXPECT_EQ(list.value(FieldId::kAge), "last");
  const FieldList copy = list;
  list.clear();
  EXPECT_TRUE(list.empty());
  list.push("Age", "other", FieldId::kAge);
  EXPECT_EQ(list.value(FieldId::kAge), "other");
  EXPECT_EQ(copy.size(), 5 * FieldList::kInline + 2) << "a copy has fields of its own";
  EXPECT_EQ(copy.value(FieldId::kAge), "last");
}

TEST(Lists, AreSplitAtCommasOutsideOfQuotes) {
  std::string_view rest = R"( a ,, "b, \" c" ,	d="e,f", )";
  std::string_view item;
  ASSERT_TRUE(next_element(rest, item));
  EXPECT_EQ(item, "a");
  ASSERT_TRUE(next_element(rest, item));
  EXPECT_EQ(item, R"("b, \" c")");
  ASSERT_TRUE(next_element(rest, item));
  EXPECT_EQ(item, R"(d="e,f")");
  EXPECT_FALSE(next_element(rest, item));
  std::string_view open = "\"never closed, a\\";
  ASSERT_TRUE(next_element(open, item));
  EXPECT_FALSE(next_element(open, item));
  EXPECT_TRUE(list_has("a, Close", "close"));
  EXPECT_FALSE(list_has("closed", "close"));
}

TEST(Numbers, AreDigitsWithin64Bits) {
  std::uint64_t n = 0;
  EXPECT_TRUE(parse_decimal("18446744073709551615", n));
  EXPECT_EQ(n, UINT64_MAX);
  for (const char* bad : {"", "18446744073709551616", "99999999999999999999", "1 ", " 1", "+1", "-1", "1a"})
    EXPECT_FALSE(parse_decimal(bad, n)) << bad;
}

// The two implementations agree about every byte at every place.
TEST(Scan, StopsWhereTheTableSays) {
  for (std::size_t size = 0; size < 40; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (int c = 0; c < 256; ++c) {
        std::string text(size, 'a');
        text[at] = static_cast<char>(c);
        for (const std::size_t from : {std::size_t{0}, at / 2, at}) {
          const scan::Text all{text.data(), text.data() + size};
          const char* p = all.begin + from;
          ASSERT_EQ(scan::run<kTokenChar>(p, all), scan::Scalar::run<kTokenChar>(p, all)) << c;
          ASSERT_EQ(scan::run<kTargetChar>(p, all), scan::Scalar::run<kTargetChar>(p, all)) << c;
          ASSERT_EQ(scan::run<kValueChar>(p, all), scan::Scalar::run<kValueChar>(p, all)) << c;
          ASSERT_EQ(scan::run<kHostChar>(p, all), scan::Scalar::run<kHostChar>(p, all)) << c;
          ASSERT_EQ(scan::run<kSegmentChar>(p, all), scan::Scalar::run<kSegmentChar>(p, all)) << c;
        }
      }
    }
  }
}

}  // namespace
}  // namespace http
