// What the system says about memory, as files say it.
#include "cli/cgroup.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

namespace cli {
namespace {

class CgroupTest : public ::testing::Test {
 protected:
  CgroupTest() {
    char name[] = "/tmp/cgroup_test.XXXXXX";
    root_ = ::mkdtemp(name);
  }
  ~CgroupTest() override { std::filesystem::remove_all(root_); }

  void write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }

  std::filesystem::path root_;
};

TEST_F(CgroupTest, NothingIsKnownWithoutAGroupOrALimit) {
  EXPECT_EQ(memory_allowed(root_), std::nullopt);
  write("proc/self/cgroup", "0::/a/b\n");
  EXPECT_EQ(memory_allowed(root_), std::nullopt);
  write("sys/fs/cgroup/a/b/memory.max", "max\n");
  EXPECT_EQ(memory_allowed(root_), std::nullopt);
}

TEST_F(CgroupTest, TheLeastOfTheGroupAndThoseAroundItHolds) {
  write("proc/self/cgroup", "1:name=systemd:/x\n0::/a/b\n");
  write("sys/fs/cgroup/a/b/memory.max", "max\n");
  write("sys/fs/cgroup/a/memory.max", "2000\n");
  write("sys/fs/cgroup/memory.max", "3000\n");
  EXPECT_EQ(memory_allowed(root_), 2000U);
  write("sys/fs/cgroup/a/b/memory.max", "1000\n");
  EXPECT_EQ(memory_allowed(root_), 1000U);
}

TEST_F(CgroupTest, InAContainerTheGroupIsWhereTheRootIs) {
  write("proc/self/cgroup", "0::/\n");
  write("sys/fs/cgroup/memory.max", "536870912\n");
  EXPECT_EQ(memory_allowed(root_), 536870912U);
}

}  // namespace
}  // namespace cli
