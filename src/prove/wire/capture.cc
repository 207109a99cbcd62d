#include "prove/wire/capture.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <boost/regex.hpp>
#include <stdexcept>

namespace prove {
namespace {

std::optional<std::string> match(const boost::regex& pattern, std::string_view text) {
  boost::cmatch found;
  try {
    if (!boost::regex_search(text.data(), text.data() + text.size(), found, pattern)) return std::nullopt;
  } catch (const std::runtime_error&) {
    return std::nullopt;  // Boost gives up on what would take exponential time
  }
  return found[found.size() > 1 ? 1 : 0].str();
}

}  // namespace

struct Captures::One {
  Capture::Kind kind;
  std::string from;
  std::optional<std::size_t> slot;  // none: no template asks for it, but it has to be there all the same
  boost::regex pattern;
};

Captures::Captures(const Step& step, const Slots& slots) {
  for (const Capture& capture : step.captures) {
    One& one = all_.emplace_back(capture.kind, capture.from, slots.find(capture.as));
    if (capture.kind == Capture::Kind::kHeader) {
      for (char& c : one.from)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    }
    if (capture.kind != Capture::Kind::kRegex) continue;
    try {
      one.pattern.assign(capture.from, boost::regex::perl);
    } catch (const boost::regex_error& e) {
      throw std::runtime_error(fmt::format("capture '{}': {}", capture.as, e.what()));
    }
  }
}

Captures::~Captures() = default;
Captures::Captures(Captures&&) noexcept = default;

bool Captures::from_head(const ReplyParser& reply, Values& values) const {
  bool all = true;
  for (const One& one : all_) {
    if (one.kind != Capture::Kind::kHeader) continue;
    const auto value = reply.find(one.from);
    if (value && one.slot) values[*one.slot] = *value;
    all &= value.has_value();
  }
  return all;
}

bool Captures::from_body(std::string_view body, Values& values) const {
  bool all = true;
  std::optional<boost::json::value> json;
  for (const One& one : all_) {
    if (one.kind == Capture::Kind::kHeader) continue;
    std::optional<std::string> value;
    if (one.kind == Capture::Kind::kJson) {
      boost::system::error_code error;
      if (!json)
        json = boost::json::parse(body, error);  // what is no JSON is null, and no pointer leads into it
      const boost::json::value* const found = error ? nullptr : json->find_pointer(one.from, error);
      if (found)
        value = found->is_string() ? std::string(found->get_string()) : boost::json::serialize(*found);
    } else {
      value = match(one.pattern, body);
    }
    all &= value.has_value();
    if (value && one.slot) values[*one.slot] = *std::move(value);
  }
  return all;
}

}  // namespace prove
