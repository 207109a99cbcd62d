#include "prove/engine/course.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace prove {
namespace {

// A scenario of so many steps, and what a journey takes of them.
struct Journey {
  explicit Journey(std::size_t steps) { scenario.steps.resize(steps); }

  Condition when(std::string_view name) {
    Condition out;
    out.left = Template::compile("{{" + std::string(name) + "}}", slots).value();
    return out;
  }
  Block& block(std::size_t from, std::size_t to) {
    Block& out = scenario.blocks.emplace_back();
    out.from = from;
    out.to = to;
    return out;
  }
  // "0 1 1 2", with "-3" for a step that was left out, and "!" where it gave up.
  std::string taken(const std::function<void(std::size_t, Values&)>& done = {}) {
    const Course course(scenario);
    Course::Position at;
    Values values(slots.size());
    std::string out;
    std::size_t step = course.first(at, values);
    for (int most = 0; most < 100; ++most) {
      for (const std::size_t left : at.left_out) out += "-" + std::to_string(left) + " ";
      at.left_out.clear();
      if (step == scenario.steps.size()) break;
      out += std::to_string(step) + " ";
      if (done) done(step, values);
      step = course.next(step, at, values);
      if (at.given_up) return out + "!";
    }
    return out;
  }

  Slots slots;
  Scenario scenario;
};

TEST(CourseTest, RepeatsAStepAndAGroup) {
  Journey j(4);
  j.block(1, 3).repeat.times = 2;
  j.block(2, 3).repeat.times = 3;
  EXPECT_EQ(j.taken(), "0 1 2 2 2 1 2 2 2 3 ");
}

TEST(CourseTest, LeavesOutWhatHasNoReason) {
  Journey j(4);
  j.block(0, 1).only_if = j.when("a");
  j.block(1, 3).only_if = j.when("a");
  EXPECT_EQ(j.taken(), "-0 -1 -2 3 ");
}

TEST(CourseTest, AsksAConditionWhenItComesToIt) {
  Journey j(3);
  j.block(1, 2).only_if = j.when("a");
  EXPECT_EQ(j.taken([](std::size_t step, Values& values) {
    if (step == 0) values[0] = "x";
  }),
            "0 1 2 ");
}

TEST(CourseTest, PollsUntilAValueComes) {
  Journey j(2);
  Repeat& repeat = j.block(0, 1).repeat;
  repeat.times = 5;
  repeat.until = j.when("a");
  int polls = 0;
  EXPECT_EQ(j.taken([&](std::size_t, Values& values) {
    if (++polls == 3) values[0] = "x";
  }),
            "0 0 0 1 ");
  EXPECT_EQ(j.taken(), "0 0 0 0 0 !");
}

TEST(CourseTest, EndsAGroupThatDoesNothing) {
  Journey j(2);
  j.block(0, 2).repeat.times = 1'000'000;
  j.block(0, 1).only_if = j.when("a");
  j.block(1, 2).only_if = j.when("a");
  EXPECT_EQ(j.taken(), "-0 -1 ");
}

TEST(CourseTest, BeginsEachRoundOfAGroupAnew) {
  Journey j(2);
  j.block(0, 2).repeat.times = 2;
  j.block(0, 1).only_if = j.when("a");
  EXPECT_EQ(j.taken([](std::size_t, Values& values) { values[0] = "x"; }), "-0 1 0 1 ");
}

TEST(CourseTest, KnowsWhatWouldSurelyHaveCome) {
  Journey j(4);
  j.block(1, 4).only_if = j.when("a");
  j.block(2, 3).only_if = j.when("a");
  const Course course(j.scenario);
  EXPECT_TRUE(course.surely(0, 0));
  EXPECT_FALSE(course.surely(1, 1));
  EXPECT_FALSE(course.surely(3, 1));
  EXPECT_TRUE(course.surely(3, 2));
  EXPECT_FALSE(course.surely(2, 2));
}

}  // namespace
}  // namespace prove
