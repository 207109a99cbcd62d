#include "cli/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace cli {
namespace {

using ::testing::ElementsAre;

using Told = std::vector<std::string>;

class Fake final : public Service {
 public:
  Fake(std::string name, Told& told) : name_(std::move(name)), told_(told) {}

  void start(const Snapshot&) override { tell("start"); }
  void reopen() override { tell("reopen"); }
  void prepare(const Snapshot&) override {
    tell("prepare");
    if (!refusal.empty()) throw std::runtime_error(refusal);
  }
  void commit(const Snapshot&) override { tell("commit"); }
  void discard() override { tell("discard"); }
  void drain() override { tell("drain"); }
  void close() override { tell("close"); }
  void cut() override { tell("cut"); }
  bool finished() const override { return is_finished; }
  void stop() override { tell("stop"); }
  void expose(telemetry::Page& page) const override {
    page.single("sekisho_" + name_, "gauge", "Whether it is there.", 1);
  }
  void dependencies(std::vector<admin::Dependency>& out) const override {
    out.push_back({.kind = "test", .name = name_, .ready = is_finished, .reason = "because"});
  }

  std::string refusal;
  bool is_finished = true;

 private:
  void tell(const std::string& verb) { told_.push_back(verb + " " + name_); }
  const std::string name_;
  Told& told_;
};

class ServiceListTest : public ::testing::Test {
 protected:
  Told told;
  Fake a{"a", told}, b{"b", told}, c{"c", told};
  ServiceList list{&a, &b, &c};
};

TEST_F(ServiceListTest, StartsInOrderAndStopsInReverse) {
  list.start(nullptr);
  list.stop();
  EXPECT_THAT(told, ElementsAre("start a", "start b", "start c", "stop c", "stop b", "stop a"));
}

TEST_F(ServiceListTest, AReloadPreparesAllBeforeAnyCommits) {
  EXPECT_EQ(list.reload(nullptr), "");
  EXPECT_THAT(told, ElementsAre("prepare a", "prepare b", "prepare c", "commit c", "commit b", "commit a"));
}

TEST_F(ServiceListTest, ARefusalOfOneKeepsTheOldEverywhere) {
  b.refusal = "no such bucket";
  EXPECT_EQ(list.reload(nullptr), "no such bucket");
  EXPECT_THAT(told, ElementsAre("prepare a", "prepare b", "discard b", "discard a"));
}

TEST_F(ServiceListTest, EndsInOrder) {
  list.drain();
  list.close();
  list.cut();
  EXPECT_THAT(told, ElementsAre("drain a", "drain b", "drain c", "close a", "close b", "close c", "cut a",
                                "cut b", "cut c"));
}

TEST_F(ServiceListTest, IsFinishedWhenAllAre) {
  EXPECT_TRUE(list.finished());
  b.is_finished = false;
  EXPECT_FALSE(list.finished());
}

TEST_F(ServiceListTest, ShowsWhatEachShows) {
  telemetry::Page page;
  list.expose(page);
  const std::string text = page.take();
  for (const std::string name : {"a", "b", "c"})
    EXPECT_THAT(text, ::testing::HasSubstr("\nsekisho_" + name + " 1\n")) << name;
  const auto dependencies = list.dependencies();
  ASSERT_EQ(dependencies.size(), 3U);
  EXPECT_EQ(dependencies[1].name, "b");
}

}  // namespace
}  // namespace cli
