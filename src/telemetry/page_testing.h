// For tests only: a page of /metrics read back by its grammar. A line that is out of form fails the test.
//
// Owner: a test. Thread: its own. Failure: of the test.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>

namespace telemetry {

// Sample with its labels → value.
inline std::map<std::string, double> parse(const std::string& page) {
  static const std::regex sample(
      R"re(^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[a-z_]+="(?:[^"\\\n]|\\[\\"n])*"(?:,[a-z_]+="(?:[^"\\\n]|\\[\\"n])*")*\})? (\S+)$)re");
  std::map<std::string, double> values;
  std::set<std::string> families;
  std::string family, type;
  std::istringstream in(page);
  EXPECT_TRUE(page.ends_with("\n"));
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("# HELP ")) {
      family = line.substr(7, line.find(' ', 7) - 7);
      EXPECT_TRUE(families.insert(family).second) << "twice: " << family;
    } else if (line.starts_with("# TYPE ")) {
      std::istringstream words(line);
      std::string skip, name;
      words >> skip >> skip >> name >> type;
      EXPECT_EQ(name, family);
      EXPECT_TRUE(type == "counter" || type == "gauge" || type == "histogram") << line;
    } else {
      std::smatch match;
      if (!std::regex_match(line, match, sample)) {
        ADD_FAILURE() << "not a sample: " << line;
        continue;
      }
      std::string name = match[1];
      if (type == "histogram") name = std::regex_replace(name, std::regex("_(bucket|sum|count)$"), "");
      EXPECT_EQ(name, family) << line;
      if (type == "counter") EXPECT_TRUE(name.ends_with("_total")) << name;
      EXPECT_TRUE(values.emplace(match[1].str() + match[2].str(), std::stod(match[3])).second) << line;
    }
  }
  return values;
}

}  // namespace telemetry
