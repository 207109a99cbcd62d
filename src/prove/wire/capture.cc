#include "prove/wire/capture.h"

#include <fmt/format.h>

#include <boost/regex.hpp>
#include <stdexcept>

#include "prove/wire/json_text.h"

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
  bool matches = false;  // the pattern is to be found

  std::optional<std::string> of_fields(const ReplyParser& reply) const;
};

// The first value that the pattern is found in. Without one the fields are one list, RFC 9110, 5.3, but
// Set-Cookie, which is none.
std::optional<std::string> Captures::One::of_fields(const ReplyParser& reply) const {
  std::optional<std::string> out;
  reply.each(from, [&](std::string_view value) {
    if (matches)
      out = match(pattern, value);
    else if (!out)
      out = value;
    else
      out->append(", ").append(value);
    return !(matches ? out.has_value() : from == "set-cookie");
  });
  return out;
}

Captures::Captures(const Step& step, const Slots& slots) {
  for (const Capture& capture : step.captures) {
    One& one = all_.emplace_back(capture.kind, capture.from, slots.find(capture.as));
    if (capture.kind == Capture::Kind::kHeader) {
      for (char& c : one.from)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    }
    one.matches = capture.kind == Capture::Kind::kRegex || !capture.pattern.empty();
    if (!one.matches) continue;
    try {
      one.pattern.assign(capture.kind == Capture::Kind::kRegex ? capture.from : capture.pattern,
                         boost::regex::perl);
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
    std::optional<std::string> value = one.of_fields(reply);
    all &= value.has_value();
    if (value && one.slot) values[*one.slot] = *std::move(value);
  }
  return all;
}

bool Captures::from_body(std::string_view body, Values& values) const {
  bool all = true;
  std::optional<JsonText> json;
  for (const One& one : all_) {
    if (one.kind == Capture::Kind::kHeader) continue;
    std::optional<std::string> value;
    if (one.kind == Capture::Kind::kJson) {
      if (!json) json.emplace(body);
      value = json->at(one.from);
    } else {
      value = match(one.pattern, body);
    }
    all &= value.has_value();
    if (value && one.slot) values[*one.slot] = *std::move(value);
  }
  return all;
}

}  // namespace prove
