#include "prove/model/condition.h"

#include <gtest/gtest.h>

namespace prove {
namespace {

bool holds(std::string_view text, std::string_view value) {
  Slots slots;
  const auto sides = Condition::split(text);
  if (!sides) return false;
  Condition condition;
  condition.is = sides->is;
  condition.left = Template::compile(sides->left, slots).value();
  condition.right = Template::compile(sides->right, slots).value();
  Values values(slots.size());
  for (std::string& each : values) each = value;
  return condition.holds(values);
}

TEST(ConditionTest, ComparesTextsByteForByte) {
  EXPECT_TRUE(holds("{{state}} == done", "done"));
  EXPECT_FALSE(holds("{{state}} == done", "done "));
  EXPECT_TRUE(holds("{{state}}!=done", "Done"));
  EXPECT_FALSE(holds("{{n}} == 1.0", "1"));
  EXPECT_TRUE(holds("in {{state}} == in {{state}}", "any"));
}

TEST(ConditionTest, AsksWhetherThereIsAValue) {
  EXPECT_TRUE(holds("{{next}}", "0"));
  EXPECT_FALSE(holds("{{next}}", ""));
  EXPECT_TRUE(holds("{{next}} == ''", ""));
  EXPECT_FALSE(holds("{{next}} != ''", ""));
}

TEST(ConditionTest, RefusesWhatIsNoComparison) {
  for (const std::string_view wrong :
       {"", " == done", "{{a}} ==", "{{a}} == {{b}} == {{c}}", "done", "1 == 1", "{{a}} === b"})
    EXPECT_FALSE(Condition::split(wrong)) << wrong;
}

TEST(ConditionTest, DoesNotTakeAValueForAComparison) {
  EXPECT_TRUE(holds("{{a}} == x", "x"));
  EXPECT_FALSE(holds("{{a}} == x", "x == x"));
}

}  // namespace
}  // namespace prove
