// What the tests of logs share: a folder that goes, files that are read, and waiting with a deadline.
//
// Thread:   the test's.  Never part of the room's library.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>

#include "base/clock.h"

namespace telemetry::testing_support {

inline std::string slurp(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

inline std::size_t lines_in(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

inline bool within(base::Seconds limit, const std::function<bool()>& what) {
  const base::Mono end = base::mono_now() + limit;
  while (base::mono_now() < end) {
    if (what()) return true;
    ::usleep(1000);
  }
  return what();
}

class InFolder : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/log_test.XXXXXX";
    dir_ = ::mkdtemp(name);
    path_ = dir_ + "/log";
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  std::string dir_, path_;
};

}  // namespace telemetry::testing_support
