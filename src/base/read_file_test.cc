#include "base/read_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

namespace base {
namespace {

class ReadFile : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/read_file_test.XXXXXX";
    dir_ = ::mkdtemp(name);
    path_ = dir_ + "/file";
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  std::string dir_, path_;
};

TEST_F(ReadFile, GivesItWholeUpToALimit) {
  std::ofstream(path_) << std::string(1024, 'x');
  EXPECT_EQ(read_file(path_, 1024), std::string(1024, 'x'));
  EXPECT_EQ(read_file(path_, 1023).error(), "is larger than 0KiB");
  EXPECT_EQ(read_file(path_ + "s", 10).error(), "cannot be read: No such file or directory");
  EXPECT_EQ(read_file(dir_, 10).error(), "is a folder, not a file");
}

TEST_F(ReadFile, TakesAPipeThatSomebodyFills) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  std::thread writer([&] { std::ofstream(path_) << "late"; });
  EXPECT_EQ(read_file(path_, 10), "late");
  writer.join();
}

TEST_F(ReadFile, IsNotHeldUpByAPipeThatNobodyFills) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  const Mono began = mono_now();
  EXPECT_EQ(read_file(path_, 10).error(), "cannot be read: nothing came within 5s");
  EXPECT_EQ(read_file(path_, 10).error(), "cannot be read: nothing came within 1s");
  EXPECT_LT(mono_now() - began, Seconds(20));
  const int writer = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);  // frees both
  ::close(writer);
}

}  // namespace
}  // namespace base
