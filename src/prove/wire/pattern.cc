#include "prove/wire/pattern.h"

#include <boost/regex.hpp>
#include <stdexcept>

namespace prove {

struct Pattern::Compiled {
  boost::regex regex;
};

std::optional<Pattern> Pattern::compile(const std::string& text) {
  Pattern out;
  try {
    out.compiled_ = std::make_shared<const Compiled>(boost::regex(text, boost::regex::perl));
  } catch (const std::runtime_error&) {  // boost::regex_error
    return std::nullopt;
  }
  return out;
}

std::size_t Pattern::groups() const {
  return any() ? compiled_->regex.mark_count() : 0;
}

Pattern::Found Pattern::find(std::string_view text, bool cut, std::string* group) const {
  if (!any()) return Found::kNo;
  const auto flags = cut ? boost::match_not_eol | boost::match_not_eob : boost::match_default;
  boost::cmatch found;
  try {
    if (!boost::regex_search(text.data(), text.data() + text.size(), found, compiled_->regex, flags))
      return Found::kNo;
  } catch (const std::runtime_error&) {
    return Found::kGaveUp;
  }
  if (group) *group = found[found.size() > 1 ? 1 : 0].str();
  return Found::kYes;
}

}  // namespace prove
