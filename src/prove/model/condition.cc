#include "prove/model/condition.h"

#include <algorithm>
#include <utility>

namespace prove {
namespace {

std::string_view side(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::expected<Condition::Sides, std::string> Condition::split(std::string_view text) {
  Sides out;
  std::size_t at = text.npos;
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i + 1] != '=' || (text[i] != '=' && text[i] != '!')) continue;
    if (at != text.npos) return std::unexpected("compares more than two values");
    at = i++;
  }
  out.left = side(text.substr(0, at));
  if (at != text.npos) {
    out.is = text[at] == '=' ? Is::kEqual : Is::kDifferent;
    out.right = side(text.substr(at + 2));
    if (out.right.starts_with('=')) return std::unexpected("compares with '==' or '!='");
  }
  if (out.left.empty() || (at != text.npos && out.right.empty()))
    return std::unexpected("has nothing on one side (write '' for an empty value)");
  if (!text.contains("{{")) return std::unexpected("names no value, so that it is always the same");
  if (out.left == "''") out.left = {};
  if (out.right == "''") out.right = {};
  return out;
}

bool Condition::holds(const Values& values) const {
  const std::string value = left.render(values);
  if (is == Is::kThere) return !value.empty();
  return (value == right.render(values)) == (is == Is::kEqual);
}

}  // namespace prove
