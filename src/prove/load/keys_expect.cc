// The keys of what a reply must be.
#include <optional>

#include "prove/load/forms.h"
#include "prove/load/keys.h"
#include "prove/load/rows.h"
#include "prove/load/rules.h"

namespace config::rows {

template <>
struct WordsOf<prove::Outcome> {
  static constexpr std::string_view kNames[] = {"ok", "denied", "limited"};  // the rest cannot be wished for
};

}  // namespace config::rows

namespace prove {
namespace {

using namespace rows;          // NOLINT(google-build-using-namespace): the vocabulary of this one table
using namespace config::rows;  // NOLINT(google-build-using-namespace)
using rows::kLive;

using TextChecks = std::vector<TextCheck>;

template <TextTest T>
consteval Row text_row(std::string_view name, std::string_view about) {
  Row row = own<TextChecks>(Kind::kForm, name, "", about);
  row.list = T != TextTest::kIs;
  row.form = has_pattern(T) ? "regular expression" : "text, a template";
  row.read = [](Reader& reader, const Row& self, const YamlNode& node, void* owner) {
    std::size_t index = 0;
    const std::span<const YamlNode> items =
        T == TextTest::kIs ? std::span<const YamlNode>(&node, 1) : reader.items(self, node);
    for (const YamlNode& item : items) {
      std::optional<Reader::Step> step;
      if (node.kind == YamlNode::Kind::kList) step.emplace(reader, index++);
      rules::put_text(reader, item, T, read_value<form::Block>(reader, self, item),
                      *static_cast<TextChecks*>(owner));
    }
  };
  return row;
}

constexpr Row kBodyRows[] = {
    text_row<TextTest::kContains>("contains", "What the body must contain, wherever in it."),
    text_row<TextTest::kMatches>("matches", "A regular expression (Perl's) that must be found in the body."),
    text_row<TextTest::kNotContains>("not_contains", "What the body must not contain, anywhere in it."),
    text_row<TextTest::kNotMatches>("not_matches", "A regular expression that must not be found."),
};
constexpr config::Section kBody = table<TextChecks>(
    {"expect_body", "",
     "What the body must hold; a bare text, or several: `contains`. It is searched for texts to its end, for "
     "regular expressions in the first 1MiB.",
     "contains"},
    kBodyRows);

constexpr Row kFieldRows[] = {
    text_row<TextTest::kIs>("is", "The whole value; `*`: the field is there, `!`: it is not."),
    text_row<TextTest::kContains>("contains", "What the value must contain."),
    text_row<TextTest::kMatches>("matches", "A regular expression (Perl's) that must be found in the value."),
    text_row<TextTest::kNotContains>("not_contains", "What it must not contain; nor need it be there."),
    text_row<TextTest::kNotMatches>("not_matches",
                                    "A regular expression that must not be found; nor need it be there."),
};
constexpr config::Section kField =
    table<TextChecks>({"expect_header", "",
                       "What a header field must be; a bare text is `is`. Of a field that comes several "
                       "times one must be that, "
                       "or all of them together, with `, ` between; and what it must not be, none.",
                       "is"},
                      kFieldRows);

// A map of header fields to the section above.
consteval Row headers_row() {
  Row row = own<Expect>(Kind::kNamed, "headers", "", "What header fields must be.");
  row.sections = kOnly<kField>;
  row.read = [](Reader& reader, const Row&, const YamlNode& node, void* owner) {
    reader.check_map(node);
    for (const Entry& entry : node.entries) {
      const Reader::Step step(reader, entry.name);
      auto name = config::HeaderName::parse(entry.name);
      if (!name) reader.fail(entry.line, name.error());
      TextChecks checks;
      reader.section(entry.value, kField, &checks);
      rules::place_header_checks(reader, entry, std::move(checks), *static_cast<Expect*>(owner));
    }
  };
  return row;
}

consteval Row json_row() {
  Row row = own<Expect>(
      Kind::kOpen, "json", "",
      "What the body must be as JSON: pointers (RFC 6901) to values, `absent`, `exists`, or a map of "
      "comparisons: `==`, `!=`, `<`, `<=`, `>`, `>=`, `contains`, `not_contains`, `matches`, `not_matches`, "
      "`length`, `exists`. What stands in quotes is a text, a template.");
  row.read = [](Reader& reader, const Row&, const YamlNode& node, void* owner) {
    rules::place_json_checks(reader, node, *static_cast<Expect*>(owner));
  };
  return row;
}

consteval Row status_row() {
  Row row = written<&Expect::status, form::Status>("status", "2xx", "The status codes that are right.");
  row.read = [](Reader& reader, const Row& self, const YamlNode& node, void* owner) {
    auto& status = static_cast<Expect*>(owner)->status;
    status.clear();  // the default gives way
    std::size_t index = 0;
    for (const YamlNode& item : reader.items(self, node)) {
      const Reader::Step step(reader, index++);
      status.push_back(read_value<form::Status>(reader, self, item));
    }
  };
  return row;
}

constexpr Row kExpectRows[] = {
    status_row(),
    word<&Expect::outcome>(
        "outcome", "(denied for 401 and 403, limited for 429, else ok)", kLive,
        "What a reply as expected counts as. `denied` alone expects 401 or 403, `limited` alone "
        "429."),
    headers_row(),
    section<&Expect::body, kBody>("body", "What the body must hold."),
    json_row(),
    written<&Expect::sha256, form::Digest>("sha256", "", "The SHA-256 digest of the whole body."),
    size<&Expect::length>("length", "", {0, 16_TiB}, kLive, "The length of the whole body."),
};

}  // namespace

constinit const config::Section kExpectSection =
    table<Expect>({"expect", "", "What a reply must be to count as ok.", "status"}, kExpectRows,
                  checked<Expect, rules::check_expect>);

}  // namespace prove
