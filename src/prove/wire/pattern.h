// A regular expression of a campaign: one engine for what is captured and for what is expected.
//
// Owner:    whoever compiled it.  Thread: immutable, any.
// Failures: compile(): nothing where the text is no pattern. find(): kGaveUp where it would take exponential
//           time, which is neither of the other two.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace prove {

class Pattern {
 public:
  Pattern() = default;  // none, which is found nowhere
  static std::optional<Pattern> compile(const std::string& text);

  enum class Found : std::uint8_t { kYes, kNo, kGaveUp };
  // `cut`: there is more of the text than is given, so that its end is none for `$`. `group`: what the first
  // group holds, or all of it where there is none.
  Found find(std::string_view text, bool cut = false, std::string* group = nullptr) const;

  bool any() const { return compiled_ != nullptr; }
  std::size_t groups() const;

 private:
  struct Compiled;
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace prove
