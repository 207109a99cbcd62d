// What a campaign file says before it becomes the model: sections whose keys are several ways to say one
// thing.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "prove/model/model.h"

namespace prove {

struct TokenKeyDraft {
  std::string file, env;
  base::Secret value;
};

struct DataDraft {
  std::vector<std::string> values;
  std::string file;
  std::optional<std::pair<std::uint64_t, std::uint64_t>> range;
  Choice choose = Choice::kUniform;
  std::optional<double> exponent;
};

struct PartDraft {
  std::string name, file, type;
  std::optional<std::string> value, filename;
};

struct CaptureDraft {
  std::string json, header, regex;
  std::string as;
};

struct RepeatDraft {
  std::uint64_t times = 1;
  std::string until;
};

}  // namespace prove
