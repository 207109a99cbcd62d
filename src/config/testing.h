// What the tests of errors share: what a configuration is refused with.
//
// Thread:   any; no state. Never part of the room's library.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "config/load.h"

namespace config {

// The error's text without "t.yaml", or "" when there was none. One line, without a secret.
inline std::string error_of(const std::string& text) {
  const Env env = [](const std::string& name) -> std::optional<std::string> {
    if (name == "SECRET") return "hunter2 hunter2";
    if (name == "EMPTY") return "";
    return std::nullopt;
  };
  try {
    load_text(text, "t.yaml", env);
  } catch (const ConfigError& e) {
    const std::string what = e.what();
    EXPECT_EQ(what.find('\n'), what.npos) << what;
    EXPECT_FALSE(what.contains("hunter2")) << what;
    return what.substr(std::string("t.yaml").size());
  }
  return "";
}

}  // namespace config
