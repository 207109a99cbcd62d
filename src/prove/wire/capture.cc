#include "prove/wire/capture.h"

#include <fmt/format.h>

#include <stdexcept>

#include "prove/wire/json_text.h"
#include "prove/wire/pattern.h"

namespace prove {
namespace {

std::optional<std::string> match(const std::optional<Pattern>& pattern, std::string_view text) {
  std::string out;
  if (!pattern || pattern->find(text, false, &out) != Pattern::Found::kYes) return std::nullopt;
  return out;
}

}  // namespace

struct Captures::One {
  Capture::Kind kind;
  std::string from;
  std::optional<std::size_t> slot;  // none: it has to be there all the same
  std::optional<Pattern> pattern;   // what is to be found

  std::optional<std::string> of_fields(const ReplyParser& reply) const;
};

// The first value that the pattern is found in. Without one the fields are one list, RFC 9110, 5.3, but
// Set-Cookie, which is none.
std::optional<std::string> Captures::One::of_fields(const ReplyParser& reply) const {
  std::optional<std::string> out;
  reply.each(from, [&](std::string_view value) {
    if (pattern)
      out = match(pattern, value);
    else if (!out)
      out = value;
    else
      out->append(", ").append(value);
    return !(pattern ? out.has_value() : from == "set-cookie");
  });
  return out;
}

Captures::Captures(std::span<const Capture> captures, const Slots& slots) {
  for (const Capture& capture : captures) {
    One& one = all_.emplace_back(capture.kind, capture.from, slots.find(capture.as));
    if (capture.kind == Capture::Kind::kHeader) {
      for (char& c : one.from)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    }
    if (capture.kind != Capture::Kind::kRegex && capture.pattern.empty()) continue;
    one.pattern = Pattern::compile(capture.kind == Capture::Kind::kRegex ? capture.from : capture.pattern);
    if (!one.pattern)
      throw std::runtime_error(fmt::format("capture '{}': is no regular expression", capture.as));
  }
}

Captures::~Captures() = default;
Captures::Captures(Captures&&) noexcept = default;

bool Captures::from_head(const ReplyParser& reply, Captured& captured) const {
  bool all = true;
  for (const One& one : all_) {
    if (one.kind != Capture::Kind::kHeader) continue;
    std::optional<std::string> value = one.of_fields(reply);
    all &= value.has_value();
    if (value && one.slot) captured.emplace_back(*one.slot, *std::move(value));
  }
  return all;
}

bool Captures::from_body(std::string_view body, Captured& captured) const {
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
    if (value && one.slot) captured.emplace_back(*one.slot, *std::move(value));
  }
  return all;
}

}  // namespace prove
