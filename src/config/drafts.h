// What a file says before it becomes the model: sections whose keys are several ways to say one thing.
// Internal to the room; the tables of keys fill them, the rules put them in their place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/model.h"

namespace config {

enum class Encoding : std::uint8_t { kText, kBase64, kBase64Url, kHex };

struct KeyDraft {
  std::string file, env;
  base::Secret inlined;
  std::string kid;
  std::optional<Algorithm> algorithm;
  Encoding encoding = Encoding::kText;
};

enum class CredentialsSource : std::uint8_t { kEnv };

struct CredentialsDraft {
  std::optional<CredentialsSource> source;
  std::string file;
  std::string profile = "default";
};

enum class Scheme : std::uint8_t { kBearer };

struct TokenSourceDraft {
  std::optional<Scheme> scheme;
  std::string header, prefix, query, cookie;
  std::vector<std::string> allowed_origins;
};

}  // namespace config
