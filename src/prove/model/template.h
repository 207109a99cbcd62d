// Text with holes: "/objects/{{keys}}?n={{iteration}}". Compiled once, rendered for each request.
//
// Problem:  at 100,000 requests a second nobody looks up a name. Every name of a campaign gets a slot; a user
//           of the load has one value a slot, and rendering appends literals and values in turn.
// Owner:    Template: the campaign. Slots: the campaign. Values: one user of the load.
// Thread:   Template and Slots are immutable after load; Values belong to one worker.
// Failures: compile() gives a predicate to follow the text (unclosed braces, a name that is no name). That
//           every name has a source is checked by load_campaign(), once everything is read.
//
// In a path a value is percent-encoded where it holds what that place cannot: of what stands before the `?`
// everything but `/` and what a path segment may hold, of what stands behind it `&`, `=`, `+`, `;` and `#`
// too. A value with which the path begins is a whole target, and only what no target can hold is encoded in
// it. `{{name|raw}}` goes out as it is. Elsewhere nothing is encoded, unless the template says so: `|json`
// escapes as within a string of JSON, `|url` all that is not unreserved, `|base64` is that of RFC 4648; from
// left to right, where there are several.
//
// Names: data sets (name, name.column), tokens, captures, and the built-in `iteration` (of this user),
// `user`, `uuid`, `random` (0 … 2^63), `now` (Unix seconds), `index` (setup and tokens), and calls such as
// `random_string(16)` (function.h). A literal "{{" is written "{{{{"; spaces inside the braces do not count.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace prove {

// The names of all templates of a campaign, numbered.
class Slots {
 public:
  std::size_t slot_of(std::string_view name);  // known or new
  std::optional<std::size_t> find(std::string_view name) const;
  std::size_t size() const { return names_.size(); }
  const std::string& name(std::size_t slot) const { return names_[slot]; }

 private:
  std::vector<std::string> names_;
};

using Values = std::vector<std::string>;  // by slot

// What no value of a header field holds, and no raw one of a request line.
bool fits_field(std::string_view value);
bool fits_target(std::string_view value);

enum class Escape : std::uint8_t { kRaw, kJson, kUrl, kBase64 };
void append_escaped(std::string& out, std::string_view value, Escape escape);

class Template {
 public:
  Template() = default;

  static std::expected<Template, std::string> compile(std::string_view text, Slots& slots);
  static Template literal(std::string_view text);  // braces and all

  bool empty() const { return parts_.empty(); }
  bool constant() const;  // no hole: render once
  const std::string& text() const { return text_; }
  std::vector<std::size_t> slots() const;          // that it needs
  std::vector<std::size_t> raw_slots() const;      // of them, those of `{{name|raw}}`
  std::vector<std::size_t> escaped_slots() const;  // and those that are escaped wherever they stand
  // A path that does so is a whole target, with nothing of the target's own before it. Then the value's slot.
  std::optional<std::size_t> begins_with_value() const;

  // `values` has a place for every slot of the campaign.
  void append_to(std::string& out, const Values& values) const;
  std::string render(const Values& values) const;
  // As a path with its query, and as the value of a header field. False, with `out` anyhow, where a value
  // would end the line or the target that it stands in, or begins a path and is none.
  bool append_target_to(std::string& out, const Values& values) const;
  bool append_field_to(std::string& out, const Values& values) const;

 private:
  struct Part {
    std::string literal;       // then
    std::size_t slot = kNone;  // this
    std::vector<Escape> escapes;

    bool raw() const { return !escapes.empty() && escapes.back() == Escape::kRaw; }
    bool encoded() const { return !escapes.empty() && escapes.back() == Escape::kUrl; }
  };
  static std::expected<void, std::string> read_hole(std::string_view hole, Part& part, Slots& slots);
  static void append_value(std::string& out, const Part& part, const Values& values);
  static constexpr std::size_t kNone = ~std::size_t{0};

  std::string text_;
  std::vector<Part> parts_;
};

}  // namespace prove
