#include "config/claim_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace config {
namespace {

constexpr std::size_t kMaxText = 1'024;
constexpr std::size_t kMaxSteps = 16;

bool ends_name(char c) {
  const auto u = static_cast<unsigned char>(c);
  return c == '.' || c == '[' || c == ']' || c == '"' || u <= 0x20 || u == 0x7f;
}

class PathReader {
 public:
  explicit PathReader(std::string_view text) : text_(text) {}

  Parsed<ClaimPath::Value> whole() {
    if (text_.empty()) return std::unexpected("is empty");
    if (text_.size() > kMaxText) return std::unexpected("is longer than 1024 bytes");
    bool fine = text_[0] == '[' || name();
    while (fine && at_ < text_.size()) {
      if (steps_.size() > kMaxSteps) return std::unexpected("has more than 16 steps");
      if (take('['))
        fine = bracket();
      else
        fine = take('.') ? name() : wrong("a '.' or a '[' is missing");
    }
    if (!fine)
      return std::unexpected(fmt::format("is no path of a claim: at character {} {}", at_ + 1, why_));
    if (steps_.size() > kMaxSteps) return std::unexpected("has more than 16 steps");
    return std::move(steps_);
  }

 private:
  bool wrong(const char* why) {
    why_ = why;
    return false;
  }
  bool take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool name() {
    const auto end = std::ranges::find_if(text_.substr(at_), ends_name);
    std::string read(text_.begin() + static_cast<std::ptrdiff_t>(at_), end);
    if (read.empty()) return wrong("a name is missing");
    at_ += read.size();
    steps_.push_back({.kind = ClaimStep::Kind::kMember, .name = std::move(read)});
    return true;
  }

  bool bracket() {
    ClaimStep step;
    if (take('*')) {
      step.kind = ClaimStep::Kind::kEach;
    } else if (take('"')) {
      if (!quoted(step.name)) return false;
    } else {
      step.kind = ClaimStep::Kind::kElement;
      const char* const begin = text_.data() + at_;
      const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), step.index);
      if (error != std::errc() || (*begin == '0' && end != begin + 1))
        return wrong("a number, a '*' or a name in quotes is missing");
      at_ += static_cast<std::size_t>(end - begin);
    }
    if (!take(']')) return wrong("a ']' is missing");
    steps_.push_back(std::move(step));
    return true;
  }

  bool quoted(std::string& out) {
    for (; at_ < text_.size(); ++at_) {
      char c = text_[at_];
      if (c == '"') {
        ++at_;
        return true;
      }
      if (c == '\\') {
        ++at_;
        if (at_ == text_.size() || (text_[at_] != '"' && text_[at_] != '\\'))
          return wrong("a '\\' stands before neither '\"' nor '\\'");
        c = text_[at_];
      }
      out += c;
    }
    return wrong("a '\"' is missing");
  }

  std::string_view text_;
  std::size_t at_ = 0;
  const char* why_ = "";
  ClaimPath::Value steps_;
};

}  // namespace

Parsed<ClaimPath::Value> ClaimPath::parse(std::string_view text) {
  return PathReader(text).whole();
}

std::string ClaimPath::show(const Value& steps) {
  std::string out;
  for (const ClaimStep& step : steps) {
    switch (step.kind) {
      case ClaimStep::Kind::kEach:
        out += "[*]";
        break;
      case ClaimStep::Kind::kElement:
        out += fmt::format("[{}]", step.index);
        break;
      case ClaimStep::Kind::kMember:
        if (!step.name.empty() && std::ranges::none_of(step.name, ends_name)) {
          out.append(out.empty() ? "" : ".").append(step.name);
          break;
        }
        out += "[\"";
        for (const char c : step.name) {
          if (c == '"' || c == '\\') out += '\\';
          out += c;
        }
        out += "\"]";
        break;
    }
  }
  return out;
}

Parsed<std::string> text_rule::Claim::check(std::string_view text) {
  if (const auto steps = ClaimPath::parse(text); !steps) return std::unexpected(steps.error());
  return std::string(text);
}

}  // namespace config
